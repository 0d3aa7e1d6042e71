// Writes the server's `[credential]`, and where the gate says who it is, from what the suite tells of the scenario.
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [config] = process.argv.slice(2);
const scenario = process.env.MCP_CONFORMANCE_SCENARIO;
const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}');

const lines = ['', '[credential]', 'grant = "authorization-code"', 'holder = "shared"'];
if (context.client_id) {
  mkdirSync(join(config, 'secrets'), { mode: 0o700 });
  writeFileSync(join(config, 'secrets', 'client'), context.client_secret, { mode: 0o600 });
  lines.push(`issuer = "${context.issuer}"`, `client = "${context.client_id}"`, 'secret = "file:secrets/client"');
}
appendFileSync(join(config, 'state', 'servers', 'fixture.toml'), `${lines.join('\n')}\n`);

if (scenario === 'auth/basic-cimd') {
  // Nobody can read it there; the suite looks at the name alone.
  const file = join(config, 'portcullis.toml');
  const document = 'client_document = "https://conformance-test.local/client-metadata.json"';
  writeFileSync(file, readFileSync(file, 'utf8').replace('[agents]\n', `[agents]\n${document}\n`));
}
