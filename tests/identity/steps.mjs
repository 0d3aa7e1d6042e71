// What the scripts beside this share: a row for each step, and what an application does to begin a sign-in.
import { createHash, randomBytes } from 'node:crypto';

/// Does a step and prints its row. One that fails fails the script, which goes on.
export async function step(name, work) {
  try {
    await work();
    console.log(`ok      ${name}`);
  } catch (error) {
    process.exitCode = 1;
    console.log(`FAILED  ${name}: ${error.stack}`);
  }
}

export function is(condition, what) {
  if (!condition) throw new Error(what);
}

/// One sign-in at the endpoint `suite` from the application's side.
export function begin(gate, redirect_uri) {
  const verifier = randomBytes(32).toString('base64url');
  const code_challenge = createHash('sha256').update(verifier).digest('base64url');
  const asked = { response_type: 'code', client_id: 'app', redirect_uri, state: randomBytes(8).toString('hex') };
  const query = { ...asked, code_challenge, code_challenge_method: 'S256', resource: `${gate}/suite/mcp` };
  return { verifier, state: asked.state, url: `${gate}/oauth/authorize?${new URLSearchParams(query)}` };
}
