// How far an event was taken: what is told of it, in order, across connections; in lines; and how events change.
import { Gone, AmbitError, Lost, Silent, Untrue } from './errors.js';
import { again } from './link.js';
import * as wire from './wire.js';

const { own, part } = wire;
export const NOWHERE = -1;
const LINE_PIECE = 1 << 20; // of a program's output: a longer line is given in pieces

/** What an event writes, each byte once, and its end. One asks for the next at a time. */
export class Taking {
  #connection;
  #lost = 0; // times in a row that nothing came before the connection ended
  #stale = false; // what is on the way is not what is wanted next
  /** @type {Promise<unknown>} */
  #turn = Promise.resolve();
  on; // the connection on which it is followed, as Connection.made, or NOWHERE
  row = null; // when it is over, and all was told
  skipped = { stdout: false, stderr: false }; // there is more than was taken, which passed by

  constructor(connection, session, n, on, at = { stdout: 0, stderr: 0 }) {
    this.#connection = connection;
    this.session = session; // its id
    this.n = n;
    this.on = on;
    this.at = at;
  }

  /** Begins anew behind what was taken: what passed by comes again. */
  rewind() {
    this.#stale = true;
    this.row = null;
    this.skipped = { stdout: false, stderr: false };
  }

  /** A piece that `accepts` (of its stream) takes; undefined when there is something else to know, such as the end. */
  next(accepts = () => true) {
    const turn = this.#turn.then(() => (this.row === null ? this.#next(accepts) : undefined));
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #next(accepts) {
    const connection = this.#connection;
    try {
      if (this.#stale || this.on !== connection.made || (connection.notes.dropped && connection.notes.length === 0)) await this.#follow();
      const note = await connection.note();
      return note === null ? undefined : this.#take(note, accepts);
    } catch (problem) {
      if (!(problem instanceof Lost)) throw problem;
      connection.drop(problem);
      this.on = NOWHERE;
      this.#lost++;
      if (problem instanceof Untrue || problem instanceof Silent || this.#lost > wire.ATTEMPTS) throw problem;
      return undefined;
    }
  }

  /** Where something was dropped, nothing of what was on the way may come behind it. */
  async #follow() {
    const connection = this.#connection;
    await again(connection, this.session, async () => {
      if (connection.notes.dropped || this.#stale) await this.#stop();
      await connection.ask('event.follow', { session: this.session, n: this.n, ...this.at });
      this.#stale = false;
      this.skipped = { stdout: false, stderr: false };
      this.on = connection.made;
    });
  }

  async #stop() {
    try {
      await this.#connection.ask('event.unfollow', { session: this.session, n: this.n });
    } catch (problem) {
      if (problem instanceof Gone || !(problem instanceof AmbitError)) throw problem; // else it is not followed, since it is over
    }
    this.#connection.notes.clear();
  }

  #take({ method, params }, accepts) {
    if (method === 'session.lost' || method === 'event.lost') throw new Lost('no more is told of the event');
    if ((method !== 'event.output' && method !== 'event.ended') || own(params, 'n') !== this.n || own(params, 'session') !== this.session) return undefined;
    if (method === 'event.ended') {
      this.row = params;
      return undefined;
    }
    const stream = part(params, 'stream', 'text');
    const offset = part(params, 'offset', 'count');
    const data = wire.takeData(own(params, 'data'));
    const next = wire.STREAMS.includes(stream) && (this.skipped[stream] ? offset > this.at[stream] : offset === this.at[stream]);
    if (!next || data.length === 0) throw new Untrue('the daemon said what it may not: a piece of output that is not the next');
    this.#lost = 0;
    if (this.skipped[stream] || !accepts(stream)) {
      this.skipped[stream] = true;
      return undefined;
    }
    this.at[stream] += data.length;
    return { stream, offset, data };
  }
}

/** Output in lines, each with its newline; the last one may have none, and one beyond 1 MiB comes in pieces. */
export class Cutter {
  #rest = new Map(); // by stream: the pieces of a line that has no end yet

  *cut({ stream, offset, data }) {
    const rest = this.#rest.get(stream) ?? { offset, pieces: [], size: 0 };
    this.#rest.set(stream, rest);
    for (let at = 0; at < data.length;) {
      const end = data.indexOf(10, at) + 1;
      const upTo = Math.min(end || data.length, at + LINE_PIECE - rest.size);
      rest.pieces.push(data.subarray(at, upTo));
      rest.size += upTo - at;
      at = upTo;
      if (at === end || rest.size === LINE_PIECE) yield this.#give(stream, rest);
    }
  }

  *rest() {
    for (const [stream, rest] of this.#rest) if (rest.size > 0) yield this.#give(stream, rest);
  }

  #give(stream, rest) {
    const line = { stream, offset: rest.offset, data: Buffer.concat(rest.pieces, rest.size) };
    rest.offset += rest.size;
    rest.pieces = [];
    rest.size = 0;
    return line;
  }
}

/** Rows of a session's events as they change, each state once, also across connections. */
export class Watched {
  #states = new Map();

  constructor(first) {
    this.first = first; // nothing before it changes any more
  }

  /** Whether this state of it was not told yet. */
  news({ n, state }) {
    const known = this.#states.get(n);
    if (n < this.first || known === state || Watched.#over(known)) return false;
    this.#states.set(n, state);
    for (; Watched.#over(this.#states.get(this.first)); this.first++) this.#states.delete(this.first);
    return true;
  }

  get size() {
    return this.#states.size;
  }

  static #over(state) {
    return state === 'over' || state === 'interrupted';
  }
}
