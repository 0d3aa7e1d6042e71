// People on the admin side, in a real browser: the gate's pages, its API with the browser's cookie, and the command line.
//
//   people.mjs ADMIN_URL ISSUER PROGRAM DIRECTORY
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { is, secret, step } from './steps.mjs';

const [admin, issuer, program, out] = process.argv.slice(2);
const env = { ...process.env, PORTCULLIS_SESSIONS: join(out, 'sessions') };

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const chrome = await chromium.launch({ executablePath, args: ['--no-sandbox'] });

/// Remembers the cookies of a browser and the session of the command line: they must be nowhere else.
async function remember(context) {
  for (const { value } of await context.cookies()) secret(value);
  for (const file of readdirSync(env.PORTCULLIS_SESSIONS)) secret(readFileSync(join(env.PORTCULLIS_SESSIONS, file), 'utf8'));
}

/// A page of a browser of its own.
async function browser() {
  const context = await chrome.newContext();
  return { context, page: await context.newPage() };
}

async function atProvider(page, name) {
  await page.fill('input[name=login]', name);
  await page.fill('input[name=password]', 'any');
  await page.click('button[type=submit]');
}

/// What the API says to the browser's cookie.
async function asks(context, method, path, body, csrf) {
  const headers = { 'content-type': 'application/json', ...(csrf && { 'x-portcullis-csrf': csrf }) };
  const response = await context.request.fetch(`${admin}/api/v1${path}`, { method, headers, data: body });
  return { status: response.status(), ...(await response.json()) };
}

/// Runs a command; `shown` gets what it says until it has what it looks for.
function command(words, look) {
  const child = spawn(program, [...words, '--admin', admin], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  const seen = new Promise((resolve, reject) => {
    const hear = (text) => {
      said += text;
      const found = look?.exec(said);
      if (found) resolve(found);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('exit', (code) => reject(new Error(`it ended with ${code}: ${said}`)));
  });
  // Whoever does not wait for it is not told.
  seen.catch(() => {});
  const ended = new Promise((resolve) => child.on('exit', (code) => resolve({ code, said })));
  return { seen, ended };
}

const ana = await browser();
await step('an administrator signs in, and their writes need what only a page of the gate knows', async () => {
  await ana.page.goto(`${admin}/sign-in`);
  await atProvider(ana.page, 'ana');
  await ana.page.waitForURL(`${admin}/sign-in`);
  const text = await ana.page.textContent('main');
  is(text.includes('You are signed in') && text.includes('viewer, admin'), text);
  const cookie = (await ana.context.cookies()).find(({ name }) => name === 'portcullis-session');
  is(cookie.httpOnly && cookie.sameSite === 'Strict', JSON.stringify({ ...cookie, value: '' }));
  const who = await asks(ana.context, 'GET', '/whoami');
  is(who.name === 'ana' && who.issuer === issuer && who.subject === 'ana' && who.csrf, JSON.stringify(who));
  const halt = { what: 'user', name: 'nobody', reason: 'a test' };
  is((await asks(ana.context, 'POST', '/halts', halt)).error.code === 'csrf-token-missing', 'it was done');
  is((await asks(ana.context, 'POST', '/halts', halt, who.csrf)).status === 200, 'it was not done');
  // A change's receipt is written right after it.
  let halted;
  for (let tries = 0; tries < 100 && !halted; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const { receipts } = await asks(ana.context, 'GET', '/receipts?kind=changed');
    halted = receipts.map(({ record }) => record.event).find(({ what }) => what === 'halt');
  }
  const { actor } = halted;
  is(actor.type === 'signed-in' && actor.name.subject === 'ana' && actor.name.issuer === issuer, JSON.stringify(actor));
  await ana.page.screenshot({ path: join(out, 'pictures', 'people.png') });
});
await step('a page of another site does nothing in their name', async () => {
  const site = createServer((_, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(`<form method="post" action="${admin}/sign-in/out"><input name="csrf" value="x"><button>Win</button></form>`);
  });
  await new Promise((resolve) => site.listen(0, '127.0.0.1', resolve));
  const { page } = { page: await ana.context.newPage() };
  await page.goto(`http://localhost:${site.address().port}/`);
  const [response] = await Promise.all([page.waitForResponse(`${admin}/sign-in/out`), page.click('button')]);
  is(response.status() === 403, `status ${response.status()}`);
  is((await asks(ana.context, 'GET', '/whoami')).name === 'ana', 'they are signed out');
  await page.close();
  site.close();
});
await step('a command line is let in by its person, and out again', async () => {
  const login = command(['login', '--no-browser'], /(http:\/\/\S+\/sign-in\/command-line\S+)/);
  const [, address] = await login.seen;
  await ana.page.goto(address);
  await ana.page.screenshot({ path: join(out, 'pictures', 'command-line.png') });
  await ana.page.click('button[value=allow]');
  await ana.page.waitForURL('http://127.0.0.1:*/signed-in**');
  is((await ana.page.textContent('body')).includes('You are signed in'), await ana.page.textContent('body'));
  const { code, said } = await login.ended;
  is(code === 0, said);
  await remember(ana.context);
  const who = await command(['whoami']).ended;
  is(who.code === 0 && who.said.includes('ana') && who.said.includes('admin'), who.said);
  is((await command(['server', 'list']).ended).said.includes('fixture'), 'it sees no servers');
  is((await command(['logout']).ended).code === 0, 'it is not signed out');
  is((await command(['whoami']).ended).code !== 0, 'it is signed in still');
});
await step('a command line without a browser is signed in from elsewhere', async () => {
  const bob = await browser();
  const login = command(['login', '--device'], /or open\s+(http:\/\/\S+)/);
  const [, address] = await login.seen;
  await bob.page.goto(address);
  await bob.page.click('button[type=submit]');
  await atProvider(bob.page, 'bob');
  const { code, said } = await login.ended;
  is(code === 0 && said.includes('viewer') && !said.includes('admin,'), said);
  await remember(bob.context);
  is((await command(['logout']).ended).code === 0, 'it is not signed out');
  await bob.context.close();
});
await step('who signs out is out, and who signs out at the provider is out here', async () => {
  await ana.page.goto(`${admin}/sign-in`);
  await ana.page.click('form[action="/sign-in/out"] button');
  is((await ana.page.textContent('h1')).includes('signed out'), await ana.page.textContent('main'));
  is((await asks(ana.context, 'GET', '/whoami')).status === 401, 'they are in');
  const carl = await browser();
  await carl.page.goto(`${admin}/sign-in`);
  await atProvider(carl.page, 'carl');
  await carl.page.waitForURL(`${admin}/sign-in`);
  is((await asks(carl.context, 'GET', '/whoami')).name === 'carl', 'he is not in');
  await carl.page.goto(`${issuer}/session/end`);
  await Promise.all([carl.page.waitForNavigation(), carl.page.click('button[name=logout]')]);
  let status = 200;
  for (let tries = 0; tries < 100 && status === 200; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    ({ status } = await asks(carl.context, 'GET', '/whoami'));
  }
  is(status === 401, 'he is in');
});
await chrome.close();
