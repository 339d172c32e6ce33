// The client that the conformance suite starts for its scenarios for clients, with the address of its server as the last word:
//   node conform_client.mjs [WHAT-STANDS-BETWEEN...] URL
// It speaks stdio to what stands between, which starts the bridge to that address; or goes there itself, if a word of it is {url}.
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';

const between = process.argv.slice(2), url = between.pop();
const [command, ...args] = between.includes('{url}') ? between.map((word) => (word === '{url}' ? url : word)) : [...between, process.execPath, fileURLToPath(new URL('bridge.mjs', import.meta.url)), 'to', url];
const client = new Client({ name: 'conform', version: '1.0.0' }, { capabilities: { elicitation: { form: { applyDefaults: true } } } });
client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept', content: {} }));
await client.connect(new StdioClientTransport({ command, args, env: process.env, stderr: 'inherit' }));
for (const { name } of (await client.listTools()).tools)
  await client.callTool({ name, arguments: name === 'add_numbers' ? { a: 2, b: 3 } : {} });
await client.close();
process.exit(0);
