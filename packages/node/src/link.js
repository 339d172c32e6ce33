// The connection: what is asked and answered, what is told, and what is held of that. It keeps the process alive only while somebody waits.
import { setTimeout as sleep } from 'node:timers/promises';
import { Closed, Gone, Lost, Silent, Untrue, errorOf } from './errors.js';
import { connect } from './place.js';
import * as wire from './wire.js';

const { own } = wire;

/** Notes that nobody has taken yet, as many as there is room for. Behind the first that is dropped all are, until who follows begins anew. */
export class Notes {
  #queue = [];
  #first = 0;
  held = 0;
  dropped = false;

  get length() {
    return this.#queue.length - this.#first;
  }

  clear() {
    this.#queue = [];
    this.#first = 0;
    this.held = 0;
    this.dropped = false;
  }

  add(note, size) {
    if (this.dropped || this.held + size > wire.HELD_MAX) {
      this.dropped = true;
      return;
    }
    this.#queue.push([size, note]);
    this.held += size;
  }

  take() {
    const [size, note] = this.#queue[this.#first];
    this.#queue[this.#first++] = undefined;
    if (this.#first > 1024 || this.#first === this.#queue.length) {
      this.#queue = this.#queue.slice(this.#first);
      this.#first = 0;
    }
    this.held -= size;
    return note;
  }
}

export class Connection {
  #patience;
  #keep;
  #socket = null;
  #opening = null;
  #number = 0;
  #asked = new Map(); // by number: who waits for the answer
  #ignored = new Set(); // whose answer nobody waits for any more
  #open = new Set();
  #waiting = []; // for a note
  #why = null;
  #retired = false;
  made = 0; // connections, ever
  notes = new Notes();

  /** `keep`: notes are for somebody, who takes them. */
  constructor(patience, keep) {
    this.#patience = patience;
    this.#keep = keep;
  }

  // ---- its beginning and end ----

  async ensure() {
    this.#retired = false;
    if (this.#socket !== null && this.#opening === null) return;
    this.#opening ??= this.#connect().finally(() => {
      this.#opening = null;
    });
    await this.#opening;
  }

  async #connect() {
    const closed = this.#closes;
    const socket = await connect();
    if (closed !== this.#closes) {
      socket.destroy();
      throw new Closed();
    }
    this.#adopt(socket);
    const answer = await this.ask('hello', { protocol: wire.PROTOCOL });
    if (own(answer, 'protocol') === wire.PROTOCOL) return;
    const problem = new Untrue('the daemon speaks another protocol');
    this.drop(problem);
    throw problem;
  }

  #closes = 0;

  #adopt(socket) {
    const lines = new wire.Lines();
    this.#socket = socket;
    this.#asked = new Map();
    this.#ignored = new Set();
    this.#open = new Set();
    this.#why = null;
    this.notes.clear();
    this.made++;
    socket.on('data', (piece) => this.#hear(socket, lines, piece));
    socket.on('error', (problem) => this.#lose(socket, new Lost('the daemon ended the connection', 'GONE', null, problem.message)));
    socket.on('end', () => this.#lose(socket, new Lost('the daemon ended the connection')));
    socket.on('close', () => this.#lose(socket, new Lost('the daemon ended the connection')));
    this.#flow();
  }

  /** By who uses it. Whatever is asked next connects again. */
  close() {
    this.#closes++;
    this.drop(new Closed());
  }

  drop(why) {
    this.#lose(this.#socket, why);
  }

  /** It is closed when the last answer came, unless something is asked before. */
  retire() {
    this.#retired = true;
    this.#flow();
  }

  #lose(socket, why) {
    if (socket === null || this.#socket !== socket) return;
    this.#socket = null;
    this.#why = why;
    socket.destroy();
    const asked = [...this.#asked.values()];
    this.#asked.clear();
    for (const { reject } of asked) reject(why);
    this.#wake();
  }

  #useless() {
    return this.#retired && this.#asked.size === 0 && this.#opening === null;
  }

  #lost() {
    return this.#why ?? new Lost('the daemon ended the connection');
  }

  has(session) {
    return this.#socket !== null && this.#open.has(session);
  }

  async open(session) {
    if (this.#open.has(session)) return;
    const open = this.#open;
    await this.ask('session.open', { session });
    open.add(session);
  }

  // ---- what comes ----

  #hear(socket, lines, piece) {
    try {
      for (const line of lines.feed(piece)) {
        if (this.#socket !== socket) return;
        this.#take(wire.takeLine(line), line.length);
      }
    } catch (problem) {
      this.#lose(socket, problem);
    }
    this.#flow();
  }

  #take(message, size) {
    const number = own(message, 'id') ?? null;
    if (number !== null) {
      const waits = this.#asked.get(number);
      if (waits === undefined && !this.#ignored.delete(number)) throw new Untrue('the daemon answered what was not asked');
      this.#asked.delete(number);
      waits?.resolve(message);
      return;
    }
    const method = own(message, 'method');
    if (method === undefined) throw errorOf(own(message, 'error'));
    if (method === 'daemon.lost') throw new Lost('the daemon ended');
    if (method === 'session.lost') this.#open.delete(own(message.params, 'session'));
    if (!this.#keep) return;
    this.notes.add(message, wire.NOTE_ROOM + size);
    this.#wake();
  }

  #wake() {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** While nobody waits for an answer no more is read than somebody takes: the daemon waits with the rest. */
  #flow() {
    const socket = this.#socket;
    if (socket === null) return;
    if (this.#useless()) setImmediate(() => this.#useless() && this.drop(new Lost('the connection was of no more use'))); // when who was answered knows
    if (this.#asked.size > 0 || this.notes.held <= wire.HELD_ENOUGH) socket.resume();
    else socket.pause();
    if (this.#asked.size > 0 || this.#waiting.length > 0) socket.ref();
    else socket.unref();
  }

  // ---- what is asked ----

  /** By which a request is known: for who has to name it later, on whatever connection. */
  number() {
    return ++this.#number;
  }

  /** `unbounded`: the answer waits for a program. With a `signal` it is not waited for any more when that is aborted; what was asked stays asked. */
  async ask(method, params, { unbounded = false, signal = undefined, number = this.number() } = {}) {
    const line = wire.putLine(number, method, params);
    const socket = this.#socket;
    if (socket === null) throw this.#lost();
    const asked = this.#asked;
    let late;
    const answered = new Promise((resolve, reject) => {
      asked.set(number, { resolve, reject });
      if (!unbounded) late = setTimeout(() => this.#lose(socket, new Silent()), this.#patience);
      socket.write(line);
      this.#flow();
    });
    try {
      return wire.answerOf(await until(signal, answered));
    } finally {
      clearTimeout(late);
      if (asked.delete(number) && asked === this.#asked) this.#ignored.add(number);
      this.#flow();
    }
  }

  /** The next that is told; null when what came was dropped for want of room. */
  async note() {
    while (this.notes.length === 0) {
      if (this.notes.dropped) return null;
      if (this.#socket === null) throw this.#lost();
      await new Promise((wake) => {
        this.#waiting.push(wake);
        this.#flow();
      });
    }
    const note = this.notes.take();
    this.#flow();
    return note;
  }
}

/** Once more, on a new connection, when the one that there was ended: for what does no harm twice. */
export async function again(connection, session, what, signal) {
  for (let attempt = 0; ; attempt++) {
    try {
      signal?.throwIfAborted();
      await connection.ensure();
      if (session !== null) await connection.open(session);
      signal?.throwIfAborted();
      return await what();
    } catch (problem) {
      if (!(problem instanceof Gone) || problem instanceof Untrue || problem instanceof Silent || problem instanceof Closed) throw problem;
      if (!(problem instanceof Lost) && (session === null || connection.has(session))) throw problem; // it is what was asked for that is gone
      if (attempt === wire.ATTEMPTS - 1) throw problem;
      await sleep(50 * attempt);
    }
  }
}

/** For what would do harm twice: nothing of it is repeated once it may have arrived. */
export async function once(connection, session, what) {
  for (let attempt = 0; attempt < wire.ATTEMPTS; attempt++) {
    await again(connection, session, async () => {});
    if (session === null || connection.has(session)) break; // from here to what is asked nothing comes between
  }
  try {
    return await what();
  } catch (problem) {
    if (!(problem instanceof Lost)) throw problem;
    throw new Lost('the connection ended, and whether the event got it is not known', problem.code, 'ask how the event is', problem.what);
  }
}

const told = new WeakMap(); // by signal: who is told when it is aborted

/** Tells when the signal is aborted, until what is returned is called. One signal has one listener of ours, since Node warns where many events share a signal. */
export function onAbort(signal, tell) {
  if (signal === undefined || signal === null) return () => {};
  let all = told.get(signal);
  if (all === undefined) {
    all = new Set();
    told.set(signal, all);
    const abort = () => {
      told.delete(signal);
      for (const one of all) one();
    };
    signal.addEventListener('abort', abort, { once: true });
    all.end = () => signal.removeEventListener('abort', abort);
  }
  const mine = () => tell();
  all.add(mine);
  return () => {
    all.delete(mine);
    if (all.size > 0 || told.get(signal) !== all) return;
    told.delete(signal);
    all.end();
  };
}

/** What is promised, or the reason why it is not waited for any more. */
export function until(signal, promise) {
  if (signal === undefined || signal === null) return promise;
  promise.catch(() => {}); // also when nobody waits for it any more
  if (signal.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const leave = onAbort(signal, () => reject(signal.reason));
    promise.then(resolve, reject).finally(leave);
  });
}
