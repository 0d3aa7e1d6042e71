// What the scripts beside this share: a row for each step, what an application does to begin a sign-in, and the list of all that
// was secret meanwhile, which `sweep.mjs` looks for where it must not be.
import { createHash, randomBytes } from 'node:crypto';
import { appendFileSync } from 'node:fs';

/// Remembers something secret. What is shorter is a word.
export function secret(text) {
  if (process.env.SECRETS && text?.length >= 20) appendFileSync(process.env.SECRETS, `${text}\n`, { mode: 0o600 });
}

/// Everything that goes by `fetch` is looked at, whoever calls it: what is shown, what is given, and what a browser is sent on with.
const fetched = globalThis.fetch;
globalThis.fetch = async (target, options) => {
  secret(new Headers(options?.headers ?? target?.headers).get('authorization')?.replace(/^\w+ /, ''));
  const response = await fetched(target, options);
  for (const cookie of response.headers.getSetCookie()) secret(cookie.split(';')[0].replace(/^[^=]*=/, ''));
  const onward = response.headers.get('location');
  if (onward) secret(new URL(onward, response.url).searchParams.get('code'));
  if (/\/oauth\/(token|device_authorization)$/.test(response.url)) {
    const given = await response.clone().json().catch(() => ({}));
    for (const name of ['access_token', 'refresh_token', 'device_code']) secret(given[name]);
  }
  return response;
};

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
export function begin(gate, redirect_uri, more = {}) {
  const verifier = randomBytes(32).toString('base64url');
  const code_challenge = createHash('sha256').update(verifier).digest('base64url');
  const asked = { response_type: 'code', client_id: 'app', redirect_uri, state: randomBytes(8).toString('hex') };
  const query = { ...asked, code_challenge, code_challenge_method: 'S256', resource: `${gate}/suite/mcp`, ...more };
  return { verifier, state: asked.state, url: `${gate}/oauth/authorize?${new URLSearchParams(query)}` };
}

/// Calls the endpoint `suite` with a token; gives the answer.
export function call(gate, access_token, method, params = {}) {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': { name: 'app', version: '1' },
  };
  const headers = {
    authorization: `Bearer ${access_token}`,
    accept: 'application/json, text/event-stream',
    'content-type': 'application/json',
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': method,
    ...(params.name && { 'mcp-name': params.name }),
  };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } });
  return fetch(`${gate}/suite/mcp`, { method: 'POST', headers, body });
}
