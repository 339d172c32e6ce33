// Carries messages between stdio and HTTP, and changes none: the conformance suite speaks HTTP alone.
//   node bridge.mjs serve COMMAND...   says {"url":..} on its output, and starts the command for each session that is opened there
//   node bridge.mjs to URL             is a server on stdio, and passes on what it is told to the one at the URL
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';

const [how, ...words] = process.argv.slice(2);
const complain = (error) => process.stderr.write(`bridge: ${error?.message ?? error}\n`);

function pump(from, to, options = () => undefined) {
  from.onmessage = (message) => to.send(message, options(message)).catch(complain);
  from.onerror = complain;
  from.onclose = () => to.close().catch(complain);
}

async function opened(sessions) {
  const server = new StdioClientTransport({ command: words[0], args: words.slice(1), env: process.env, stderr: 'inherit' });
  const client = new StreamableHTTPServerTransport({ sessionIdGenerator: () => randomUUID(), onsessioninitialized: (id) => sessions.set(id, client) });
  // What the server says unasked, or asks, goes where the answer to the last question will.
  const open = new Set();
  pump(client, { close: () => server.close(), send: (message) => {
    if (message.method !== undefined && message.id !== undefined)
      open.add(message.id);
    return server.send(message);
  } });
  pump(server, client, (message) => {
    if (message.method === undefined)
      return void open.delete(message.id);
    return open.size > 0 ? { relatedRequestId: [...open].at(-1) } : undefined;
  });
  await client.start();
  await server.start();
  return client;
}

if (how === 'serve') {
  const sessions = new Map();
  const listener = http.createServer(async (request, response) => {
    try {
      const id = request.headers['mcp-session-id'];
      const body = request.method === 'POST' ? await json(request) : undefined;
      const session = id === undefined && body?.method === 'initialize' ? await opened(sessions) : sessions.get(id);
      if (session === undefined)
        return response.writeHead(id === undefined ? 400 : 404).end();
      return await session.handleRequest(request, response, body);
    } catch (error) {
      complain(error);
      return response.headersSent ? response.end() : response.writeHead(500).end();
    }
  });
  listener.listen(0, '127.0.0.1', () => process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${listener.address().port}/mcp` })}\n`));
  process.stdin.resume().on('end', async () => {
    await Promise.allSettled([...sessions.values()].map((session) => session.close()));
    process.exit(0);
  });
} else if (how === 'to') {
  // What a server asks goes by a stream that the transport opens when it is initialized, and is lost before that: nothing more is sent until it is open.
  let open, held = Promise.resolve();
  const stream = new Promise((resolve) => {
    open = resolve;
  });
  const fetched = async (address, options) => {
    const response = await fetch(address, options);
    if ((options?.method ?? 'GET') === 'GET')
      open();
    return response;
  };
  const client = new StdioServerTransport(), server = new StreamableHTTPClientTransport(new URL(words[0]), { fetch: fetched });
  pump(client, { close: () => server.close(), send: async (message) => {
    const before = held;
    if (message.method === 'notifications/initialized')
      held = before.then(() => Promise.race([stream, sleep(2000)]));
    await before;
    await server.send(message);
  } });
  // It wants the version said in each request after the first; who speaks to it reads that in the answer.
  pump(server, { close: () => process.exit(0), send: (message) => {
    if (message.result?.protocolVersion !== undefined)
      server.setProtocolVersion(message.result.protocolVersion);
    return client.send(message);
  } });
  await server.start();
  await client.start();
  process.stdin.on('end', () => process.exit(0));
} else {
  complain('serve COMMAND..., or to URL');
  process.exit(2);
}
