// The Rust SDK signing in as it is (`rust/`); the person at the browser is here.
//
//   rmcp.mjs GATE_URL PROGRAM
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Browser } from './browser.mjs';
import { is, step } from './steps.mjs';

const [gate, program] = process.argv.slice(2);
const redirect = 'http://127.0.0.1:9/callback';

await step('rmcp signs in, renews its token and calls', async () => {
  const child = spawn(program, [`${gate}/suite/mcp`, 'app', redirect], { stdio: ['pipe', 'pipe', 'inherit'] });
  const done = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const [, address] = /^open (.*)$/.exec(line) ?? [];
    if (address) child.stdin.end(`${(await new Browser().signsIn(address, 'ana', redirect)).url}\n`);
    else done.push(line);
  }
  is(done.length === 4, `it ended after: ${done.join(', ') || 'nothing'}`);
});
