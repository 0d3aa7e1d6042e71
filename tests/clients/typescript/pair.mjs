// The newest TypeScript SDK (`@modelcontextprotocol/client` and `@modelcontextprotocol/server`), as a client and as a server
// of `pairs`. The server is of both eras; it keeps sessions with clients of the older one, because it asks its clients.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { NodeStreamableHTTPServerTransport, toNodeHandler, toWebRequest } from '@modelcontextprotocol/node';
import {
  McpServer,
  ResourceTemplate,
  acceptedContent,
  createMcpHandler,
  inputRequired,
  isInitializeRequest,
  isLegacyRequest,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { elicited, tour } from './steps.mjs';

const stepMilliseconds = 50;
const waitMilliseconds = 60_000;

/** What became of each call of `wait`, by its key. */
const waits = new Map();
const text = (text) => ({ content: [{ type: 'text', text }] });

function newServer() {
  const server = new McpServer({ name: 'typescript', version: '1' });
  server.registerTool(
    'add',
    { description: 'Adds two numbers', inputSchema: z.object({ a: z.number(), b: z.number() }) },
    async ({ a, b }) => text(String(a + b)),
  );
  server.registerTool(
    'count',
    { description: 'Counts slowly, and tells how far it is', inputSchema: z.object({ to: z.number() }) },
    async ({ to }, { mcpReq }) => {
      const progressToken = mcpReq._meta?.progressToken;
      for (let progress = 1; progress <= to; progress += 1) {
        if (progressToken !== undefined) {
          await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: to } });
        }
        await sleep(stepMilliseconds);
      }
      return text(`counted to ${to}`);
    },
  );
  const question = z.object({ name: z.string() });
  server.registerTool('ask', { description: 'Asks the user for a name' }, async ({ mcpReq }) => {
    const answer = acceptedContent(mcpReq.inputResponses, 'name', question);
    if (answer) return text(`Hello, ${answer.name}.`);
    const name = inputRequired.elicit({ message: 'Who are you?', requestedSchema: question });
    return inputRequired({ inputRequests: { name } });
  });
  server.registerTool(
    'wait',
    { description: 'Waits until its client takes it back', inputSchema: z.object({ key: z.string() }) },
    async ({ key }, { mcpReq }) => {
      waits.set(key, 'waiting');
      await sleep(waitMilliseconds, undefined, { signal: mcpReq.signal }).catch(() => waits.set(key, 'cancelled'));
      return text('nobody took it back');
    },
  );
  server.registerTool(
    'cancelled',
    { description: 'Says what became of a call of wait', inputSchema: z.object({ key: z.string() }) },
    async ({ key }) => text(waits.get(key) ?? 'unknown'),
  );
  const greeting = (uri) => ({ contents: [{ uri: uri.href, mimeType: 'text/plain', text: 'Hello.' }] });
  server.registerResource('greeting', 'pairs://greeting', { mimeType: 'text/plain' }, greeting);
  server.registerResource('square', new ResourceTemplate('pairs://square/{n}', { list: undefined }), {}, (uri, { n }) => ({
    contents: [{ uri: uri.href, mimeType: 'text/plain', text: String(n ** 2) }],
  }));
  server.registerPrompt('greet', { argsSchema: z.object({ name: z.string() }) }, ({ name }) => ({
    messages: [{ role: 'user', content: { type: 'text', text: `Say hello to ${name}.` } }],
  }));
  return server;
}

const sessions = new Map();

/** A session of the older era, in the transport that keeps it. */
async function handleSession(request, response, body) {
  const id = request.headers['mcp-session-id'];
  let transport = sessions.get(id);
  if (!transport) {
    if (id !== undefined || !isInitializeRequest(body)) {
      response.writeHead(id === undefined ? 400 : 404).end();
      return;
    }
    transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => sessions.set(id, transport),
      onsessionclosed: (id) => sessions.delete(id),
    });
    await newServer().connect(transport);
  }
  await transport.handleRequest(request, response, body);
}

async function parsed(request) {
  if (request.method !== 'POST') return undefined;
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString());
}

function serve() {
  const modern = toNodeHandler(createMcpHandler(newServer, { legacy: 'reject' }));
  const listener = createServer(async (request, response) => {
    const body = await parsed(request);
    const isLegacy = await isLegacyRequest(await toWebRequest(request, body), body);
    await (isLegacy ? handleSession : modern)(request, response, body);
  });
  listener.listen(0, '127.0.0.1', () => console.log(`ready: http://127.0.0.1:${listener.address().port}/mcp`));
}

async function take(url, tokenFile) {
  const client = new Client(
    { name: 'typescript', version: '1' },
    { capabilities: { elicitation: { form: {} } }, versionNegotiation: { mode: 'auto' } },
  );
  client.setRequestHandler('elicitation/create', elicited);
  const headers = { Authorization: `Bearer ${readFileSync(tokenFile, 'utf8').trim()}` };
  const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } });
  await tour(client, {
    async connect() {
      await client.connect(transport);
      return client.getNegotiatedProtocolVersion();
    },
    call: (params, options) => client.callTool(params, options),
    close: () => client.close(),
  });
}

const [command, ...operands] = process.argv.slice(2);
if (command === 'serve') serve();
else if (command === 'tour' && operands.length === 2) await take(...operands);
else {
  console.error('usage: node pair.mjs serve | tour URL TOKEN_FILE');
  process.exit(2);
}
