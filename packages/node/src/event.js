// An event that runs, or ran: what it writes, and what it is told.
import { Readable, Writable } from 'node:stream';
import { Gone, Lost, Malformed, NotKept } from './errors.js';
import { again, onAbort, once } from './link.js';
import { Cutter, Taking } from './take.js';
import * as wire from './wire.js';

const ENOUGH = 64 << 10; // bytes of a stream that wait for who reads it
const OVER = 1 << 20; // that it takes beyond that while somebody waits for the other stream; what comes then is asked for again

/** Sides that take what an event writes: its two streams, for which somebody may wait, and who waits for its end, and wants what has no stream. */
class Side {
  readable = null;
  wants = false;
  done = false;
  found = [];
}

/**
 * A command that runs, or ran. Iterating gives what it writes, in order for each stream; `stdout` and `stderr` are the same as streams of Node. It goes on when it is left.
 * One thing takes what it writes at a time.
 */
export class Event {
  #session;
  #connection;
  #taking;
  #takes; // input
  #sides = { stdout: new Side(), stderr: new Side() };
  #pumping = false;
  #ended = null; // the result, promised
  #end = null; // who waits for that
  #stdin = null;
  #leave; // the signal that would cancel it

  /** `at`: the bytes from which it is taken; `signal`: what cancels it. */
  constructor(session, connection, { n, event, takes, on, at = undefined, replayed = false, signal = undefined }) {
    this.#session = session;
    this.#connection = connection;
    this.#takes = takes;
    this.#taking = new Taking(connection, session.id, n, on, at);
    this.n = n;
    this.id = event;
    this.replayed = replayed;
    this.#leave = onAbort(signal, () => this.cancel().catch(() => {})); // who waits for its end is told
  }

  get session() {
    return this.#session;
  }

  /** The event goes on. */
  close() {
    this.#leave();
    this.#connection.close();
  }

  /** Of an event that is over and was taken the connection is of no more use; whatever is asked next connects again. */
  #rest() {
    if (this.#taking.row === null) return;
    this.#leave();
    this.#connection.retire();
  }

  #params(params) {
    return { session: this.#session.id, n: this.n, ...params };
  }

  #ask(method, params) {
    return again(this.#connection, this.#session.id, () => this.#connection.ask(method, this.#params(params))).finally(() => this.#rest());
  }

  // ---- what it writes, in pieces and in lines ----

  async *[Symbol.asyncIterator]() {
    if (wire.STREAMS.some((name) => this.#sides[name].readable !== null)) throw new Malformed('what the event writes is taken by its streams', 'USAGE', 'take one of the two');
    while (this.#taking.row === null) {
      const chunk = await this.#taking.next();
      if (chunk !== undefined) yield chunk;
    }
    this.#rest();
  }

  async *lines() {
    const cutter = new Cutter();
    for await (const chunk of this) yield* cutter.cut(chunk);
    yield* cutter.rest();
  }

  // ---- as streams ----

  get stdout() {
    return this.#stream('stdout');
  }

  get stderr() {
    return this.#stream('stderr');
  }

  #stream(name) {
    const side = this.#sides[name];
    if (side.readable !== null) return side.readable;
    side.readable = new Readable({
      highWaterMark: ENOUGH,
      read: () => {
        side.wants = true;
        this.#pump();
      },
      destroy: (problem, done) => {
        side.wants = false;
        side.done = true;
        this.#pump(); // who waits for the end wants nothing of it any more
        done(problem);
      },
    });
    for (const data of side.found.splice(0)) side.readable.push(data); // what was taken for who waits for the end
    return side.readable;
  }

  /** Takes what comes while somebody wants it, and no more: what nobody wants waits with the daemon, or passes by and is asked for again. */
  async #pump() {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#wanted()) {
        const { skipped, row } = this.#taking;
        if (wire.STREAMS.some((name) => skipped[name] && this.#wants(name))) this.#taking.rewind();
        else if (row !== null) this.#finish(row);
        else this.#give(await this.#taking.next((name) => this.#accepts(name)));
      }
      this.#rest();
    } catch (problem) {
      this.#fail(problem);
    } finally {
      this.#pumping = false;
    }
  }

  #wants(name) {
    const { readable, wants, done } = this.#sides[name];
    return readable === null ? this.#end !== null : wants && !done;
  }

  #wanted() {
    return this.#end !== null || wire.STREAMS.some((name) => this.#wants(name));
  }

  #accepts(name) {
    const { readable, done } = this.#sides[name];
    return readable === null ? this.#end !== null : !done && readable.readableLength < OVER;
  }

  #give(chunk) {
    if (chunk === undefined) return;
    const side = this.#sides[chunk.stream];
    if (side.readable === null) side.found.push(chunk.data);
    else if (!side.done) {
      side.wants = false; // it may ask for more while it gets this
      if (side.readable.push(chunk.data)) side.wants = true;
    }
  }

  /** It is over, and what was not skipped was taken. */
  #finish(row) {
    const { at, skipped } = this.#taking;
    const result = new wire.Result(this.#session, row, { replayed: this.replayed });
    for (const name of wire.STREAMS) {
      const side = this.#sides[name];
      if (side.readable === null || side.done || skipped[name]) continue;
      const all = at[name] >= wire.part(row, `${name}_bytes`, 'count');
      if (!all && !side.wants) continue; // who reads is told
      side.done = true;
      if (all) side.readable.push(null);
      else side.readable.destroy(new NotKept(result));
    }
    if (this.#end === null) return;
    const loose = wire.STREAMS.filter((name) => this.#sides[name].readable === null);
    for (const name of loose) result[name] = Buffer.concat(this.#sides[name].found.splice(0));
    const { resolve } = this.#end;
    resolve(wire.whole(result, at, loose));
    this.#end = null;
  }

  /** Who waits is told. A stream of which nobody reads is told when somebody does. */
  #fail(problem) {
    for (const name of wire.STREAMS) {
      const side = this.#sides[name];
      if (side.wants && !side.done) side.readable.destroy(problem);
    }
    this.#end?.reject(problem);
    this.#end = null;
    this.#ended = null;
  }

  /** To its end, with what it wrote and nobody took, or will by a stream. */
  async wait({ check = false } = {}) {
    this.#ended ??= new Promise((resolve, reject) => {
      this.#end = { resolve, reject };
      this.#pump();
    });
    const result = await this.#ended;
    return check ? result.check() : result;
  }

  /** How it is now, without what it wrote. */
  async show() {
    return new wire.Result(this.#session, await this.#ask('event.show'));
  }

  /** The record of an event that is over, JSON (doc/RECORD.md). */
  record() {
    return this.#session.record(this.n);
  }

  // ---- what it is told ----

  /**
   * Standard input, of an event that was started with `input: true`; done when the program's pipe has taken it. What a program that reads no more does not take is left out,
   * as a shell does; then it is false. What may have arrived is not sent twice.
   */
  async write(data, { end = false } = {}) {
    if (!this.#takes) throw new Malformed('the event takes no input', 'USAGE', 'start it with input: true');
    for (const piece of wire.pieces(data, end)) {
      try {
        await once(this.#connection, this.#session.id, () => this.#connection.ask('event.input', this.#params(piece), { unbounded: true }));
      } catch (problem) {
        if (!this.#isOver(problem)) throw problem;
        return false;
      }
    }
    return true;
  }

  /** Whether it says that the event is gone, and not the connection. */
  #isOver(problem) {
    return problem instanceof Gone && !(problem instanceof Lost) && this.#connection.has(this.#session.id);
  }

  /** The same as a stream of Node; null where it takes none. */
  get stdin() {
    if (!this.#takes) return null;
    this.#stdin ??= new Writable({
      decodeStrings: true,
      write: (piece, _, done) => {
        this.write(piece).then(() => done(), done);
      },
      final: (done) => {
        this.write('', { end: true }).then(() => done(), done);
      },
    });
    return this.#stdin;
  }

  /** 'SIGTERM', 'TERM' or 15. */
  async kill(signal = 'TERM') {
    const params = this.#params({ signal: wire.signalOf(signal) });
    await once(this.#connection, this.#session.id, () => this.#connection.ask('event.signal', params));
  }

  /** The size of its terminal. */
  async resize(rows, columns) {
    await this.#ask('event.resize', { rows, columns });
  }

  /** Stops it where it is until thaw; the others of its session go on. */
  async freeze(options = {}) {
    return wire.haltedOf(await this.#ask('freeze', wire.haltParams(options, 'freeze')));
  }

  /** Lets it go on. */
  async thaw() {
    return wire.haltedOf(await this.#ask('thaw'));
  }

  /** Ends it at once. One that has not begun never does, and of one that is over there is nothing to end. */
  async cancel() {
    try {
      await this.#ask('event.cancel');
    } catch (problem) {
      if (!this.#isOver(problem)) throw problem;
    }
  }
}

if (Symbol.asyncDispose !== undefined) {
  Object.defineProperty(Event.prototype, Symbol.asyncDispose, { value: async function dispose() {
    this.close();
  } });
}
