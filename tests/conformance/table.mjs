// Reads what the suite left in OUT of one side's scenarios and prints one line for each. Exit code 1 if a required one is not
// passed; for a client a warning is no pass either, as the suite has it.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const [side, out, suiteStatus = 0, impossibleFile] = process.argv.slice(2);

// Scenarios that cannot exist, with the reason: `name: why`.
const impossible = new Map();
for (const line of impossibleFile ? readFileSync(impossibleFile, 'utf8').split('\n') : []) {
  const entry = /^([\w-]+): (.+)$/.exec(line);
  if (entry) impossible.set(entry[1], entry[2]);
}

const listed = readFileSync(join(out, 'required.txt'), 'utf8').split('\n');
const clientSection = listed.findIndex((line) => line.startsWith('Client scenarios'));
const serverSection = clientSection < 0 ? listed : listed.slice(0, clientSection);
const required = serverSection.flatMap((line) => /^ {2}- (\S+)/.exec(line)?.slice(1) ?? []);

// A scenario's folder is `server-NAME-TIMESTAMP`, or `NAME-TIMESTAMP` of a client's; it stays empty when the scenario broke off.
const results = new Map();
for (const parent of ['', 'auth']) {
  const within = join(out, 'checks', parent);
  for (const folder of existsSync(within) ? readdirSync(within) : []) {
    const name = /^(?:server-)?(.+)-\d{4}-\d\d-\d\dT.*$/.exec(folder)?.[1];
    const file = join(within, folder, 'checks.json');
    if (name) results.set(join(parent, name), existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : []);
  }
}

const width = Math.max(...[...required, ...results.keys()].map((name) => name.length));
let failed = required.length === 0 || suiteStatus > 1;

function row(name, scored) {
  const checks = results.get(name) ?? [];
  const having = (status) => checks.filter((check) => check.status === status);
  const passed = having('SUCCESS').length;
  const failures = having('FAILURE');
  const isBad = failures.length > 0 || (side === 'client' && having('WARNING').length > 0);
  const verdict = isBad ? 'FAIL' : passed > 0 ? 'pass' : 'none';
  if (scored && impossible.has(name)) {
    if (verdict === 'pass') failed = true;
    console.log(`${name.padEnd(width)}  ${verdict === 'pass' ? 'PASS, and was thought impossible' : `cannot be: ${impossible.get(name)}`}`);
    return;
  }
  if (scored && verdict !== 'pass') failed = true;
  console.log(`${name.padEnd(width)}  ${verdict}  ${passed} passed, ${failures.length} failed`);
  for (const check of [...failures, ...having('WARNING')]) {
    if (scored) console.log(`    ${check.status.toLowerCase()}: ${check.id}: ${check.errorMessage ?? ''}`);
  }
}

console.log('Required:');
for (const name of required) row(name, true);
console.log('\nRun, not scored:');
for (const name of [...results.keys()].filter((name) => !required.includes(name)).sort()) row(name, false);
console.log(`\n${failed ? 'FAILED' : 'passed'}: ${required.length} required ${side} scenarios; details in ${out}`);
process.exit(failed ? 1 : 0);
