// The server that the conformance suite's scenarios for servers ask for by name, on stdio (2025-11-25); bridge.mjs takes it to HTTP.
import { setTimeout as sleep } from 'node:timers/promises';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import * as t from '@modelcontextprotocol/sdk/types.js';

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const image = { type: 'image', data: PIXEL, mimeType: 'image/png' };
const said = (text) => ({ type: 'text', text });
const embedded = (uri, mimeType, text) => ({ type: 'resource', resource: { uri, mimeType, text } });
const object = (properties = {}, required = Object.keys(properties)) => ({ type: 'object', properties, required });
const text = { type: 'string' };
const titled = (...names) => names.map((title, n) => ({ const: `value${n + 1}`, title }));
const three = ['option1', 'option2', 'option3'];

const elicited = (message, requestedSchema) => async (_, extra) => {
  const { action, content } = await extra.sendRequest({ method: 'elicitation/create', params: { message, requestedSchema } }, t.ElicitResultSchema);
  return [said(`Elicitation completed: action=${action}, content=${JSON.stringify(content ?? {})}`)];
};

// Each with its arguments' schema, and what it returns as content.
const TOOLS = {
  test_simple_text: [object(), () => [said('This is a simple text response for testing.')]],
  test_image_content: [object(), () => [image]],
  test_audio_content: [object(), () => [{ type: 'audio', data: 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=', mimeType: 'audio/wav' }]],
  test_embedded_resource: [object(), () => [embedded('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')]],
  test_multiple_content_types: [object(), () => [said('Multiple content types test:'), image, embedded('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}')]],
  test_tool_with_logging: [object(), async (_, extra) => {
    for (const data of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
      await extra.sendNotification({ method: 'notifications/message', params: { level: 'info', data } });
      await sleep(50);
    }
    return [said('Logged.')];
  }],
  test_error_handling: [object(), () => {
    throw new Error('This tool intentionally returns an error for testing');
  }],
  test_tool_with_progress: [object(), async (_, extra) => {
    for (const progress of [0, 50, 100]) {
      if (extra._meta?.progressToken !== undefined)
        await extra.sendNotification({ method: 'notifications/progress', params: { progressToken: extra._meta.progressToken, progress, total: 100 } });
      await sleep(50);
    }
    return [said('Done.')];
  }],
  test_sampling: [object({ prompt: text }), async ({ prompt }, extra) => {
    const { content } = await extra.sendRequest({ method: 'sampling/createMessage', params: { messages: [{ role: 'user', content: said(prompt) }], maxTokens: 100 } }, t.CreateMessageResultSchema);
    return [said(`LLM response: ${content.text}`)];
  }],
  test_elicitation: [object({ message: text }), async ({ message }, extra) => {
    const requestedSchema = object({ username: { ...text, description: "User's response" }, email: { ...text, description: "User's email address" } });
    const { action, content } = await extra.sendRequest({ method: 'elicitation/create', params: { message, requestedSchema } }, t.ElicitResultSchema);
    return [said(`User response: action: ${action}, content: ${JSON.stringify(content ?? {})}`)];
  }],
  test_elicitation_sep1034_defaults: [object(), elicited('Defaults?', object({
    name: { ...text, default: 'John Doe' }, age: { type: 'integer', default: 30 }, score: { type: 'number', default: 95.5 },
    status: { ...text, enum: ['active', 'inactive', 'pending'], default: 'active' }, verified: { type: 'boolean', default: true } }, []))],
  test_elicitation_sep1330_enums: [object(), elicited('Which?', object({
    untitledSingle: { ...text, enum: three }, titledSingle: { ...text, oneOf: titled('First Option', 'Second Option', 'Third Option') },
    legacyEnum: { ...text, enum: ['opt1', 'opt2', 'opt3'], enumNames: ['Option One', 'Option Two', 'Option Three'] },
    untitledMulti: { type: 'array', items: { ...text, enum: three } }, titledMulti: { type: 'array', items: { anyOf: titled('First Choice', 'Second Choice', 'Third Choice') } } }, []))],
  json_schema_2020_12_tool: [{ $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object', $defs: { address: { type: 'object', properties: { street: text, city: text } } },
    properties: { name: text, address: { $ref: '#/$defs/address' } }, additionalProperties: false }, () => [said('Fine.')]],
};

const PROMPTS = {
  test_simple_prompt: [[], () => [said('This is a simple prompt for testing.')]],
  test_prompt_with_arguments: [['arg1', 'arg2'], ({ arg1, arg2 }) => [said(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)]],
  test_prompt_with_embedded_resource: [['resourceUri'], ({ resourceUri }) => [embedded(resourceUri, 'text/plain', 'Embedded resource content for testing.'), said('Please process the embedded resource above.')]],
  test_prompt_with_image: [[], () => [image, said('Please analyze the image above.')]],
};

const RESOURCES = {
  'test://static-text': { mimeType: 'text/plain', text: 'This is the content of the static text resource.' },
  'test://static-binary': { mimeType: 'image/png', blob: PIXEL },
  'test://watched-resource': { mimeType: 'text/plain', text: 'Watched.' },
};

const server = new Server({ name: 'conform', version: '1.0.0' }, { capabilities: { tools: {}, prompts: {}, resources: { subscribe: true }, logging: {}, completions: {} } });
server.setRequestHandler(t.ListToolsRequestSchema, () => ({ tools: Object.entries(TOOLS).map(([name, [inputSchema]]) => ({ name, description: `What the suite calls ${name}`, inputSchema })) }));
server.setRequestHandler(t.CallToolRequestSchema, async ({ params }, extra) => {
  if (!Object.hasOwn(TOOLS, params.name))
    throw new t.McpError(t.ErrorCode.InvalidParams, `no such tool: ${params.name}`);
  try {
    return { content: await TOOLS[params.name][1](params.arguments ?? {}, extra) };
  } catch (error) {
    return { content: [said(error.message)], isError: true };
  }
});
server.setRequestHandler(t.ListPromptsRequestSchema, () => ({ prompts: Object.entries(PROMPTS).map(([name, [names]]) => ({
  name, description: `What the suite calls ${name}`, arguments: names.map((argument) => ({ name: argument, description: argument, required: true })) })) }));
server.setRequestHandler(t.GetPromptRequestSchema, ({ params }) => ({ messages: PROMPTS[params.name][1](params.arguments ?? {}).map((content) => ({ role: 'user', content })) }));
server.setRequestHandler(t.ListResourcesRequestSchema, () => ({ resources: Object.entries(RESOURCES).map(([uri, { mimeType }]) => ({ uri, name: uri, description: uri, mimeType })) }));
server.setRequestHandler(t.ListResourceTemplatesRequestSchema, () => ({ resourceTemplates: [{ uriTemplate: 'test://template/{id}/data', name: 'template', mimeType: 'application/json' }] }));
server.setRequestHandler(t.ReadResourceRequestSchema, ({ params: { uri } }) => {
  const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1];
  if (id !== undefined)
    return { contents: [{ uri, mimeType: 'application/json', text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }) }] };
  if (!Object.hasOwn(RESOURCES, uri))
    throw new t.McpError(-32002, 'Resource not found', { uri });
  return { contents: [{ uri, ...RESOURCES[uri] }] };
});
for (const schema of [t.SubscribeRequestSchema, t.UnsubscribeRequestSchema])
  server.setRequestHandler(schema, () => ({}));
server.setRequestHandler(t.CompleteRequestSchema, () => ({ completion: { values: ['paris', 'park', 'party'], total: 3, hasMore: false } }));
await server.connect(new StdioServerTransport());
