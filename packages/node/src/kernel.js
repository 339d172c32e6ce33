// Kernels: code that finds what the code before it left (doc/CODE.md).
import { setTimeout as sleep } from 'node:timers/promises';
import { documentOf } from './code.js';
import { BadResult, Gone, Malformed, StepFailed } from './errors.js';
import { again, once, until } from './link.js';
import * as wire from './wire.js';

const { own, part } = wire;
const STOP_MS = 5000; // that who aborts waits for the step to be broken off
const ENDS = new Set(['ok', 'error', 'exit', 'ended', 'never']);
const ALL = [...wire.STREAMS, 'result'];
export const KERNEL_OPTIONS = ['name', 'idle', 'env', 'limits', 'changes', 'strict', 'onConflict', 'labels', 'key'];

/** Milliseconds, or a text as limits have it. */
function durationOf(given, what) {
  if (given === undefined || typeof given === 'string') return given;
  if (typeof given !== 'number' || !(given > 0 && given < 1e12)) throw new Malformed(`${what} is a number of milliseconds, more than none, or a text as '30s'`, 'USAGE', 'leave it out');
  return `${Math.max(1, Math.floor(given))}ms`;
}

export function kernelParams(language, options) {
  const { name, idle, env, limits, changes, strict, onConflict, labels, key } = wire.known(options, KERNEL_OPTIONS, 'kernel');
  if (!['python', 'node'].includes(language)) throw new Malformed(`there are no kernels of '${language}'`, 'USAGE', 'there are python and node');
  return { language, name, idle: durationOf(idle, 'idle'), env: wire.environmentOf(env), limits, changes, strict: strict || undefined, on_conflict: onConflict, labels: wire.given(labels), key: key ?? wire.ownKey() };
}

/** How a step of a kernel ended. All of it was said by a program that nobody has read. */
export class StepResult {
  #text;

  constructor(kernel, answer, outputs, document) {
    const { value, displays, error, cut } = document;
    const end = part(answer, 'end', 'text');
    this.session = kernel.session.id;
    this.n = kernel.n;
    this.step = part(answer, 'step', 'count');
    this.end = ENDS.has(end) ? end : 'ended';
    this.stdout = outputs.stdout;
    this.stderr = outputs.stderr;
    this.stopped = own(answer, 'stopped') === true;
    this.timedOut = own(answer, 'timed_out') === true;
    this.#text = value?.text ?? '';
    this.value = value === null ? undefined : value.hasJson ? value.json : value.text;
    this.type = value?.type ?? null;
    this.displays = displays;
    this.error = error;
    this.cut = cut || own(answer, 'cut') === true;
    this.row = answer;
  }

  get ok() {
    return this.end === 'ok';
  }

  /** What the value is shown as; empty if there is none. Standard output is `stdoutText`. */
  get text() {
    return this.#text;
  }

  get stdoutText() {
    return this.stdout.toString();
  }

  get stderrText() {
    return this.stderr.toString();
  }

  check() {
    if (!this.ok) throw new StepFailed(this);
    return this;
  }
}

/** An interpreter that takes one piece of code after the other, in one memory. It outlives this program until nobody has used it for long, and is found again by its name. */
export class Kernel {
  #session;
  #connection;

  /** By Session alone. */
  constructor(session, connection, { language, n, event, replayed }) {
    this.#session = session;
    this.#connection = connection;
    this.language = language;
    this.n = n;
    this.id = event;
    this.replayed = replayed;
  }

  get session() {
    return this.#session;
  }

  #ask(method, params = {}) {
    return again(this.#connection, this.#session.id, () => this.#connection.ask(method, { session: this.#session.id, n: this.n, ...params }));
  }

  #once(method, params, signal, number) {
    return once(this.#connection, this.#session.id, async () => {
      signal?.throwIfAborted(); // who has said that it is to be stopped does not begin it any more
      return this.#connection.ask(method, { session: this.#session.id, n: this.n, ...params }, { unbounded: true, signal, number });
    });
  }

  /** Runs a step to its end. `timeout`: milliseconds after which it is broken off; aborted (`signal`), it is, too. What may have begun is not begun twice. */
  async run(source, options = {}) {
    const { timeout, show, check, signal } = wire.known(options, ['timeout', 'show', 'check', 'signal'], 'run');
    const params = { source: wire.putData(source, 'source'), timeout: durationOf(timeout, 'timeout'), show: show || undefined };
    return this.#taken('kernel.run', params, check, signal);
  }

  /** How a step ended, for whoever has lost the answer. */
  async wait(step, options = {}) {
    const { check, signal } = wire.known(options, ['check', 'signal'], 'wait');
    return this.#taken('kernel.wait', { step }, check, signal);
  }

  async #taken(method, params, check, signal) {
    const number = this.#connection.number();
    let answer;
    signal?.throwIfAborted();
    try {
      answer = await until(signal, this.#once(method, params, signal, number));
    } catch (problem) {
      if (signal?.aborted && method === 'kernel.run') await Promise.race([this.#ask('kernel.stop', { request: number }).catch(() => {}), sleep(STOP_MS, undefined, { ref: false })]);
      throw problem;
    }
    const outputs = {};
    for (const stream of ALL) {
      const size = part(answer, `${stream}_bytes`, 'count');
      outputs[stream] = wire.brought(answer, stream, size) ?? (await this.#session.read(this.n, stream, { offset: part(answer, `${stream}_at`, 'count'), size }));
    }
    const result = this.#result(answer, outputs);
    return check ? result.check() : result;
  }

  #result(answer, outputs) {
    try {
      return new StepResult(this, answer, outputs, documentOf(outputs.result));
    } catch (problem) {
      if (!(problem instanceof BadResult)) throw problem;
      throw new BadResult(problem.why, new StepResult(this, answer, outputs, documentOf(Buffer.alloc(0))));
    }
  }

  /** Breaks off that step, and no other: a KeyboardInterrupt in Python; in Node the kernel ends with it. */
  async stop(step) {
    await this.#ask('kernel.stop', { step });
  }

  /** Ends it behind the steps that it has. What it changed is committed, if its interpreter ends well. */
  async end(options = {}) {
    const { check } = wire.known(options, ['check'], 'end');
    let row;
    try {
      row = part(await this.#once('kernel.end', { wait: true }), 'row', 'object');
    } catch (problem) {
      if (!(problem instanceof Gone)) throw problem;
      row = await this.#ask('event.show');
    }
    const result = new wire.Result(this.#session, row);
    return check ? result.check() : result;
  }

  /** Ends it at once. */
  async cancel() {
    await this.#ask('event.cancel');
  }

  /** How it is now. */
  async show() {
    return new wire.Result(this.#session, await this.#ask('event.show'));
  }
}

if (Symbol.asyncDispose !== undefined) {
  Object.defineProperty(Kernel.prototype, Symbol.asyncDispose, { value: async function dispose() {
    await this.end();
  } });
}
