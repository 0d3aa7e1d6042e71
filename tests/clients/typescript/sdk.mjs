// The TypeScript SDK, first line (`@modelcontextprotocol/sdk`), as most clients have it: 2025-11-25 only. At an endpoint's
// `/sse` it uses the transport of 2024-11-05: one event stream, and messages posted beside it.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
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
const old = endpoint.pathname.endsWith('/sse');
const transport = old ? new SSEClientTransport(endpoint, options) : new StreamableHTTPClientTransport(endpoint, options);

await tour(old ? 'typescript sdk, sse' : 'typescript sdk', client, {
  async connect() {
    await client.connect(transport);
    return old ? transport._protocolVersion : transport.protocolVersion;
  },
  call: (params, requestOptions) => client.callTool(params, undefined, requestOptions),
  async subscribe(uri) {
    await client.subscribeResource({ uri });
    return () => client.unsubscribeResource({ uri });
  },
  async close() {
    if (!old) await transport.terminateSession();
    await client.close();
  },
});
