// The TypeScript SDK, second line (`@modelcontextprotocol/client`): both revisions.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { elicited, endpoint, options, revision, sampled, sessions, tour, updated } from './tour.mjs';

const client = new Client(
  { name: 'client-test', version: '1' },
  {
    capabilities: { elicitation: { form: {} }, sampling: {} },
    versionNegotiation: { mode: sessions ? 'legacy' : { pin: revision } },
  },
);
client.setRequestHandler('elicitation/create', elicited);
client.setRequestHandler('sampling/createMessage', sampled);
client.setNotificationHandler('notifications/resources/updated', updated);
const transport = new StreamableHTTPClientTransport(endpoint, options);

await tour('typescript client', client, {
  async connect() {
    await client.connect(transport);
    return client.getNegotiatedProtocolVersion();
  },
  call: (params, requestOptions) => client.callTool(params, requestOptions),
  async subscribe(uri) {
    if (!sessions) {
      const subscription = await client.listen({ resourceSubscriptions: [uri] });
      return () => subscription.close();
    }
    await client.subscribeResource({ uri });
    return () => client.unsubscribeResource({ uri });
  },
  async close() {
    if (sessions) await transport.terminateSession();
    await client.close();
  },
});
