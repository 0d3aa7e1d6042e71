// The table of `pairs`: what became of each step in each pair, and whether that is what can be.
//
// `node pairs.mjs DIRECTORY [--write]` reads the lines that the clients left in the directory.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const [directory, write] = process.argv.slice(2);
const page = 'docs/reference/pairs.md';

const locked = (folder, name) =>
  JSON.parse(readFileSync(`tests/clients/${folder}/package-lock.json`)).packages[`node_modules/${name}`].version;
const pinned = (folder) => /^mcp==(.+)$/m.exec(readFileSync(`tests/clients/${folder}/requirements.txt`))[1];
const resolved = (lock) => /name = "rmcp"\nversion = "(.+)"/.exec(readFileSync(lock))[1];

/**
 * Each release: its name in the table, the newest revision that it speaks, and whether a server can ask in that,
 * and whether its server begins an answer only with the first message of it.
 */
const releases = {
  typescript: {
    name: `TypeScript ${locked('typescript', '@modelcontextprotocol/client')}`,
    package: '`@modelcontextprotocol/client` and `@modelcontextprotocol/server`',
    revision: '2026-07-28',
    asks: true,
    beginsLate: true,
  },
  'typescript-2025': {
    name: `TypeScript ${locked('typescript-2025', '@modelcontextprotocol/sdk')}`,
    package: '`@modelcontextprotocol/sdk`',
    revision: '2025-06-18',
    asks: true,
    beginsLate: true,
  },
  python: { name: `Python ${pinned('python')}`, package: '`mcp`', revision: '2026-07-28', asks: true },
  'python-2025': { name: `Python ${pinned('python-2025')}`, package: '`mcp`', revision: '2025-06-18', asks: true },
  rust: { name: `Rust ${resolved('Cargo.lock')}`, package: '`rmcp`', revision: '2026-07-28', asks: true },
  'rust-2025': {
    name: `Rust ${resolved('tests/clients/rust-2025/Cargo.lock')}`,
    package: '`rmcp`',
    revision: '2025-03-26',
    asks: false,
  },
};

const steps = ['connect', 'list', 'call', 'progress', 'read', 'prompt', 'elicit', 'cancel', 'close'];

/** Whether a client and a server are of different eras, so that they meet over the bridge. */
const crosses = (client, server) =>
  client.revision === newest ? !server.serves.includes(newest) : server.serves.every((revision) => revision === newest);

/** Why a step cannot exist in a pair, and what its client sees then; the order is that of the notes below the table. */
const reasons = [
  {
    told: 'The server is of 2025-03-26, where nobody is asked anything: it has no such tool.',
    seen: /not found/,
    holds: (step, client, server) => step === 'elicit' && !server.asks,
  },
  {
    told: 'The client is of 2025-03-26, which knows no questions: the server hears that it cannot be asked.',
    seen: /./,
    holds: (step, client) => step === 'elicit' && !client.asks,
  },
  {
    told:
      'This client sends nothing while no answer to its last request has begun, and this server begins one only when it ' +
      'has something to say: `wait` cannot be taken back.',
    seen: /did not end/,
    holds: (step, client, server) => step === 'cancel' && client === releases['rust-2025'] && server.beginsLate,
  },
];

const newest = '2026-07-28';

/** The newest revision that a server says it speaks, asked as the gate asks: in the newer way, then in the older one. */
async function spoken(release) {
  const url = /^ready: (.+)$/m.exec(readFileSync(`${directory}/${release}.server.log`, 'utf8'))[1];
  const client = { name: 'pairs', version: '1' };
  const ask = async (method, params, headers) => {
    const common = { Accept: 'application/json, text/event-stream', 'Content-Type': 'application/json' };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    const response = await fetch(url, { method: 'POST', headers: { ...common, ...headers }, body });
    // The answer is the document, or the last event of the stream.
    const text = (await response.text()).trim().split('\n').pop().replace(/^data:/, '');
    return text.trim().startsWith('{') ? JSON.parse(text).result : undefined;
  };
  const prefix = 'io.modelcontextprotocol';
  const _meta = { [`${prefix}/protocolVersion`]: newest, [`${prefix}/clientInfo`]: client, [`${prefix}/clientCapabilities`]: {} };
  const headers = { 'MCP-Protocol-Version': newest, 'Mcp-Method': 'server/discover' };
  const discovered = await ask('server/discover', { _meta }, headers);
  if (discovered) return discovered.supportedVersions;
  return [(await ask('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: client })).protocolVersion];
}

/** What a pair's client said of a step, and whether that is right. */
function judged(step, lines, client, server) {
  const [, verdict, told] = lines.find(([name]) => name === step) ?? [step, 'FAIL', 'the client said nothing'];
  const reason = reasons.findIndex(({ holds }) => holds(step, client, server));
  if (reason >= 0) {
    const right = verdict === 'FAIL' && reasons[reason].seen.test(told);
    return right ? { cell: `n/a ${reason + 1}` } : { cell: 'FAIL', told: `it should not exist: ${verdict} ${told}` };
  }
  if (verdict !== 'ok') return { cell: 'FAIL', told };
  // The gate serves every revision, whatever the server speaks.
  if (step === 'connect' && told !== client.revision) return { cell: 'FAIL', told: `it is ${told}` };
  return { cell: 'ok' };
}

for (const [key, release] of Object.entries(releases)) release.serves = await spoken(key);

const rows = [];
const failures = [];
for (const [clientKey, client] of Object.entries(releases)) {
  for (const [serverKey, server] of Object.entries(releases)) {
    const file = `${directory}/${clientKey}.${serverKey}.txt`;
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n').map((line) => line.split('\t'));
    const results = steps.map((step) => ({ step, ...judged(step, lines, client, server) }));
    rows.push([client.name, server.name, crosses(client, server) ? 'yes' : 'no', ...results.map(({ cell }) => cell)]);
    for (const { step, cell, told } of results) {
      if (cell === 'FAIL') failures.push(`${client.name} at ${server.name}: ${step}: ${told}`);
    }
  }
}

const titles = ['client', 'server', 'bridged', ...steps];
const table = [titles, titles.map(() => '--'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
const widths = titles.map((title, column) => Math.max(...[title, ...rows.map((row) => row[column])].map((cell) => cell.length)));
for (const cells of [titles, ...rows]) console.log(cells.map((cell, column) => cell.padEnd(widths[column])).join('  ').trimEnd());
reasons.forEach(({ told }, index) => console.log(`n/a ${index + 1}: ${told}`));

const document = `<!-- Generated by \`tests/clients/pairs --write\` -->

# Pairs

Clients and servers written with the newest release, and with one of 2025, of three SDKs: every client at every server,
through one gate. \`tests/clients/pairs\` takes each client through each step, and fails when this page is not what it sees.

| release | package | as a client | as a server |
|--|--|--|--|
${Object.values(releases)
  .map(({ name, package: from, revision, serves }) => `| ${name} | ${from} | ${revision} | ${[...serves].sort().reverse().join(', ')} |`)
  .join('\n')}

As a client: the revision that it agrees on with the gate. As a server: the revisions that it lists, or, where there is no
list yet, the one that it answers with. A client and a server of different eras meet over [the bridge](bridging.md).

${table.join('\n')}

${reasons.map(({ told }, index) => `- **n/a ${index + 1}**: ${told}`).join('\n')}
`;
if (write === '--write' && failures.length === 0) writeFileSync(page, document);
else if (!existsSync(page) || readFileSync(page, 'utf8') !== document) failures.push(`${page} is not what this run saw`);
for (const failure of failures) console.error(failure);
process.exit(failures.length === 0 ? 0 : 1);
