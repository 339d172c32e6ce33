// An agent of the OpenAI agents SDK whose tool runs the model's Python code in a session of Ambit.
// The model is a script (model.mjs), so that this needs no key and no network.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Agent, Runner, tool } from '@openai/agents';
import * as ambit from 'ambit';
import { z } from 'zod';
import { patient, scripted } from './model.mjs';

// What code says is bounded before a model has it.
const PART_MAX = 2000; // characters
const DENIED_MAX = 8; // lines
const PICTURE_MAX = 1 << 20; // bytes
const PICTURES = ['image/png', 'image/jpeg']; // what models take

const isPicture = ({ mime, data }) => PICTURES.includes(mime) && Buffer.isBuffer(data) && data.length <= PICTURE_MAX;

/** What the model is told. A connection that is denied looks to a program like a network that is down: the record says which it was. */
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

/** The tool. The signal of the run is given on, so that whoever stops the agent stops its code. */
function pythonTool(session) {
  const execute = async ({ source }, _context, { signal } = {}) => {
    try {
      const result = await session.python(source, { signal });
      return [
        { type: 'text', text: await told(session, result) },
        ...result.displays.filter(isPicture).map(({ mime, data }) => ({ type: 'image', image: { data: data.toString('base64'), mediaType: mime } })),
      ];
    } catch (problem) {
      // Code can bring about these two, and may try again. Everything else is ours, and ends the run.
      if (problem instanceof ambit.BadResult || problem instanceof ambit.NotKept) return problem.message;
      throw problem;
    }
  };
  const description = 'Runs Python code where the data is. Gives the value of its last expression, what it prints, its error, and what it displays.';
  // Without errorFunction: null every mistake would be a text for the model.
  return tool({ name: 'python', description, parameters: z.object({ source: z.string().describe('Python code') }), execute, errorFunction: null });
}

/** What was said, in a few lines; of code the last. */
function show({ type, rawItem, content }) {
  if (type === 'tool_call_item') return console.log(`--- calls ${rawItem.name}: ${JSON.parse(rawItem.arguments).source.split('\n').at(-1)}`);
  if (type === 'message_output_item') return console.log(`--- answers\n${content}`);
  console.log('--- is told');
  for (const part of [rawItem.output].flat()) console.log(part.text ?? `[${part.image.slice(0, part.image.indexOf(';'))}]`);
}

const data = await mkdtemp(path.join(tmpdir(), 'ambit-agents-sdk-'));
await writeFile(path.join(data, 'sales.csv'), 'month,amount\nMay,120\nJune,95\nJuly,240\n');

// All that its code may do: work in that directory, with so much of the machine. No other file of yours, and no network.
const session = await ambit.session({ work: data, limits: { memory: '512M', wall: '20s', output: '1M' } });
try {
  const tools = [pythonTool(session)];
  const question = 'How much was sold, and how does it look?';
  const runner = new Runner({ tracingDisabled: true }); // else what is said is sent to OpenAI
  const result = await runner.run(new Agent({ name: 'analyst', model: scripted(), tools }), question, { signal: AbortSignal.timeout(60_000) });
  result.newItems.forEach(show);

  // Another agent, stopped while its code runs. Whoever called it does not wait for that; the code ends all the same.
  const stop = new AbortController();
  const stopped = runner.run(new Agent({ name: 'patient', model: patient(), tools }), question, { signal: stop.signal }).catch((problem) => problem.name);
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
