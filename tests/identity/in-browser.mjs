// Signing in as people do it, in a real browser: the gate's own pages, the provider's, and back to the application; with a second
// factor where a call asks for one; and out again. With a directory, pictures of every page are put there, as a desk and as a
// phone show them.
//
//   in-browser.mjs GATE_URL ISSUER [DIRECTORY]
import { createServer } from 'node:http';
import { chromium } from 'playwright-core';
import { begin, call, is, secret, step } from './steps.mjs';

const [gate, issuer, pictures] = process.argv.slice(2);
const resource = `${gate}/suite/mcp`;

/// The application, where browsers come back to.
const arrived = [];
const application = createServer((request, response) => {
  if (request.url.startsWith('/callback')) arrived.push(new URL(request.url, 'http://127.0.0.1').searchParams);
  response.end('Back in the application.');
});
await new Promise((resolve) => application.listen(0, '127.0.0.1', resolve));
const redirect_uri = `http://127.0.0.1:${application.address().port}/callback`;

async function post(path, form) {
  const response = await fetch(`${gate}${path}`, { method: 'POST', body: new URLSearchParams(form) });
  return response.json();
}

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
const context = await browser.newContext();
const page = await context.newPage();
const wrong = [];
page.on('console', (message) => {
  // A page whose style or form its own policy forbids says so here.
  if (page.url().startsWith(gate) && message.type() === 'error') wrong.push(message.text());
});

async function picture(name) {
  if (!pictures) return;
  for (const [size, width, height] of [['desk', 1200, 800], ['phone', 375, 667]]) {
    await page.setViewportSize({ width, height });
    await page.screenshot({ path: `${pictures}/${name}-${size}.png` });
  }
}

/// Answers the provider's pages until they end.
async function atProvider(name, factor) {
  await page.waitForSelector('input[name=prompt]', { state: 'attached' });
  while (await page.locator('input[name=prompt]').count()) {
    await page.fill('input[name=login]', name);
    await page.fill('input[name=password]', 'any');
    if (factor) await page.fill('input[name=factor]', factor);
    await Promise.all([page.waitForNavigation(), page.click('button[type=submit]')]);
  }
}

/// A sign-in from the application's page to its tokens. At the provider they may be signed in already.
async function signsIn(name, more, factor) {
  const { verifier, state, url } = begin(gate, redirect_uri, more);
  await page.goto(url);
  await page.click('button[value=allow]');
  await page.waitForURL((at) => at.href.startsWith(`${issuer}/interaction/`) || at.href.startsWith(redirect_uri));
  if (page.url().startsWith(issuer)) await atProvider(name, factor);
  await page.waitForURL(`${redirect_uri}**`);
  const back = arrived.at(-1);
  is(back.get('iss') === gate && back.get('state') === state && back.get('code'), `back came ${back}`);
  const form = { grant_type: 'authorization_code', client_id: 'app', redirect_uri, code_verifier: verifier };
  const tokens = await post('/oauth/token', { ...form, code: back.get('code') });
  is(tokens.access_token && tokens.refresh_token, JSON.stringify(tokens));
  return tokens;
}

const refresh = ({ refresh_token }) => post('/oauth/token', { grant_type: 'refresh_token', client_id: 'app', refresh_token });
const lists = async ({ access_token }) => (await call(gate, access_token, 'tools/list')).status;

await step('a person reads who asks, says yes, signs in and is back in the application', async () => {
  const { verifier, state, url } = begin(gate, redirect_uri);
  await page.goto(url);
  const text = await page.textContent('main');
  is(text.includes('app') && text.includes('suite') && text.includes(redirect_uri), `the page says: ${text}`);
  is(await page.evaluate(() => getComputedStyle(document.querySelector('main')).borderRadius !== '0px'), 'no style');
  await picture('consent');
  await page.click('button[value=allow]');
  await atProvider('ana');
  await page.waitForURL(`${redirect_uri}**`);
  const back = arrived.at(-1);
  is(back.get('iss') === gate && back.get('state') === state, `back came ${back}`);
  const form = { grant_type: 'authorization_code', client_id: 'app', redirect_uri, code_verifier: verifier };
  const tokens = await post('/oauth/token', { ...form, code: back.get('code') });
  is(tokens.access_token, JSON.stringify(tokens));
});
await step('who is signed in at the provider is asked by the gate all the same, and can say no', async () => {
  await page.goto(begin(gate, redirect_uri).url);
  await page.click('button[value=deny]');
  await page.waitForURL(`${redirect_uri}**`);
  is(arrived.at(-1).get('error') === 'access_denied', `back came ${arrived.at(-1)}`);
});
await step('a page in a frame of another site shows nothing', async () => {
  const { url } = begin(gate, redirect_uri);
  await page.goto(redirect_uri);
  await page.setContent(`<iframe src="${url.replaceAll('&', '&amp;')}"></iframe>`);
  await page.waitForTimeout(500);
  const inside = page.frames().find((frame) => frame !== page.mainFrame());
  is(!(await inside.content()).includes('act for you'), 'the consent page is in a frame');
});
await step('a form of another site is refused', async () => {
  await page.goto(begin(gate, redirect_uri).url);
  const sealed = await page.inputValue('input[name=request]');
  await page.goto(redirect_uri.replace('127.0.0.1', 'localhost'));
  await page.setContent(`<form method="post" action="${gate}/oauth/consent"><input name="request" value="${sealed}">
    <input name="answer" value="allow"><button>Win a prize</button></form>`);
  const [response] = await Promise.all([page.waitForResponse(`${gate}/oauth/consent`), page.click('button')]);
  is(response.status() === 403, `status ${response.status()}`);
  await page.waitForLoadState();
  await picture('refused');
});
await step('a device is signed in on a phone', async () => {
  const device = await post('/oauth/device_authorization', { client_id: 'app', resource });
  await page.goto(device.verification_uri);
  await picture('device');
  await page.fill('input[name=user_code]', device.user_code.toLowerCase());
  await page.click('button');
  await page.waitForSelector('button[value=allow]');
  await picture('device-consent');
  await page.click('button[value=allow]');
  await page.waitForURL(`${gate}/oauth/callback**`);
  is((await page.textContent('h1')).includes('signed in'), await page.textContent('main'));
  await picture('done');
});
await step('a call that asks for a second factor goes on once the person has shown one', async () => {
  const picture = (token) => call(gate, token.access_token, 'tools/call', { name: 'test_image_content', arguments: {} });
  const plain = await signsIn('ana');
  is((await lists(plain)) === 200, 'the token is not good');
  const refused = await picture(plain);
  const challenge = refused.headers.get('www-authenticate') ?? '';
  is(refused.status === 401 && challenge.includes('error="insufficient_user_authentication"'), `${refused.status} ${challenge}`);
  const [, acr_values] = /acr_values="([^"]+)"/.exec(challenge) ?? [];
  is(acr_values === 'mfa', challenge);
  const stronger = await signsIn('ana', { acr_values }, '123456');
  const gone = await picture(stronger);
  const text = await gone.text();
  is(gone.status === 200 && text.includes('"image"'), `${gone.status} ${text.slice(0, 300)}`);
  is((await picture(plain)).status === 401, 'the weaker token is good for it now');
  const renewed = await refresh(stronger);
  is((await picture(renewed)).status === 200, 'it is gone with the renewal');
});
await step('a token that is renewed, given back, and over when its person signs out', async () => {
  const first = await signsIn('ana');
  const renewed = await refresh(first);
  is(renewed.refresh_token !== first.refresh_token && (await lists(renewed)) === 200, JSON.stringify(renewed));
  await fetch(`${gate}/oauth/revoke`, {
    method: 'POST',
    body: new URLSearchParams({ client_id: 'app', token: renewed.refresh_token }),
  });
  is((await lists(renewed)) === 401, 'what was given back goes on');
  const last = await signsIn('ana');
  await page.goto(`${issuer}/session/end`);
  await Promise.all([page.waitForNavigation(), page.click('button[name=logout]')]);
  for (let tries = 0; tries < 100 && (await lists(last)) === 200; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  is((await lists(last)) === 401, 'the token outlives the sign-out');
  is((await refresh(last)).error === 'invalid_grant', 'the refresh token outlives it');
});
await step('nothing on the pages is forbidden by their own policy', async () => {
  const own = wrong.filter((text) => !text.includes('403'));
  is(own.length === 0, own.join('\n'));
});
for (const { value } of await context.cookies()) secret(value);
for (const back of arrived) secret(back.get('code'));
await browser.close();
application.close();
