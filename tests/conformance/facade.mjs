// Runs the suite's `authorization` scenarios, follows the address that it asks a person to open, and judges by its checks.
//
//   facade.mjs ISSUER RESOURCE REVISION OUT PORT
import { spawn } from 'node:child_process';
import { createWriteStream, existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Browser } from '../identity/browser.mjs';

const [issuer, resource, revision, out, port] = process.argv.slice(2);
const suite = 'tests/conformance/node_modules/@modelcontextprotocol/conformance/dist/index.js';
const SCENARIOS = ['authorization-server-metadata-endpoint', 'authorization-code-grant'];

const words = ['authorization', '--url', issuer, '--client-id', 'app', '--resource', resource, '--port', port];
const child = spawn(process.execPath, [suite, ...words, '--spec-version', revision, '-o', join(out, 'checks')]);
const log = createWriteStream(join(out, 'suite.log'));
let said = '';
let asked = false;

// The way from the page to the provider and back, to where the suite waits.
async function signIn(address) {
  const callback = `http://127.0.0.1:${port}/callback`;
  const browser = new Browser();
  const { url } = await browser.signsIn(address, 'ana', callback);
  if (!url.startsWith(callback)) throw new Error(`the sign-in ends at ${url}`);
  await (await fetch(url)).text();
}

function hear(text) {
  log.write(text);
  said += text;
  const [address] = asked ? [] : (said.match(/https?:\/\/\S+\/oauth\/authorize\?\S+(?=\s)/) ?? []);
  if (!address) return;
  asked = true;
  signIn(address).catch((error) => {
    console.error(error);
    child.kill();
  });
}
child.stdout.on('data', hear);
child.stderr.on('data', hear);
const code = await new Promise((resolve) => child.on('exit', resolve));
log.end();

/// Every file of checks below a directory.
function* checks(directory) {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    if (statSync(path).isDirectory()) yield* checks(path);
    else if (name === 'checks.json') yield [path, JSON.parse(readFileSync(path, 'utf8'))];
  }
}

let failed = code !== 0;
const found = existsSync(join(out, 'checks')) ? [...checks(join(out, 'checks'))] : [];
for (const scenario of SCENARIOS) {
  const all = found.filter(([path]) => path.includes(scenario)).flatMap(([, list]) => list);
  const bad = all.filter(({ status }) => status !== 'SUCCESS' && status !== 'INFO');
  const good = all.length > 0 && bad.length === 0;
  failed ||= !good;
  console.log(`${scenario.padEnd(40)}  ${good ? 'pass' : 'FAIL'}  ${all.length - bad.length} of ${all.length}`);
  for (const { status, errorMessage } of bad) console.log(`    ${status.toLowerCase()}: ${errorMessage ?? ''}`);
}
console.log(`${failed ? 'FAILED' : 'passed'}: ${SCENARIOS.length} authorization scenarios; details in ${out}`);
process.exit(failed ? 1 : 0);
