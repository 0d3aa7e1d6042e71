// An approver, their browser, and an agent: connects the gate's server, approves it, and calls its tool. What the server wants
// in between is agreed to, three times at most; a scenario that is to be refused ends with an error here.
import { execFileSync } from 'node:child_process';

const [program, gate, token, ...which] = process.argv.slice(2);
const CONNECTIONS_MAX = 3;

function cli(...words) {
  console.log('$', ...words);
  const said = execFileSync(program, [...words, ...which], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  console.log(said);
  return said;
}

function tries(...words) {
  try {
    return cli(...words);
  } catch (error) {
    console.log(String(error.stderr ?? error));
    return null;
  }
}

async function opens(what, ...request) {
  const answer = await fetch(...request);
  const text = await answer.text();
  console.log(what, answer.status, text);
  return { answer, text };
}

// The invitation, its form, the authorization server's page, and back.
async function connect() {
  const invitation = cli('server', 'connect', 'fixture').split('\n')[0];
  const page = await opens('invitation', invitation);
  const [, ticket] = /name="ticket" value="([^"]+)"/.exec(page.text);
  const form = { method: 'POST', headers: { origin: gate }, body: new URLSearchParams({ ticket }) };
  const begun = await opens('begin', `${gate}/connect/begin`, form);
  if (begun.answer.status !== 200) return false;
  const cookie = begun.answer.headers.get('set-cookie').split(';')[0];
  const [, link] = /class="yes" rel="noreferrer" href="([^"]+)"/.exec(begun.text);
  const agreed = await opens('agree', link.replaceAll('&amp;', '&'), { redirect: 'manual' });
  const back = agreed.answer.headers.get('location');
  const finished = await opens('finish', back, { headers: { cookie } });
  return finished.answer.status === 200;
}

async function call() {
  const params = {
    name: 'test-tool',
    arguments: {},
    _meta: {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'suite', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
    },
  };
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call',
    'mcp-name': 'test-tool',
  };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
  const { answer, text } = await opens('call', `${gate}/suite/mcp`, { method: 'POST', headers, body });
  return answer.status === 200 && !text.includes('"error"') && !text.includes('"isError":true');
}

for (let connections = 0; connections < CONNECTIONS_MAX; connections += 1) {
  if (!(await connect())) process.exit(1);
  if (tries('server', 'check', 'fixture') === null) continue;
  if (tries('server', 'approve', 'fixture', '--yes') === null) continue;
  if (await call()) process.exit(0);
  // It may have said only now what more it wants.
}
process.exit(1);
