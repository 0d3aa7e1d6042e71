// The tour that clients take at a server of `pairs`, for both releases of the TypeScript SDK: it knows neither.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long a step waits for what must come. */
const patienceMilliseconds = 10_000;
/** How long a step may take as a whole. */
const stepMilliseconds = 20_000;
const retryMilliseconds = 20;

function check(condition, told) {
  if (!condition) throw new Error(told);
}

const said = (result) => result.content?.[0]?.text;

/** What a user answers. */
export const elicited = ({ params }) => ({
  action: 'accept',
  content: Object.fromEntries(Object.keys(params.requestedSchema.properties).map((field) => [field, 'Ada'])),
});

/**
 * Prints a line for each step (its name, `ok` or `FAIL`, and what was seen, between tabs) and ends the process. `of` holds
 * `connect`, which returns the revision that was agreed on, `call`, and `close`.
 */
export async function tour(client, of) {
  const call = (name, args = {}, options = undefined) => of.call({ name, arguments: args }, options);
  const steps = {
    connect: () => of.connect(),

    async list() {
      const names = (await client.listTools()).tools.map(({ name }) => name);
      check(['add', 'ask', 'cancelled', 'count', 'wait'].every((name) => name === 'ask' || names.includes(name)), names);
      const { prompts } = await client.listPrompts();
      check(prompts[0]?.name === 'greet', 'the prompt is missing');
      const { resources } = await client.listResources();
      check(resources[0]?.uri === 'pairs://greeting', 'the resource is missing');
      const { resourceTemplates } = await client.listResourceTemplates();
      check(resourceTemplates[0]?.uriTemplate === 'pairs://square/{n}', 'the template is missing');
      return names.includes('ask') ? 'with ask' : 'without ask';
    },

    async call() {
      const sum = said(await call('add', { a: 2, b: 3 }));
      check(sum === '5', sum);
    },

    async progress() {
      const reports = [];
      let answered = false;
      const onprogress = ({ progress }) => reports.push([progress, answered]);
      const counted = said(await call('count', { to: 3 }, { onprogress }));
      answered = true;
      check(counted === 'counted to 3', counted);
      check(reports.map(([progress]) => progress).join() === '1,2,3', `the reports were ${reports.join(' ')}`);
    },

    async read() {
      const greeting = await client.readResource({ uri: 'pairs://greeting' });
      check(greeting.contents[0].text === 'Hello.', greeting.contents[0].text);
      const square = await client.readResource({ uri: 'pairs://square/7' });
      check(square.contents[0].text === '49', square.contents[0].text);
    },

    async prompt() {
      const { messages } = await client.getPrompt({ name: 'greet', arguments: { name: 'Ada' } });
      check(messages[0].content.text === 'Say hello to Ada.', messages[0].content.text);
    },

    async elicit() {
      const answer = said(await call('ask'));
      check(answer === 'Hello, Ada.', answer);
    },

    async cancel() {
      const key = randomUUID();
      const becomes = async (state) => {
        const begun = performance.now();
        while (said(await call('cancelled', { key })) !== state) {
          check(performance.now() - begun < patienceMilliseconds, `the call did not become ${state}`);
          await sleep(retryMilliseconds);
        }
      };
      const controller = new AbortController();
      const waiting = call('wait', { key }, { signal: controller.signal }).then(said, () => 'ended');
      await becomes('waiting');
      controller.abort('enough');
      check((await waiting) === 'ended', 'the call was answered');
      await becomes('cancelled');
    },

    close: () => of.close(),
  };

  for (const [step, run] of Object.entries(steps)) {
    const [verdict, told] = await Promise.race([
      run().then((told) => ['ok', told ?? ''], (error) => ['FAIL', String(error?.message ?? error).split('\n')[0]]),
      sleep(stepMilliseconds, ['FAIL', 'it did not end']),
    ]);
    console.log([step, verdict, told].join('\t'));
    if (step === 'connect' && verdict !== 'ok') break;
  }
  process.exit(0);
}
