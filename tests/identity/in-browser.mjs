// Signing in as people do it, in a real browser: the gate's own pages, the provider's, and back to the application. With a
// directory, pictures of every page are put there, as a desk and as a phone show them.
//
//   in-browser.mjs GATE_URL [DIRECTORY]
import { createServer } from 'node:http';
import { chromium } from 'playwright-core';
import { begin, is, step } from './steps.mjs';

const [gate, pictures] = process.argv.slice(2);
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
async function atProvider(name) {
  await page.waitForSelector('input[name=prompt]', { state: 'attached' });
  while (await page.locator('input[name=prompt]').count()) {
    if (await page.locator('input[name=login]').count()) {
      await page.fill('input[name=login]', name);
      await page.fill('input[name=password]', 'any');
    }
    await Promise.all([page.waitForNavigation(), page.click('button[type=submit]')]);
  }
}

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
await step('nothing on the pages is forbidden by their own policy', async () => {
  const own = wrong.filter((text) => !text.includes('403'));
  is(own.length === 0, own.join('\n'));
});
await browser.close();
application.close();
