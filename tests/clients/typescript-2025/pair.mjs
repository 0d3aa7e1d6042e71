// The TypeScript SDK as it was in 2025 (`@modelcontextprotocol/sdk`), as a client and as a server of `pairs`.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpServer, ResourceTemplate } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { ElicitRequestSchema, isInitializeRequest } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { elicited, tour } from '../typescript/steps.mjs';

const stepMilliseconds = 50;
const waitMilliseconds = 60_000;

/** What became of each call of `wait`, by its key. */
const waits = new Map();
const text = (text) => ({ content: [{ type: 'text', text }] });

function newServer() {
  const server = new McpServer({ name: 'typescript-2025', version: '1' });
  server.registerTool(
    'add',
    { description: 'Adds two numbers', inputSchema: { a: z.number(), b: z.number() } },
    async ({ a, b }) => text(String(a + b)),
  );
  server.registerTool(
    'count',
    { description: 'Counts slowly, and tells how far it is', inputSchema: { to: z.number() } },
    async ({ to }, { _meta, sendNotification }) => {
      const progressToken = _meta?.progressToken;
      for (let progress = 1; progress <= to; progress += 1) {
        if (progressToken !== undefined) {
          await sendNotification({ method: 'notifications/progress', params: { progressToken, progress, total: to } });
        }
        await sleep(stepMilliseconds);
      }
      return text(`counted to ${to}`);
    },
  );
  server.registerTool('ask', { description: 'Asks the user for a name' }, async () => {
    // As its documentation shows it: not tied to the call, so that it goes out on the session's own stream.
    const { content } = await server.server.elicitInput({
      message: 'Who are you?',
      requestedSchema: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
    });
    return text(`Hello, ${content.name}.`);
  });
  server.registerTool(
    'wait',
    { description: 'Waits until its client takes it back', inputSchema: { key: z.string() } },
    async ({ key }, { signal }) => {
      waits.set(key, 'waiting');
      await sleep(waitMilliseconds, undefined, { signal }).catch(() => waits.set(key, 'cancelled'));
      return text('nobody took it back');
    },
  );
  server.registerTool(
    'cancelled',
    { description: 'Says what became of a call of wait', inputSchema: { key: z.string() } },
    async ({ key }) => text(waits.get(key) ?? 'unknown'),
  );
  const greeting = (uri) => ({ contents: [{ uri: uri.href, mimeType: 'text/plain', text: 'Hello.' }] });
  server.registerResource('greeting', 'pairs://greeting', { mimeType: 'text/plain' }, greeting);
  server.registerResource('square', new ResourceTemplate('pairs://square/{n}', { list: undefined }), {}, (uri, { n }) => ({
    contents: [{ uri: uri.href, mimeType: 'text/plain', text: String(n ** 2) }],
  }));
  server.registerPrompt('greet', { argsSchema: { name: z.string() } }, ({ name }) => ({
    messages: [{ role: 'user', content: { type: 'text', text: `Say hello to ${name}.` } }],
  }));
  return server;
}

const sessions = new Map();

async function handle(request, response) {
  let body;
  if (request.method === 'POST') {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    body = JSON.parse(Buffer.concat(chunks).toString());
  }
  const id = request.headers['mcp-session-id'];
  let transport = sessions.get(id);
  if (!transport) {
    if (id !== undefined || !isInitializeRequest(body)) {
      response.writeHead(id === undefined ? 400 : 404).end();
      return;
    }
    transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => sessions.set(id, transport),
      onsessionclosed: (id) => sessions.delete(id),
    });
    await newServer().connect(transport);
  }
  await transport.handleRequest(request, response, body);
}

function serve() {
  const listener = createServer(handle);
  listener.listen(0, '127.0.0.1', () => console.log(`ready: http://127.0.0.1:${listener.address().port}/mcp`));
}

async function take(url, tokenFile) {
  const client = new Client({ name: 'typescript-2025', version: '1' }, { capabilities: { elicitation: {} } });
  client.setRequestHandler(ElicitRequestSchema, elicited);
  const headers = { Authorization: `Bearer ${readFileSync(tokenFile, 'utf8').trim()}` };
  const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } });
  await tour(client, {
    async connect() {
      await client.connect(transport);
      return transport.protocolVersion;
    },
    call: (params, options) => client.callTool(params, undefined, options),
    async close() {
      await transport.terminateSession();
      await client.close();
    },
  });
}

const [command, ...operands] = process.argv.slice(2);
if (command === 'serve') serve();
else if (command === 'tour' && operands.length === 2) await take(...operands);
else {
  console.error('usage: node pair.mjs serve | tour URL TOKEN_FILE');
  process.exit(2);
}
