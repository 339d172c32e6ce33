// A driver for @modelcontextprotocol/sdk 1.x; see driver.mjs, and mcp_peers.py, which speaks to it.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { InMemoryTaskStore } from '@modelcontextprotocol/sdk/experimental/tasks';
import { CallToolResultSchema, CreateMessageRequestSchema, ElicitRequestSchema, ListRootsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { Seen, drive, options, params } from './driver.mjs';

const ALL = { elicitation: { form: {}, url: {} }, sampling: {}, roots: { listChanged: true } };
const TASKS = { list: {}, cancel: {}, requests: { sampling: { createMessage: {} }, elicitation: { create: {} } } };

let client, transport, seen;

async function call(given, names, send) {
  const [how, progress] = options(given);
  const result = await send(params(given, ...names, '_meta'), how);
  return given.progress ? { result, progress } : result;
}

// It gives one page at a time.
const list = (what, of) => async (given) => {
  if (given.cursor !== undefined || given.page)
    return call(given, ['cursor'], (p, o) => client[what](p, o));
  const all = await call(given, [], (p, o) => client[what](undefined, o));
  for (let { nextCursor } = all; nextCursor !== undefined;) {
    const more = await client[what]({ cursor: nextCursor });
    all[of].push(...more[of]);
    ({ nextCursor } = more);
  }
  delete all.nextCursor;
  return all;
};

// What it is asked for as a task is done at once.
const answer = (kind) => async (request, extra) => {
  const result = await seen.answers.next(kind, request.params ?? {}, extra.signal);
  if (request.params?.task === undefined)
    return result;
  const { taskId } = await extra.taskStore.createTask({ ttl: request.params.task.ttl });
  await extra.taskStore.storeTaskResult(taskId, 'completed', result);
  return { task: await extra.taskStore.getTask(taskId) };
};

drive({
  // command: what is started, or a URL, with the fields that each request has.
  async connect({ command, headers, env, cwd, answers, without = [], tasks = false }) {
    seen = new Seen({ answers });
    const capabilities = { ...Object.fromEntries(Object.entries(ALL).filter(([name]) => !without.includes(name))), ...(tasks && { tasks: TASKS }) };
    client = new Client({ name: 'client1', version: '1.0.0' }, { capabilities, ...(tasks && { taskStore: new InMemoryTaskStore() }) });
    if (capabilities.elicitation)
      client.setRequestHandler(ElicitRequestSchema, answer('elicitation'));
    if (capabilities.sampling)
      client.setRequestHandler(CreateMessageRequestSchema, answer('sampling'));
    if (capabilities.roots)
      client.setRequestHandler(ListRootsRequestSchema, answer('roots'));
    transport = typeof command === 'string' ? new StreamableHTTPClientTransport(new URL(command), { requestInit: { headers } })
      : new StdioClientTransport({ command: command[0], args: command.slice(1), env, cwd, stderr: 'pipe' });
    // Which version was agreed on is told to the transport alone.
    const told = transport.setProtocolVersion?.bind(transport);
    transport.setProtocolVersion = (version) => {
      transport.version = version;
      told?.(version);
    };
    seen.watch(client, transport);
    await client.connect(transport);
    return { version: transport.version ?? null, era: 'legacy', server: client.getServerVersion() ?? null, capabilities: client.getServerCapabilities() ?? null,
      instructions: client.getInstructions() ?? null, pid: transport.pid ?? null };
  },
  listTools: list('listTools', 'tools'),
  listResources: list('listResources', 'resources'),
  listResourceTemplates: list('listResourceTemplates', 'resourceTemplates'),
  listPrompts: list('listPrompts', 'prompts'),
  callTool: (given) => call(given, ['name', 'arguments'], (p, o) => client.callTool(p, undefined, o)),
  readResource: (given) => call(given, ['uri'], (p, o) => client.readResource(p, o)),
  getPrompt: (given) => call(given, ['name', 'arguments'], (p, o) => client.getPrompt(p, o)),
  complete: (given) => call(given, ['ref', 'argument', 'context'], (p, o) => client.complete(p, o)),
  ping: (given) => client.ping(options(given)[0]),
  setLevel: ({ level }) => client.setLoggingLevel(level),
  rootsChanged: () => client.sendRootsListChanged(),
  subscribe: ({ uri, ...given }) => client.subscribeResource({ uri }, options(given)[0]),
  unsubscribe: ({ uri, ...given }) => client.unsubscribeResource({ uri }, options(given)[0]),

  // A call as a task: what states it was seen in, and what came of it.
  async callTask({ name, arguments: args = {}, cancel, ttl = 60000 }) {
    const states = [];
    let result, error;
    for await (const message of client.experimental.tasks.callToolStream({ name, arguments: args }, CallToolResultSchema, { task: { ttl } })) {
      if (message.task && states.at(-1) !== message.task.status)
        states.push(message.task.status);
      if (message.type === 'taskCreated' && cancel)
        await client.experimental.tasks.cancelTask(message.task.taskId);
      ({ result = result, error = error } = message);
    }
    return { kind: 'task', states, status: states.at(-1), ...(result !== undefined && { result }), ...(error !== undefined && { error: { code: error.code ?? null, message: error.message } }) };
  },
  listTasks: ({ cursor }) => client.experimental.tasks.listTasks(cursor),

  seen: () => seen.take(),
  async close() {
    await transport?.terminateSession?.();
    await client?.close();
    return seen?.take();
  },
});
