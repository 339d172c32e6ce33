// A server of protocol 2026-07-28, and of 2025-11-25 for who asks for that, on @modelcontextprotocol/server 2.x: for the drivers beside it, and to
// stand behind a gate; `--http` has it serve streamable HTTP at a port of the loopback, which it says as {"url":..}, and `--http ADDRESS CERTIFICATE KEY` at port 443 of that, under TLS. Nothing it says depends on the time or on chance, but what is asked of it under such a name.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { McpServer, ResourceTemplate, acceptedContent, completable, createMcpHandler, createRequestStateCodec, inputRequired, inputResponse } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';

const TASKS = 'io.modelcontextprotocol/tasks';
const NAMES = ['ada', 'alan', 'alonzo', 'barbara', 'grace'];
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const states = createRequestStateCodec({ key: Buffer.alloc(32, 7) });

const text = (...lines) => ({ content: lines.map((line) => ({ type: 'text', text: line })) });
const later = (ms, signal) => new Promise((resolve) => {
  const timer = setTimeout(resolve, ms);
  signal?.addEventListener('abort', () => {
    clearTimeout(timer);
    resolve();
  });
});

function tools(server) {
  const hints = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false };
  server.registerTool('echo', {
    title: 'Echo', description: 'Says what it is told', inputSchema: z.object({ message: z.string() }), annotations: hints,
    icons: [{ src: `data:image/png;base64,${PIXEL}`, mimeType: 'image/png', sizes: ['1x1'] }], _meta: { 'example.org/kind': 'plain' },
  }, ({ message }) => text(message));

  server.registerTool('sum', {
    description: 'Adds numbers', inputSchema: z.object({ numbers: z.array(z.number()).max(100) }), outputSchema: z.object({ sum: z.number(), count: z.number().int() }), annotations: hints,
  }, ({ numbers }) => {
    const structuredContent = { sum: numbers.reduce((a, b) => a + b, 0), count: numbers.length };
    return { ...text(JSON.stringify(structuredContent)), structuredContent };
  });

  server.registerTool('kinds', { description: 'One content block of each kind' }, () => ({
    content: [
      { type: 'text', text: 'plain', annotations: { audience: ['user'], priority: 0.5 } },
      { type: 'image', data: PIXEL, mimeType: 'image/png' },
      { type: 'audio', data: 'UklGRgAAAABXQVZF', mimeType: 'audio/wav' },
      { type: 'resource_link', uri: 'note://motd', name: 'motd', mimeType: 'text/plain' },
      { type: 'resource', resource: { uri: 'note://motd', mimeType: 'text/plain', text: 'good morning\n' } },
    ],
  }));

  server.registerTool('fail', { description: 'Says that it failed', inputSchema: z.object({ how: z.enum(['result', 'throw']) }) }, ({ how }) => {
    if (how === 'throw')
      throw new Error('thrown by the tool');
    return { ...text('did not work'), isError: true };
  });

  server.registerTool('steps', { description: 'Goes step by step, and says how far it is', inputSchema: z.object({ steps: z.number().int().min(1).max(50), ms: z.number().int().min(0).max(60000) }) },
    async ({ steps, ms }, ctx) => {
      const token = ctx.mcpReq._meta?.progressToken;
      for (let step = 1; step <= steps; step++) {
        await later(ms, ctx.mcpReq.signal);
        if (ctx.mcpReq.signal.aborted) {
          process.stderr.write(`steps: cancelled before step ${step}\n`);
          return text('cancelled');
        }
        if (token !== undefined)
          await ctx.mcpReq.notify({ method: 'notifications/progress', params: { progressToken: token, progress: step, total: steps, message: `step ${step}` } });
      }
      await later(30); // what is read at once with the result comes too late for both clients
      return text(`${steps} steps`);
    });

  server.registerTool('confirm', { description: 'Asks before it does a thing', inputSchema: z.object({ what: z.string() }) }, ({ what }, ctx) => {
    const schema = z.object({ yes: z.boolean().describe('Whether it may') });
    const answer = inputResponse(ctx.mcpReq.inputResponses, 'confirm');
    if (answer.kind === 'missing')
      return inputRequired({ inputRequests: { confirm: inputRequired.elicit({ message: `Do ${what}?`, requestedSchema: schema }) } });
    const content = acceptedContent(ctx.mcpReq.inputResponses, 'confirm', schema);
    return text(content?.yes ? `done: ${what}` : `left alone: ${what} (${answer.action ?? 'no'})`);
  });

  // Two rounds, of which the second has two requests; what was answered first is kept by the client, sealed.
  server.registerTool('interview', { description: 'Asks twice, and a model and the roots besides' }, async (ctx) => {
    const sealed = ctx.mcpReq.requestState();
    const state = sealed === undefined ? undefined : (await states.verify(sealed, ctx));
    if (state?.name === undefined) {
      const got = acceptedContent(ctx.mcpReq.inputResponses, 'name', z.object({ name: z.string() }));
      if (got === undefined)
        return inputRequired({ inputRequests: { name: inputRequired.elicit({ message: 'Your name?', requestedSchema: z.object({ name: z.string() }) }) } });
      return inputRequired({
        requestState: await states.mint({ name: got.name }, ctx),
        inputRequests: {
          poem: inputRequired.createMessage({ messages: [{ role: 'user', content: { type: 'text', text: `A line about ${got.name}` } }], maxTokens: 20 }),
          where: inputRequired.listRoots(),
        },
      });
    }
    const poem = ctx.mcpReq.inputResponses?.poem, where = ctx.mcpReq.inputResponses?.where;
    return text(`name: ${state.name}`, `poem: ${poem?.content?.text}`, `roots: ${(where?.roots ?? []).map((root) => root.uri).join(' ')}`);
  });

  server.registerTool('url', { description: 'Sends the person to an address' }, (ctx) => {
    const answer = ctx.mcpReq.inputResponses?.visit;
    return answer === undefined ? inputRequired({ inputRequests: { visit: inputRequired.elicitUrl({ message: 'Please sign', url: 'https://sign.example.org/1', elicitationId: 'sign-1' }) } })
      : text(`went: ${answer.action}`);
  });

  // Only the state goes to and fro: no request in it.
  server.registerTool('again', { description: 'Wants to be asked again', inputSchema: z.object({ times: z.number().int().min(0).max(5) }) }, async ({ times }, ctx) => {
    const sealed = ctx.mcpReq.requestState();
    const done = sealed === undefined ? 0 : (await states.verify(sealed, ctx)).done;
    return done >= times ? text(`asked ${done} times more`) : inputRequired({ requestState: await states.mint({ done: done + 1 }, ctx) });
  });

  server.registerTool('log', { description: 'Writes to the log at each level' }, async (ctx) => {
    for (const level of ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'])
      await ctx.mcpReq.log(level, { said: level }, 'server2');
    return text('logged');
  });

  server.registerTool('stderr', { description: 'Writes to standard error', inputSchema: z.object({ line: z.string() }) }, ({ line }) => {
    process.stderr.write(`${line}\n`);
    return text('written');
  });

  server.registerTool('big', { description: 'Much text', inputSchema: z.object({ bytes: z.number().int().min(0).max(8 << 20) }) }, ({ bytes }) => text('x'.repeat(bytes)));

  server.registerTool('meta', { description: 'What came in _meta', inputSchema: z.object({}) }, (_, ctx) => {
    const { progressToken, ...meta } = ctx.mcpReq._meta ?? {};
    return { ...text(JSON.stringify({ ...meta, token: progressToken !== undefined })), _meta: { 'example.org/back': meta['example.org/there'] ?? null } };
  });

  let grown = 0;
  server.registerTool('grow', { description: 'Takes a tool and a resource more, and changes a note', inputSchema: z.object({}) }, async () => {
    grown++;
    server.registerTool(`grown-${grown}`, { description: 'Was not there before' }, () => text('new'));
    server.registerResource(`grown-${grown}`, `note://grown/${grown}`, { mimeType: 'text/plain' }, (uri) => ({ contents: [{ uri: uri.href, text: 'new' }] }));
    await server.server.sendResourceUpdated({ uri: 'note://motd' });
    return text(`grown ${grown}`);
  });
}

function rest(server) {
  server.registerResource('motd', 'note://motd', { title: 'Of the day', description: 'A note', mimeType: 'text/plain', cacheHint: { ttlMs: 60000, cacheScope: 'public' } },
    (uri) => ({ contents: [{ uri: uri.href, mimeType: 'text/plain', text: 'good morning\n' }] }));
  server.registerResource('pixel', 'note://pixel', { mimeType: 'image/png', size: 70 }, (uri) => ({ contents: [{ uri: uri.href, mimeType: 'image/png', blob: PIXEL }] }));
  server.registerResource('person', new ResourceTemplate('person://{name}', {
    list: () => ({ resources: NAMES.slice(0, 2).map((name) => ({ uri: `person://${name}`, name })) }),
    complete: { name: (value) => NAMES.filter((name) => name.startsWith(value)) },
  }), { description: 'A person', mimeType: 'application/json' },
  (uri, { name }) => ({ contents: [{ uri: uri.href, mimeType: 'application/json', text: JSON.stringify({ name }) }] }));

  server.registerPrompt('hello', { title: 'Hello', description: 'Without arguments' }, () => ({ messages: [{ role: 'user', content: { type: 'text', text: 'Say hello.' } }] }));
  server.registerPrompt('about', {
    description: 'With arguments',
    argsSchema: z.object({ name: completable(z.string().describe('Who'), (value) => NAMES.filter((name) => name.startsWith(value))), tone: z.string().optional() }),
  }, ({ name, tone }) => ({ description: `About ${name}`, messages: [
    { role: 'user', content: { type: 'text', text: `Tell me about ${name}${tone ? `, ${tone}` : ''}.` } },
    { role: 'assistant', content: { type: 'resource', resource: { uri: `person://${name}`, mimeType: 'application/json', text: JSON.stringify({ name }) } } },
  ] }));
  server.registerPrompt('ask', { description: 'Asks first', argsSchema: z.object({}) }, (_, ctx) => {
    const answer = acceptedContent(ctx.mcpReq.inputResponses, 'topic', z.object({ topic: z.string() }));
    return answer === undefined ? inputRequired({ inputRequests: { topic: inputRequired.elicit({ message: 'Of what?', requestedSchema: z.object({ topic: z.string() }) }) } })
      : { messages: [{ role: 'user', content: { type: 'text', text: `Of ${answer.topic}.` } }] };
  });
}

// The tasks of 2026-07-28 are an extension that this package has no code for: tools/call answers with resultType "task", and what belongs to it is
// written here by hand. A task is "working" when it is asked for the first time, and then what its kind says.
function tasks(server) {
  const all = new Map();
  const at = '2026-01-01T00:00:00.000Z';
  const seen = (task) => ({ taskId: task.taskId, createdAt: at, lastUpdatedAt: at, ttlMs: 60000, pollIntervalMs: 20, status: task.status, ...task.more });
  const schema = z.object({ taskId: z.string() }).loose();
  const find = (taskId) => {
    const task = all.get(taskId);
    if (task === undefined)
      throw Object.assign(new Error(`Task not found: ${taskId}`), { code: -32602 });
    return task;
  };

  server.registerTool('job', { description: 'Runs as a task', inputSchema: z.object({ kind: z.enum(['plain', 'asks', 'fails', 'stays']) }) }, ({ kind }, ctx) => {
    const extensions = ctx.mcpReq.envelope?.['io.modelcontextprotocol/clientCapabilities']?.extensions;
    if (extensions?.[TASKS] === undefined)
      return text(`ran at once: ${kind}`);
    const task = { taskId: `task-${all.size + 1}`, kind, status: 'working', asked: 0, more: {} };
    all.set(task.taskId, task);
    return { resultType: 'task', ...seen(task) };
  });
  const { server: low } = server;
  low.setRequestHandler('tasks/get', { params: schema }, ({ taskId }) => {
    const task = find(taskId);
    if (++task.asked > 1 && task.status === 'working') {
      if (task.kind === 'plain')
        Object.assign(task, { status: 'completed', more: { result: { ...text('ran'), resultType: 'complete' } } });
      else if (task.kind === 'fails')
        Object.assign(task, { status: 'failed', more: { error: { code: -32603, message: 'the job broke' } } });
      else if (task.kind === 'asks')
        Object.assign(task, { status: 'input_required', more: { inputRequests: { go: { method: 'elicitation/create', params: { mode: 'form', message: 'Go on?',
          requestedSchema: { type: 'object', properties: { yes: { type: 'boolean' } }, required: ['yes'] } } } } } });
    }
    return seen(task);
  });
  low.setRequestHandler('tasks/update', { params: schema.extend({ inputResponses: z.record(z.string(), z.unknown()).optional() }) }, ({ taskId, inputResponses }, ctx) => {
    const task = find(taskId);
    const go = (inputResponses ?? ctx.mcpReq.inputResponses)?.go;
    if (task.status === 'input_required' && go !== undefined)
      Object.assign(task, { status: 'completed', more: { result: { ...text(`went on: ${go.action} ${JSON.stringify(go.content ?? null)}`), resultType: 'complete' } } });
    return {};
  });
  low.setRequestHandler('tasks/cancel', { params: schema }, ({ taskId }) => {
    const task = find(taskId);
    if (['working', 'input_required'].includes(task.status))
      Object.assign(task, { status: 'cancelled', more: {} });
    return {};
  });
}

const modern = process.argv.includes('--modern'); // refuses those of before
function made({ era }) {
  const server = new McpServer({ name: 'server2', title: 'The second', version: '1.2.3' }, {
    capabilities: { logging: {}, completions: {}, tools: { listChanged: true }, prompts: { listChanged: true }, resources: { listChanged: true, subscribe: true },
      ...(era === 'modern' && { extensions: { [TASKS]: {} } }) },
    instructions: 'Ask for anything.',
    cacheHints: { 'tools/list': { ttlMs: 5000, cacheScope: 'public' } },
  });
  tools(server);
  rest(server);
  if (era === 'modern')
    tasks(server);
  else
    server.server.setRequestHandler('resources/subscribe', () => ({})), server.server.setRequestHandler('resources/unsubscribe', () => ({}));
  return server;
}

const options = { legacy: modern ? 'reject' : 'serve', onerror: (error) => process.stderr.write(`server2: ${error.message}\n`) };

// Node's request as one of fetch, and the answer back; one whose client goes is aborted.
async function answered(handler, request, response) {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const body = ['GET', 'HEAD'].includes(request.method) ? undefined : Readable.toWeb(request);
  const answer = await handler.fetch(new globalThis.Request(`http://${request.headers.host}${request.url}`, { method: request.method, headers: request.headers, body, duplex: 'half', signal: gone.signal }));
  response.writeHead(answer.status, Object.fromEntries(answer.headers)).flushHeaders();
  for await (const piece of answer.body ?? [])
    response.write(piece);
  response.end();
}

const at = process.argv.indexOf('--http');
if (at < 0) {
  serveStdio(made, options);
} else {
  const [address, cert, key] = process.argv.slice(at + 1), handler = createMcpHandler(made, options);
  const serve = (request, response) => answered(handler, request, response).catch(() => response.destroy());
  const server = cert ? https.createServer({ cert: readFileSync(cert), key: readFileSync(key) }, serve) : http.createServer(serve);
  server.listen(cert ? 443 : 0, address ?? '127.0.0.1', () => process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${server.address().port}/mcp` })}\n`));
  process.stdin.resume().on('end', () => process.exit(0));
}
process.stderr.write('server2: here\n');
