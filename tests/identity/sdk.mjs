// The TypeScript SDKs signing in as they are: from a refused request to a call in a person's name, by themselves but for the
// browser. Both lines of the SDK, each with tokens that it refreshes by itself.
//
//   sdk.mjs GATE_URL
import * as newest from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Browser } from './browser.mjs';
import { is, step } from './steps.mjs';

const [gate] = process.argv.slice(2);
const endpoint = new URL(`${gate}/suite/mcp`);
const redirect = 'http://127.0.0.1:9/callback';

/// What an application keeps of a sign-in: it was registered as `app`, and remembers.
class Application {
  kept = {};
  redirectUrl = redirect;
  clientMetadata = { client_name: 'App', redirect_uris: [redirect], token_endpoint_auth_method: 'none' };
  clientInformation = () => ({ client_id: 'app' });
  state = () => 'application';
  tokens = () => this.kept.tokens;
  saveTokens = (tokens) => void (this.kept.tokens = tokens);
  redirectToAuthorization = (url) => void (this.kept.leadsTo = url.href);
  saveCodeVerifier = (verifier) => void (this.kept.verifier = verifier);
  codeVerifier = () => this.kept.verifier;
  saveDiscoveryState = (state) => void (this.kept.discovered = state);
  discoveryState = () => this.kept.discovered;
}

for (const [name, client, transport] of [
  [
    'client of 2026-07-28',
    () => new newest.Client({ name: 'app', version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } }),
    (authProvider) => new newest.StreamableHTTPClientTransport(endpoint, { authProvider }),
  ],
  [
    'client of 2025-11-25',
    () => new Client({ name: 'app', version: '1' }),
    (authProvider) => new StreamableHTTPClientTransport(endpoint, { authProvider }),
  ],
]) {
  await step(`typescript ${name} signs in, calls and renews its token`, async () => {
    const application = new Application();
    const first = transport(application);
    const refused = await client().connect(first).catch((error) => error);
    is(application.kept.leadsTo, `nobody is asked to sign in: ${refused?.stack}`);
    const back = new URL((await new Browser().signsIn(application.kept.leadsTo, 'ana', redirect)).url).searchParams;
    is(back.get('code') && back.get('state') === 'application', `back came ${back}`);
    await first.finishAuth(back.get('code'), back.get('iss'));
    is(application.kept.tokens?.access_token, 'there is no token');

    const signedIn = client();
    await signedIn.connect(transport(application));
    const { tools } = await signedIn.listTools();
    is(tools.length > 0, 'it sees no tools');
    await signedIn.callTool({ name: 'test_simple_text', arguments: {} });

    // What is left of a token that ended: the SDK renews it by itself, without its person.
    const before = application.kept.tokens;
    application.kept.tokens = { ...before, access_token: 'over' };
    delete application.kept.leadsTo;
    const renewed = client();
    await renewed.connect(transport(application));
    is((await renewed.listTools()).tools.length > 0, 'it sees no tools any more');
    is(application.kept.tokens.refresh_token !== before.refresh_token, 'its token was not renewed');
    is(!application.kept.leadsTo, 'its person was asked again');
    await Promise.all([signedIn.close(), renewed.close()]);
  });
}
