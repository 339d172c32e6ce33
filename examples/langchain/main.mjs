// An agent of LangChain whose tool runs the model's Python code in a session of Ambit.
// The model is a script (model.mjs), so that this needs no key and no network.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { HumanMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import * as ambit from 'ambit';
import { createAgent, toolErrorMiddleware } from 'langchain';
import { z } from 'zod';
import { patient, scripted } from './model.mjs';

// What code says is bounded before a model has it.
const PART_MAX = 2000; // characters
const DENIED_MAX = 8; // lines
const PICTURE_MAX = 1 << 20; // bytes
const PICTURES = ['image/png', 'image/jpeg']; // what models take

const isPicture = ({ mime, data }) => PICTURES.includes(mime) && Buffer.isBuffer(data) && data.length <= PICTURE_MAX;

/** What the model is told. A denied read looks to a program like a file that is not there: the record says which it was. */
async function told(session, result) {
  const { error, outcome } = result;
  const said = [];
  if (result.text) said.push(`value: ${result.text}`);
  if (result.stdoutText) said.push(`output: ${result.stdoutText.trimEnd()}`);
  if (error) said.push(`error: ${error.type}: ${error.message}`);
  if (error?.line) said.push(`at line ${error.line}: ${error.source}`);
  if (!error && result.stderrText) said.push(`stderr: ${result.stderrText.trimEnd()}`); // else it has the same error once more
  if (outcome?.limit) said.push(`stopped at its limit: ${outcome.limit}`);
  if (result.denied) {
    const { effects } = JSON.parse(await session.record(result.n));
    const denied = effects.filter(({ verdict }) => verdict === 'denied').slice(0, DENIED_MAX);
    said.push(...denied.map(({ kind, path: name, address, why }) => `denied: ${kind} ${JSON.stringify(name ?? address)} (${why})`));
  }
  const bounded = said.map((part) => (part.length > PART_MAX ? `${part.slice(0, PART_MAX)}... (cut)` : part));
  return bounded.join('\n') || `nothing (exit status ${result.exitStatus})`;
}

/** The tool. LangChain's signal is given on, so that whoever stops the agent stops its code. */
function pythonTool(session) {
  const run = async ({ source }, { signal }) => {
    const result = await session.python(source, { signal });
    return [
      { type: 'text', text: await told(session, result) },
      ...result.displays.filter(isPicture).map(({ mime, data }) => ({ type: 'image', mimeType: mime, data: data.toString('base64') })),
    ];
  };
  const description = 'Runs Python code where the data is. Gives the value of its last expression, what it prints, its error, and what it displays.';
  return tool(run, { name: 'python', description, schema: z.object({ source: z.string().describe('Python code') }) });
}

// Code can bring about these two, and the model may try again. Everything else is ours, and ends the agent; without this it would be a text for the model.
const ofCode = (problem) => problem instanceof ambit.BadResult || problem instanceof ambit.NotKept;
const middleware = [toolErrorMiddleware({ onError: (problem) => (ofCode(problem) ? problem.message : undefined) })];

/** A message in a few lines; of code the last. */
function show({ type, content, tool_calls: calls }) {
  for (const { name, args } of calls ?? []) console.log(`--- ${type} calls ${name}: ${args.source.split('\n').at(-1)}`);
  if (calls?.length) return;
  console.log(`--- ${type}`);
  for (const block of typeof content === 'string' ? [{ text: content }] : content) console.log(block.text ?? `[${block.mimeType}]`);
}

const data = await mkdtemp(path.join(tmpdir(), 'ambit-langchain-'));
await writeFile(path.join(data, 'sales.csv'), 'month,amount\nMay,120\nJune,95\nJuly,240\n');

// All that its code may do: work in that directory, with so much of the machine. No other file of yours, and no network.
const session = await ambit.session({ work: data, limits: { memory: '512M', wall: '20s', output: '1M' } });
try {
  const tools = [pythonTool(session)];
  const question = new HumanMessage('How much was sold, and how does it look?');
  const agent = createAgent({ model: scripted(), tools, middleware });
  const { messages } = await agent.invoke({ messages: [question] }, { signal: AbortSignal.timeout(60_000) });
  messages.forEach(show);

  // Another agent, stopped while its code runs. Whoever called it does not wait for that; the code ends all the same.
  const stop = new AbortController();
  const other = createAgent({ model: patient(), tools, middleware });
  const stopped = other.invoke({ messages: [question] }, { signal: stop.signal }).catch((problem) => problem.name);
  for await (const event of session.watch({ first: 4 })) {
    stop.abort();
    if (!event.over) continue;
    console.log(`--- another agent\n${await stopped}; event ${event.n}: exit status ${event.exitStatus}`);
    break;
  }
} finally {
  await session.end();
  await rm(data, { recursive: true });
}
