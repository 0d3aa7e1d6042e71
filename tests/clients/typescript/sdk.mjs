// The TypeScript SDK, first line (`@modelcontextprotocol/sdk`), as most clients have it: 2025-11-25 only.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ResourceUpdatedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { elicited, endpoint, options, sampled, tour, updated } from './tour.mjs';

const client = new Client({ name: 'client-test', version: '1' }, { capabilities: { elicitation: {}, sampling: {} } });
client.setRequestHandler(ElicitRequestSchema, elicited);
client.setRequestHandler(CreateMessageRequestSchema, sampled);
client.setNotificationHandler(ResourceUpdatedNotificationSchema, updated);
const transport = new StreamableHTTPClientTransport(endpoint, options);

await tour('typescript sdk', client, {
  async connect() {
    await client.connect(transport);
    return transport.protocolVersion;
  },
  call: (params, requestOptions) => client.callTool(params, undefined, requestOptions),
  async subscribe(uri) {
    await client.subscribeResource({ uri });
    return () => client.unsubscribeResource({ uri });
  },
  async close() {
    await transport.terminateSession();
    await client.close();
  },
});
