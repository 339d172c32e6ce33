// A driver for @modelcontextprotocol/client 2.x; see driver.mjs, and mcp_peers.py, which speaks to it.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { createTaskSessionFromClient } from '@modelcontextprotocol/ext-tasks/client';
import { Seen, drive, options, params } from './driver.mjs';

const ALL = { elicitation: { form: {}, url: {} }, sampling: {}, roots: { listChanged: true } };
const TASKS = 'io.modelcontextprotocol/tasks';
const INFO = { name: 'client2', version: '1.0.0' };

let client, transport, seen, capabilities;
const subscriptions = new Map(), waiting = new Map();

// The client knows no result of type "task": what has to do with tasks passes by it, with ids that it has not.
function rawly() {
  const inner = transport.onmessage;
  transport.onmessage = (message, extra) => {
    const resolve = waiting.get(message.id);
    if (resolve === undefined || message.method !== undefined)
      return inner(message, extra);
    waiting.delete(message.id);
    return resolve(message);
  };
}

let count = 0;
const raw = (request) => new Promise((resolve, reject) => {
  const id = `raw:${++count}`;
  waiting.set(id, resolve);
  transport.send({ jsonrpc: '2.0', ...request, id }).catch(reject);
});

async function call(method, given, names, send) {
  const [how, progress] = options(given);
  if (given.manual)
    how.allowInputRequired = true;
  if (given.cache)
    how.cacheMode = given.cache;
  const result = await send({ ...params(given, ...names, '_meta') }, how);
  return given.progress ? { result, progress } : result;
}

// One at a time: everything, or from a cursor. The cache would answer for the server.
const list = (what) => (given) => call(what, { cache: 'bypass', ...given }, ['cursor'], (p, o) => client[what](Object.keys(p).length > 0 ? p : undefined, o));

drive({
  // era: "legacy", "auto", or a version that it has to be.
  // command: what is started, or a URL, with the fields that each request has.
  async connect({ command, headers, env, cwd, era = 'auto', probe, answers, without = [], tasks = false, listChanged, rounds, autofulfil }) {
    seen = new Seen({ answers });
    capabilities = { ...Object.fromEntries(Object.entries(ALL).filter(([name]) => !without.includes(name))), ...(tasks && { extensions: { [TASKS]: {} } }) };
    client = new Client(INFO, {
      capabilities,
      versionNegotiation: { mode: ['legacy', 'auto'].includes(era) ? era : { pin: era }, ...(probe !== undefined && { probe: { timeoutMs: probe } }) },
      ...((rounds !== undefined || autofulfil !== undefined) && { inputRequired: { ...(rounds !== undefined && { maxRounds: rounds }), ...(autofulfil !== undefined && { autoFulfill: autofulfil }) } }),
      ...(listChanged && { listChanged: Object.fromEntries(['tools', 'prompts', 'resources'].map((kind) => [kind, { autoRefresh: false, debounceMs: 0,
        onChanged: () => seen.notifications.push({ method: `${kind} changed` }) }])) }),
    });
    if (capabilities.elicitation)
      client.setRequestHandler('elicitation/create', (request, ctx) => seen.answers.next('elicitation', request.params, ctx.mcpReq.signal));
    if (capabilities.sampling)
      client.setRequestHandler('sampling/createMessage', (request, ctx) => seen.answers.next('sampling', request.params, ctx.mcpReq.signal));
    if (capabilities.roots)
      client.setRequestHandler('roots/list', (request, ctx) => seen.answers.next('roots', request.params ?? {}, ctx.mcpReq.signal));
    transport = typeof command === 'string' ? new StreamableHTTPClientTransport(new URL(command), { requestInit: { headers } })
      : new StdioClientTransport({ command: command[0], args: command.slice(1), env, cwd, stderr: 'pipe' });
    seen.watch(client, transport);
    await client.connect(transport);
    rawly();
    return { version: client.getNegotiatedProtocolVersion(), era: client.getProtocolEra(), server: client.getServerVersion() ?? null,
      capabilities: client.getServerCapabilities() ?? null, instructions: client.getInstructions() ?? null, pid: transport.pid ?? null };
  },
  discover: () => client.discover(),
  listTools: list('listTools'),
  listResources: list('listResources'),
  listResourceTemplates: list('listResourceTemplates'),
  listPrompts: list('listPrompts'),
  callTool: (given) => call('callTool', given, ['name', 'arguments'], (p, o) => (given.manual ? client.request({ method: 'tools/call', params: { ...p, ...given.more } }, o) : client.callTool(p, o))),
  readResource: (given) => call('readResource', { cache: 'bypass', ...given }, ['uri'], (p, o) => client.readResource(p, o)),
  getPrompt: (given) => call('getPrompt', given, ['name', 'arguments'], (p, o) => client.getPrompt(p, o)),
  complete: (given) => call('complete', given, ['ref', 'argument', 'context'], (p, o) => client.complete(p, o)),
  ping: (given) => client.ping(options(given)[0]),
  setLevel: ({ level }) => client.setLoggingLevel(level),
  rootsChanged: () => client.sendRootsListChanged(),

  // Of one resource, in either era; of lists, where they are not told unasked.
  async subscribe({ uri, filter, ...given }) {
    if (client.getProtocolEra() === 'legacy')
      return client.subscribeResource({ uri }, options(given)[0]);
    const subscription = await client.listen(filter ?? { resourceSubscriptions: [uri] }, options(given)[0]);
    subscriptions.set(uri ?? 'filter', subscription);
    return { honored: subscription.honoredFilter };
  },
  async unsubscribe({ uri, ...given }) {
    if (client.getProtocolEra() === 'legacy')
      return client.unsubscribeResource({ uri }, options(given)[0]);
    await subscriptions.get(uri ?? 'filter').close();
    return { cause: await subscriptions.get(uri ?? 'filter').closed };
  },

  // A call that may become a task: what states it was seen in, and what came of it.
  async callTask({ name, arguments: args = {}, cancel }) {
    const session = createTaskSessionFromClient(client, { endpointId: 'test',
      onInputRequest: ({ kind, params: asked }, context) => seen.answers.next(kind, asked ?? {}, context.signal),
      ...(client.getProtocolEra() === 'modern' && { rawDispatch: raw, v2RequestFraming: { protocolVersion: client.getNegotiatedProtocolVersion(), clientInfo: INFO, clientCapabilities: capabilities } }) });
    try {
      const execution = await session.callTool(name, args);
      const states = [];
      if (cancel)
        await execution.cancel();
      const { outcome } = await execution.settle({ onEvent: (event) => event.type === 'task' && states.at(-1) !== event.task.status && states.push(event.task.status) });
      return { kind: execution.kind, states, status: outcome.status, ...(outcome.result !== undefined && { result: outcome.result }),
        ...(outcome.error !== undefined && { error: { code: outcome.error.code ?? null, message: outcome.error.message } }) };
    } finally {
      await session.close();
    }
  },

  seen: () => seen.take(),
  async close() {
    await transport?.terminateSession?.();
    await client?.close();
    return seen?.take();
  },
});
