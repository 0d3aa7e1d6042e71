// Looks through everything that a run left behind (logs, answers that were written down, the gate's database and its receipts)
// for what was secret in it. Only files that are there to hold a secret may: keys, and the bootstrap token.
//
//   sweep.mjs DIRECTORY
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { is, step } from './steps.mjs';

const [directory] = process.argv.slice(2);
const HOLDERS = /(^|\/)(secrets|config\/secrets\/.*|config\/\w+\.token|config\/data\/(admin\.token|\w+\.key)|pictures\/.*|provider\.log)$/;

function* files(within, path = '') {
  for (const name of readdirSync(join(within, path))) {
    const inner = join(path, name);
    if (statSync(join(within, inner)).isDirectory()) yield* files(within, inner);
    else yield inner;
  }
}

await step('nothing that was secret is left anywhere', () => {
  const held = ['secrets', ...readdirSync(join(directory, 'config/secrets')).map((name) => join('config/secrets', name))];
  const secrets = new Set(held.flatMap((file) => readFileSync(join(directory, file), 'utf8').split('\n')).filter(Boolean));
  is(secrets.size > 20, `there was little to look for: ${secrets.size}`);
  const looked = [...files(directory)].filter((file) => !HOLDERS.test(file));
  is(looked.some((file) => file.endsWith('gate.log')) && looked.some((file) => file.includes('journal')), `only ${looked}`);
  for (const file of looked) {
    const content = readFileSync(join(directory, file), 'latin1');
    const found = [...secrets].filter((secret) => content.includes(secret));
    is(found.length === 0, `${file} holds ${found.length} of ${secrets.size} secrets, one begins with ${found[0]?.slice(0, 6)}`);
  }
  console.log(`        ${looked.length} files hold none of ${secrets.size} secrets`);
});
