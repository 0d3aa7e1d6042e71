// A real identity provider (`oidc-provider`) with its own sign-in pages, for one gate: anybody may sign in, by any name.
//
//   provider.mjs GATE_URL CLIENT_SECRET    prints `ready: ISSUER`
//
// `POST /forget/NAME` makes it know somebody no more, as a directory does when people leave.
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const [gate, secret] = process.argv.slice(2);
const forgotten = new Set();

const server = createServer();
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'portcullis',
      client_secret: secret,
      redirect_uris: [`${gate}/oauth/callback`],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
      backchannel_logout_uri: `${gate}/oauth/backchannel-logout`,
      backchannel_logout_session_required: true,
    },
  ],
  acrValues: ['password', 'mfa'],
  claims: { openid: ['sub', 'preferred_username', 'groups'], acr: null, amr: null, auth_time: null, sid: null },
  // The gate asks for claims in the ID token, as most providers put them there.
  conformIdTokenClaims: false,
  cookies: { keys: ['only for tests'] },
  features: { backchannelLogout: { enabled: true } },
  // Without its own guard against loopback: the gate that it tells of departures is there.
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  findAccount: (_, sub) =>
    forgotten.has(sub)
      ? undefined
      : { accountId: sub, claims: () => ({ sub, preferred_username: sub, groups: ['staff'] }) },
  issueRefreshToken: (_, client) => client.grantTypeAllowed('refresh_token'),
  ttl: { AccessToken: 60, AuthorizationCode: 60, Grant: 3600, IdToken: 300, Interaction: 600, RefreshToken: 3600, Session: 3600 },
});
provider.on('server_error', (_, error) => console.error('server_error', error));
provider.on('backchannel.error', (_, error) => console.error('backchannel.error', error.cause ?? error));

const answer = provider.callback();
server.on('request', (request, response) => {
  const [, name] = (request.method === 'POST' && request.url.match(/^\/forget\/(\w+)$/)) || [];
  if (!name) return answer(request, response);
  forgotten.add(name);
  response.writeHead(204).end();
});
console.log(`ready: ${issuer}`);
