// What a user of the types writes: compiled, never run (tests/integration/node_client.py).
import * as ambit from 'ambit';
import type { Readable, Writable } from 'node:stream';

async function all(): Promise<void> {
  const session: ambit.Session = await ambit.session({ work: '.', grants: ['read /etc', { connect: 'example.com:443' }], limits: { wall: '30s' }, patience: 1000 });
  const result = await session.run(['sh', '-c', 'true', Buffer.from([255])], { timeout: 1000, env: { A: 'b', B: undefined }, signal: AbortSignal.timeout(5), check: true,
    key: 'k' });
  const status: number | null = result.exitStatus;
  const same: ambit.Result = result.check();
  const text: string = result.text + result.stdout.toString() + (result.workspace ?? '') + String(status) + (same.cause ?? '') + (same.limit ?? '');
  for (const change of await result.files()) console.log(change.kind, change.path.length, change['sha256']);
  const code = await session.python('1 + 1', { input: text });
  const value: unknown = code.check().value;
  for (const display of code.displays) console.log(display.mime, typeof display.data === 'string' ? display.data : display.data.byteLength, value);
  if (code.error !== null) console.log(code.error.type, code.error.line, code.error.frames[0]?.file);
  const kernel: ambit.Kernel = await session.kernel('python', { name: 'a', idle: '5m' });
  const step: ambit.StepResult = await kernel.run('x', { timeout: 1000, show: true, check: true, signal: AbortSignal.timeout(5) });
  if (step.end === 'error' && step.error !== null) console.log(step.error.line, step.value, step.timedOut, (await kernel.end()).workspace);
  async function* chunks(): AsyncGenerator<string | Uint8Array> {
    yield 'x';
  }
  for (const input of [chunks(), new Blob(['x']).stream(), process.stdin]) await session.run(['cat'], { input });
  const event = await session.start(['cat'], { input: true, terminal: { rows: 24, columns: 80 }, signal: AbortSignal.timeout(5) });
  const took: boolean = await event.write('x');
  console.log(took);
  const stdin: Writable | null = event.stdin;
  const stdout: Readable = event.stdout;
  stdin?.end('x');
  stdout.pipe(process.stdout);
  for await (const line of event.lines()) console.log(line.stream, line.offset, line.data.toString());
  for await (const chunk of event) console.log(chunk.data);
  await event.kill('TERM');
  await event.resize(1, 2);
  const client = await ambit.connect();
  for await (const row of client.sessions()) console.log(row['session']);
  for await (const seen of (await client.open(session.id)).watch({ first: 2 })) if (seen.over) break;
  const held: ambit.Halted = await session.freeze({ reason: 'x' });
  console.log(held.before, held.events + (await session.thaw()).events, (await session.kill({ keepFrozen: true })).cancelled, await event.freeze(), await event.thaw());
  await client.freezeAll();
  await client.thawAll();
  await client.killAll({ reason: 'x', keepFrozen: false });
  try {
    await session.end();
  } catch (problem) {
    if (problem instanceof ambit.EventFailed) console.log(problem.result.stderrText, problem.hint);
    if (problem instanceof ambit.BadResult) console.log(problem.result.displays);
  }
}

async function delegated(): Promise<void> {
  const found: ambit.Delegated = await ambit.delegate(['true'], { grants: ['read .'], agent: 'a', limits: { wall: '1s' }, timeout: 5, input: 'x', signal: AbortSignal.timeout(5), background: false });
  console.log(found.event, found.exitStatus, found.stdout.byteLength, found.limit ?? '', found.text);
}

async function disposed(): Promise<void> {
  await using client = new ambit.Client({ patience: 10 });
  await using session = await client.session();
  console.log(session.id);
}

// @ts-expect-error one argument is no list
const wrong = (session: ambit.Session) => session.run('ls');
// @ts-expect-error chunks are texts or bytes
const numbers = (session: ambit.Session, input: AsyncGenerator<number>) => session.run(['ls'], { input });
// @ts-expect-error options are in camel case
const mistaken = (session: ambit.Session) => session.run(['ls'], { on_conflict: 'ours' });
// @ts-expect-error a session is made by a client
const made = () => new ambit.Session();
// @ts-expect-error there is no such member
const absent = (result: ambit.Result) => result.exit_status;

export { all, disposed, wrong, numbers, mistaken, made, absent };
