// What each client of this folder does, step by step, with a row of the table for each step.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const [url, revision, tokenFile] = process.argv.slice(2);
if (!url || !revision) {
  console.error('usage: node CLIENT URL REVISION [TOKEN_FILE]');
  process.exit(2);
}

const token = tokenFile && readFileSync(tokenFile, 'utf8').trim();
export const endpoint = new URL(url);
export const options = { requestInit: { headers: token ? { Authorization: `Bearer ${token}` } : {} } };
export const sessions = revision === '2025-11-25';
export { revision };

/** What users and models answer whom the server asks. */
export const elicited = ({ params }) => ({
  action: 'accept',
  content: Object.fromEntries(Object.keys(params.requestedSchema.properties).map((field) => [field, 'Ada'])),
});
export const sampled = () => ({ model: 'test', role: 'assistant', content: { type: 'text', text: 'Paris' } });

const watched = 'test://static-text';
let updates = 0;
export const updated = ({ params }) => {
  if (params.uri === watched) updates += 1;
};

const patienceMilliseconds = 10_000;

function check(condition, told) {
  if (!condition) throw new Error(told);
}

async function until(done, told) {
  const begun = performance.now();
  while (!(await done())) {
    check(performance.now() - begun < patienceMilliseconds, told);
    await sleep(20);
  }
}

const said = (result) => result.content?.[0]?.text;

/**
 * Takes the client through every step and ends the process with the verdict: one that leaves something open must not
 * hang the run. The two lines of the SDK differ in what `of` holds: `connect` and `close`, which know the transport;
 * `call`; `subscribe`, which returns how to end it.
 */
export async function tour(name, client, of) {
  const call = (tool, args, requestOptions) => of.call({ name: tool, arguments: args ?? {} }, requestOptions);
  const steps = {
    async connect() {
      const negotiated = await of.connect();
      check(negotiated === revision, `it is ${negotiated}`);
      return sessions ? 'initialized' : 'discovered';
    },

    async list() {
      const { tools } = await client.listTools();
      const { prompts } = await client.listPrompts();
      const { resources } = await client.listResources();
      const { resourceTemplates } = await client.listResourceTemplates();
      check(tools.length > 10 && prompts.length > 3, 'too few');
      check(resources.length === 2 && resourceTemplates.length === 1, 'resources are missing');
      return `${tools.length} tools, ${prompts.length} prompts`;
    },

    async call() {
      check(said(await call('test_simple_text')).startsWith('This is a simple text'), 'another text');
      check((await call('test_error_handling')).isError === true, 'no error');
      const refused = await call('test_no_such_tool').then(() => undefined, (error) => error);
      check(refused, 'a tool that is not there answered');
      return `an unknown tool is ${refused.code}`;
    },

    async read() {
      const { contents } = await client.readResource({ uri: watched });
      check(contents[0].text.includes('static text'), 'another text');
      const asked = { name: 'test_prompt_with_arguments', arguments: { arg1: 'a', arg2: 'b' } };
      check((await client.getPrompt(asked)).messages[0].content.text.includes("arg1='a'"), 'another prompt');
    },

    async progress() {
      const reports = [];
      const onprogress = ({ progress }) => reports.push({ progress, at: performance.now() });
      await call('test_tool_with_progress', {}, { onprogress });
      const end = performance.now();
      const values = reports.map(({ progress }) => progress).join();
      check(values === '0,50,100', `the reports were ${values}`);
      // The tool waits 50 ms after each of its three reports.
      const ahead = end - reports[0].at;
      check(ahead > 80, 'the reports came with the answer');
      return `the first report came ${Math.round(ahead)} ms before the answer`;
    },

    async elicit() {
      const answer = sessions
        ? await call('test_elicitation', { message: 'Who are you?' })
        : await call('test_input_required_result_elicitation');
      check(said(answer).includes('Ada'), said(answer));
      return said(answer).slice(0, 40);
    },

    async sample() {
      const answer = sessions
        ? await call('test_sampling', { prompt: 'The capital of France?' })
        : await call('test_input_required_result_sampling');
      check(said(answer).includes('Paris'), said(answer));
    },

    async cancel() {
      const cancelled = async () => Number(said(await call('test_cancelled_calls')));
      const before = await cancelled();
      const controller = new AbortController();
      const waiting = call('test_wait', {}, { signal: controller.signal }).then(() => 'answered', () => 'ended');
      await sleep(300);
      controller.abort('enough');
      check((await waiting) === 'ended', 'the call was answered');
      await until(async () => (await cancelled()) > before, 'the server was not told');
      return 'the server was told';
    },

    async resume() {
      // The server ends the stream of the answer; where there are sessions, the client has to come back for it.
      const answer = await call('test_reconnection');
      check(said(answer) === 'You came back.', said(answer));
    },

    async subscribe() {
      const end = await of.subscribe(watched);
      await until(async () => {
        await call('test_trigger_resource_change');
        return updates > 0;
      }, 'no update came');
      await end();
      return `updates: ${updates}`;
    },

    close: () => of.close(),
  };

  let failed = false;
  for (const [step, run] of Object.entries(steps)) {
    const begun = performance.now();
    const [verdict, told] = await Promise.race([
      run().then((told) => ['pass', told ?? ''], (error) => ['FAIL', String(error?.message ?? error).split('\n')[0]]),
      sleep(2 * patienceMilliseconds, ['FAIL', 'it did not end']),
    ]);
    failed ||= verdict !== 'pass';
    const took = `${Math.round(performance.now() - begun)} ms`;
    console.log(`${verdict}  ${name.padEnd(18)}  ${revision}  ${step.padEnd(9)}  ${took.padStart(8)}  ${told}`.trimEnd());
  }
  process.exit(failed ? 1 : 0);
}
