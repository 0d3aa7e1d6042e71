// Signing in with a real identity provider, step by step, a row for each: pages, consent, codes, tokens, the end of them.
//
//   flow.mjs GATE_URL ISSUER
import { Browser } from './browser.mjs';
import { begin, call, is, step } from './steps.mjs';

const [gate, issuer] = process.argv.slice(2);
const resource = `${gate}/suite/mcp`;
const redirect = 'http://127.0.0.1:9/callback';

async function post(path, form) {
  const response = await fetch(`${gate}${path}`, { method: 'POST', body: new URLSearchParams(form) });
  const text = await response.text();
  return { status: response.status, ...(text.startsWith('{') ? JSON.parse(text) : {}) };
}

async function signIn(browser, name) {
  const { verifier, state, url } = begin(gate, redirect);
  const back = new URL((await browser.signsIn(url, name, redirect)).url).searchParams;
  is(back.get('state') === state && back.get('iss') === gate, `another sign-in came back: ${back}`);
  is(back.get('code'), `no code came back: ${back}`);
  return { verifier, code: back.get('code') };
}

async function tokens(browser, name) {
  const { verifier, code } = await signIn(browser, name);
  const form = { grant_type: 'authorization_code', client_id: 'app', code, redirect_uri: redirect, code_verifier: verifier };
  const got = await post('/oauth/token', form);
  is(got.access_token && got.refresh_token, `no tokens: ${JSON.stringify(got)}`);
  return got;
}

const refresh = ({ refresh_token }) => post('/oauth/token', { grant_type: 'refresh_token', client_id: 'app', refresh_token });
const said = ({ access_token }) => JSON.parse(Buffer.from(access_token.split('.')[1], 'base64url'));

/// The status of a call with a token.
async function calls({ access_token }) {
  const response = await call(gate, access_token, 'tools/list');
  await response.text();
  return response.status;
}

const ana = new Browser();
let held;
await step('a person signs in and the application has tokens', async () => {
  held = await tokens(ana, 'ana');
  const { user, groups, aud, client_id, exp, iat } = said(held);
  is(user === 'ana' && groups.includes('staff'), `for somebody else: ${user} ${groups}`);
  is(aud === resource && client_id === 'app' && exp - iat <= 600, JSON.stringify(said(held)));
});
await step('the token is good at the endpoint', async () => {
  const status = await calls(held);
  is(status === 200, `status ${status}`);
});
await step('one who is signed in already is asked all the same', async () => {
  const page = await ana.go(begin(gate, redirect).url);
  is(page.status === 200 && page.text.includes('name="answer"'), `status ${page.status}`);
});
await step('a refresh token changes with each use; the one before ends them all', async () => {
  const next = await refresh(held);
  is(next.access_token && next.refresh_token !== held.refresh_token, JSON.stringify(next));
  is((await refresh(held)).error === 'invalid_grant', 'the token before is good again');
  is((await refresh(next)).error === 'invalid_grant', 'the family goes on');
  is((await calls(next)) === 401, 'its access token goes on');
});
await step('a token that is given back is over at once', async () => {
  const got = await tokens(ana, 'ana');
  is((await calls(got)) === 200, 'it is not good');
  is((await post('/oauth/revoke', { client_id: 'app', token: got.refresh_token })).status === 200, 'it is not taken back');
  is((await calls(got)) === 401, 'its access token goes on');
});
await step('a device without a browser gets its tokens', async () => {
  const device = await post('/oauth/device_authorization', { client_id: 'app', resource });
  const grant_type = 'urn:ietf:params:oauth:grant-type:device_code';
  const poll = () => post('/oauth/token', { grant_type, client_id: 'app', device_code: device.device_code });
  is((await poll()).error === 'authorization_pending', 'nobody decided yet');
  let page = await ana.send(await ana.go(device.verification_uri), { user_code: device.user_code });
  page = await ana.send(page, { answer: 'allow' });
  page = await ana.atProvider(await ana.onward(page), 'ana');
  is(page.status === 200, `the page says ${page.status}`);
  let got;
  for (let tries = 0; tries < 30 && !got?.access_token; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    got = await poll();
  }
  is((await calls(got)) === 200, JSON.stringify(got));
});
await step('who signs out at the provider is signed out here', async () => {
  const bob = new Browser();
  const [his, hers] = [await tokens(bob, 'bob'), await tokens(ana, 'ana')];
  await bob.send(await bob.go(`${issuer}/session/end`), { logout: 'yes' });
  for (let tries = 0; tries < 100 && (await calls(his)) === 200; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  is((await calls(his)) === 401, 'his token goes on');
  is((await refresh(his)).error === 'invalid_grant', 'his refresh token goes on');
  is((await calls(hers)) === 200, 'hers does not');
});
await step('whom the provider knows no more gets no further token', async () => {
  const carl = await tokens(new Browser(), 'carl');
  is((await refresh(carl)).access_token, 'he is known');
  const dora = await tokens(new Browser(), 'dora');
  await fetch(`${issuer}/forget/dora`, { method: 'POST' });
  is((await refresh(dora)).error === 'invalid_grant', 'she still is');
});
