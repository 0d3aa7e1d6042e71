// A real identity provider (`oidc-provider`) with sign-in pages of its own, for one gate: anybody may sign in, by any name.
// Who is asked for `mfa` types a code, too.
//
//   provider.mjs GATE_URL ADMIN_URL CLIENT_SECRET    prints `ready: ISSUER`
//
// `POST /forget/NAME` makes it know somebody no more, as a directory does when people leave.
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import Provider, { interactionPolicy } from 'oidc-provider';

const [gate, admin, secret] = process.argv.slice(2);
const forgotten = new Set();
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';

const server = createServer();
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

/// Whether a second factor was asked for.
const asksForMore = ({ acr_values = '' }) => acr_values.split(' ').includes('mfa');
const policy = interactionPolicy.base();
const { Check } = interactionPolicy;
const secondFactor = new Check('second_factor', 'a second factor is asked for', ({ oidc }) =>
  asksForMore(oidc.params) && oidc.acr !== 'mfa' ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT,
);
policy.get('login').checks.add(secondFactor);

const client = (client_id, base, callback, logout, grants) => ({
  client_id,
  client_secret: secret,
  redirect_uris: [`${base}${callback}`],
  grant_types: ['authorization_code', 'refresh_token', ...grants],
  response_types: ['code'],
  token_endpoint_auth_method: 'client_secret_basic',
  backchannel_logout_uri: `${base}${logout}`,
  backchannel_logout_session_required: true,
});

const provider = new Provider(issuer, {
  clients: [
    client('portcullis', gate, '/oauth/callback', '/oauth/backchannel-logout', []),
    client('portcullis-people', admin, '/sign-in/callback', '/sign-in/backchannel-logout', [DEVICE]),
  ],
  acrValues: ['password', 'mfa'],
  claims: { openid: ['sub', 'preferred_username', 'groups'], acr: null, amr: null, auth_time: null, sid: null },
  // The gate asks for claims in the ID token, as most providers put them there.
  conformIdTokenClaims: false,
  cookies: { keys: ['only for tests'] },
  features: { backchannelLogout: { enabled: true }, devInteractions: { enabled: false }, deviceFlow: { enabled: true } },
  // Without its own guard against loopback: the gate that it tells of departures is there.
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  findAccount: (_, sub) =>
    forgotten.has(sub)
      ? undefined
      : { accountId: sub, claims: () => ({ sub, preferred_username: sub, groups: sub === 'ana' ? ['staff', 'platform'] : ['staff'] }) },
  interactions: { policy, url: (_, interaction) => `/interaction/${interaction.uid}` },
  issueRefreshToken: (_, client) => client.grantTypeAllowed('refresh_token'),
  // Both are the enterprise's own: nobody is asked whether they may know who signed in.
  async loadExistingGrant({ oidc }) {
    const { client, session } = oidc;
    const known = session.grantIdFor(client.clientId);
    if (known) return oidc.provider.Grant.find(known);
    const grant = new oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope('openid offline_access');
    grant.addOIDCClaims(['sub', 'preferred_username', 'groups', 'acr', 'amr', 'auth_time', 'sid']);
    await grant.save();
    return grant;
  },
  ttl: {
    AccessToken: 60, AuthorizationCode: 60, DeviceCode: 300, Grant: 3600, IdToken: 300, Interaction: 600, RefreshToken: 3600, Session: 3600,
  },
});
provider.on('server_error', (_, error) => console.error('server_error', error));
provider.on('backchannel.error', (_, error) => console.error('backchannel.error', error.cause ?? error));

const page = (form) => `<!doctype html><title>Sign in</title><form method="post" autocomplete="off">
<input type="hidden" name="prompt" value="login">${form}<button type="submit">Sign in</button></form>`;

/// The pages on which people say who they are.
async function interact(request, response) {
  const { params } = await provider.interactionDetails(request, response);
  const more = asksForMore(params);
  if (request.method !== 'POST') {
    const factor = more ? '<input name="factor" placeholder="Code">' : '';
    response.setHeader('content-type', 'text/html; charset=utf-8');
    return response.end(page(`<input name="login"><input name="password" type="password">${factor}`));
  }
  const form = new URLSearchParams(await text(request));
  const mfa = more && form.get('factor');
  const login = { accountId: form.get('login'), acr: mfa ? 'mfa' : 'password', amr: mfa ? ['pwd', 'otp'] : ['pwd'] };
  return provider.interactionFinished(request, response, { login }, { mergeWithLastSubmission: false });
}

const answer = provider.callback();
server.on('request', (request, response) => {
  if (request.url.startsWith('/interaction/')) {
    return interact(request, response).catch((error) => {
      console.error('interaction', error);
      response.writeHead(500).end();
    });
  }
  const [, name] = (request.method === 'POST' && request.url.match(/^\/forget\/(\w+)$/)) || [];
  if (!name) return answer(request, response);
  forgotten.add(name);
  response.writeHead(204).end();
});
console.log(`ready: ${issuer}`);
