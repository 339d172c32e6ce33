// An agent of LangChain whose tool runs the model's Python code in a session of Ambit. The model is a script (model.mjs), so that this needs no key and no network.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { HumanMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import * as ambit from 'ambit';
import { createAgent } from 'langchain';
import { z } from 'zod';
import { patient, scripted } from './model.mjs';

const PICTURES = ['image/png', 'image/jpeg']; // what models take; a program may call anything a picture
const TEXT_MAX = 8000; // characters that one call may put before the model

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
    for (const { verdict, kind, path: name, address, why } of effects) {
      if (verdict === 'denied') said.push(`denied: ${kind} ${JSON.stringify(name ?? address)} (${why})`);
    }
  }
  return said.join('\n').slice(0, TEXT_MAX) || `nothing (exit status ${result.exitStatus})`;
}

/** The tool. LangChain's signal is given on, so that whoever stops the agent stops its code. */
function pythonTool(session) {
  const run = async ({ source }, { signal }) => {
    try {
      const result = await session.python(source, { signal });
      const pictures = result.displays.filter(({ mime, data }) => PICTURES.includes(mime) && Buffer.isBuffer(data));
      return [
        { type: 'text', text: await told(session, result) },
        ...pictures.map(({ mime, data }) => ({ type: 'image', mimeType: mime, data: data.toString('base64') })),
      ];
    } catch (problem) {
      // Code can bring about these two, and may try again. Everything else is ours, and ends the agent.
      if (problem instanceof ambit.BadResult || problem instanceof ambit.NotKept) return problem.message;
      throw problem;
    }
  };
  const description = 'Runs Python code in the directory with the data. Gives the value of its last expression, what it prints, its error, and pictures that it displays.';
  return tool(run, { name: 'python', description, schema: z.object({ source: z.string().describe('Python code') }) });
}

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
  const { messages } = await createAgent({ model: scripted(), tools }).invoke({ messages: [question] }, { signal: AbortSignal.timeout(60_000) });
  messages.forEach(show);

  // Another agent, stopped while its code runs. Whoever called it does not wait for that; the code ends all the same.
  const stop = new AbortController();
  const stopped = createAgent({ model: patient(), tools }).invoke({ messages: [question] }, { signal: stop.signal }).catch((problem) => problem.name);
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
