// A connection to the daemon, and sessions on it.
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CodeResult, DOCUMENT_MAX, codeParams, documentOf } from './code.js';
import { BadResult, Lost, Malformed, NotKept, Silent, Untrue } from './errors.js';
import { Event } from './event.js';
import { Source, isStream, pour } from './give.js';
import { Kernel, kernelParams } from './kernel.js';
import { Connection, again, onAbort, once, until } from './link.js';
import { NOWHERE, Watched } from './take.js';
import * as wire from './wire.js';

const { own, part } = wire;
const GIVE_UP_MS = 5000; // that who aborts waits for the event to be cancelled
const RECORD_MAX = 128 << 20;
const RECORD_CONTAINERS = 1_000_000;
const CHANGES = new Set(['added', 'modified', 'deleted', 'renamed', 'mode', 'link']);
const isNone = (value) => value === undefined || value === null;
const OPTIONS = ['work', 'workspace', 'grants', 'policy', 'presets', 'env', 'limits', 'agent', 'base', 'observe', 'without', 'changes', 'strict', 'maxEvents', 'maxWall', 'maxCpu',
  'keepTime', 'keepBytes', 'key'];

function listOf(value, name, example) {
  if (value !== undefined && !Array.isArray(value)) throw new Malformed(`${name} is a list`, 'USAGE', example);
  return value ?? [];
}

/** Grants are texts as on the command line, or objects as in a policy file. */
function sessionParams(options) {
  const { work, workspace, grants, policy, presets, env, key, strict, maxEvents, maxWall, maxCpu, keepTime, keepBytes, ...same } = wire.known(options, OPTIONS, 'session');
  if (work !== undefined && workspace !== undefined) throw new Malformed('work names the workspace, and workspace does, too', 'USAGE', 'give one of the two');
  const place = work ?? workspace ?? '.';
  const given = listOf(grants, 'grants', "grants: ['work .']");
  const texts = given.filter((grant) => typeof grant === 'string');
  const objects = given.filter((grant) => typeof grant !== 'string');
  if (objects.length > 0 && policy !== undefined) throw new Malformed('grants as objects belong into the policy that is given, too', 'USAGE', 'give one of the two');
  if (work !== undefined && !texts.includes('work .')) texts.unshift('work .');
  if (typeof place !== 'string') throw new Malformed('work, or workspace, is the path of a directory');
  return { ...same, workspace: wire.putData(path.resolve(place), 'workspace'), grants: texts.length > 0 ? texts : undefined,
    policy: objects.length > 0 ? { version: 1, grants: objects } : policy, presets: presets && listOf(presets, 'presets'), env: wire.environmentOf(env),
    strict: strict || undefined,
    max_events: maxEvents, max_wall: maxWall, max_cpu: maxCpu, keep_time: keepTime, keep_bytes: keepBytes, key: key ?? wire.ownKey() };
}

/** What a program is to read: bytes, or chunk after chunk. */
function inputOf(input) {
  if (input === undefined) return undefined;
  if (!isStream(input)) return wire.bytesOf(input, 'input');
  if (input.locked === true) throw new Malformed('input is a stream that somebody reads already');
  return new Source(input);
}

/** A connection to your daemon, which is started if it is not there. `patience`: milliseconds for an answer that does not wait for a program. */
export class Client {
  #patience;
  #connection;

  constructor(options = {}) {
    const { patience = wire.ANSWER_MS } = wire.known(options, ['patience'], 'connect');
    if (!(patience > 0 && patience < 2 ** 31)) throw new Malformed('patience is a number of milliseconds, more than none');
    this.#patience = patience;
    this.#connection = new Connection(patience, false);
  }

  #ask(method, params = {}) {
    return again(this.#connection, null, () => this.#connection.ask(method, params));
  }

  /** Connects; whatever is asked does that, too. */
  async connect() {
    await again(this.#connection, null, async () => {});
    return this;
  }

  /** Sessions and what runs go on. What is asked and not answered yet fails (Closed); whatever is asked next connects again. */
  close() {
    this.#connection.close();
  }

  async status() {
    return this.#ask('daemon.status');
  }

  /** Stops everything of yours where it is, also outside of sessions: nothing begins (Frozen) until thawAll. `reason` is told whoever is refused meanwhile. */
  async freezeAll(options = {}) {
    return wire.haltedOf(await this.#ask('freeze', { everything: true, ...wire.haltParams(options, 'freeze') }));
  }

  /** Lets everything go on, also what was frozen by itself. */
  async thawAll() {
    return wire.haltedOf(await this.#ask('thaw', { everything: true }));
  }

  /** Freezes everything and ends it. With `keepFrozen` nothing begins until thawAll. */
  async killAll(options = {}) {
    const params = { everything: true, ...wire.haltParams(options, 'kill') };
    return wire.haltedOf(await once(this.#connection, null, () => this.#connection.ask('kill', params)));
  }

  /** The rows of all sessions. */
  async *sessions() {
    let after;
    for (let more = true; more;) {
      let rows;
      [rows, more] = wire.rowsOf(await this.#ask('session.list', { after }), 'sessions');
      yield* rows;
      after = more ? part(rows.at(-1), 'session', 'text') : undefined;
    }
  }

  /** A new one. */
  session(options = {}) {
    return this.#make(options, false);
  }

  async #make(options, ownClient) {
    const id = part(await this.#ask('session.new', sessionParams(options)), 'session', 'text');
    return new Session(this, this.#connection, this.#patience, id, ownClient);
  }

  /** One that is there. */
  async open(session) {
    if (typeof session !== 'string') throw new Malformed("a session's id is a text");
    await again(this.#connection, session, async () => {});
    return new Session(this, this.#connection, this.#patience, session, false);
  }

  /** A new one with a client of its own, which goes with it. */
  static async session(options = {}) {
    const { patience, ...rest } = wire.known(options, ['patience', ...OPTIONS], 'session');
    const client = new Client(patience === undefined ? {} : { patience });
    try {
      return await client.#make(rest, true);
    } catch (problem) {
      client.close();
      throw problem;
    }
  }
}

/** Events that share grants and a workspace. It outlives this program, and is found again by its id, until it is ended. */
export class Session {
  #client;
  #connection;
  #patience;
  #own;

  /** By Client alone. */
  constructor(client, connection, patience, id, ownClient) {
    this.#client = client;
    this.#connection = connection;
    this.#patience = patience;
    this.#own = ownClient;
    this.id = id;
  }

  get client() {
    return this.#client;
  }

  #ask(method, params = {}) {
    return again(this.#connection, this.id, () => this.#connection.ask(method, { session: this.id, ...params }));
  }

  /** Ends what runs; results stay for their time. A connection of its own is closed. */
  async end() {
    await this.#ask('session.end');
    this.close();
  }

  /** Closes a connection that is this session's own. The session stays. */
  close() {
    if (this.#own) this.client.close();
  }

  /** Stops what runs of it where it is: nothing of it begins (Frozen) until thaw. It is so when this is fulfilled. `reason` is told whoever is refused meanwhile. */
  async freeze(options = {}) {
    return wire.haltedOf(await this.#ask('freeze', wire.haltParams(options, 'freeze')));
  }

  /** Lets it go on, as if nothing had been. */
  async thaw() {
    return wire.haltedOf(await this.#ask('thaw'));
  }

  /** Freezes it, so that nothing gets away, and ends what runs and waits. The session stays; with `keepFrozen` nothing begins in it until thaw. Once: what began since then is not meant. */
  async kill(options = {}) {
    const params = { session: this.id, ...wire.haltParams(options, 'kill') };
    return wire.haltedOf(await once(this.#connection, this.id, () => this.#connection.ask('kill', params)));
  }

  /** The session's row: `state`, `events`, `running`, ... */
  show() {
    return this.#ask('session.show');
  }

  // ---- what is run ----

  /**
   * Runs a command to its end. What was begun is never begun twice: it has a key, yours or one of its own, and is asked for again by that if the daemon dies.
   * Aborted (`signal`), one without a key of yours is cancelled, since nobody would find it; one with a key goes on.
   */
  async run(argv, options = {}) {
    wire.known(options, wire.RUN_OPTIONS, 'run');
    return this.#toEnd('event.run', { argv: wire.argumentsOf(argv) }, options, (row, outputs) => wire.whole(...this.#all(new wire.Result(this, row, outputs))));
  }

  python(source, options) {
    return this.code('python', source, options);
  }

  node(source, options) {
    return this.code('node', source, options);
  }

  shell(source, options) {
    return this.code('shell', source, options);
  }

  /** Runs code to its end: as run(), with its value, what it displayed, and its error. */
  async code(language, source, options = {}) {
    wire.known(options, wire.RUN_OPTIONS, language);
    return this.#toEnd('event.code', codeParams(language, source), options, (row, outputs) => this.#codeResult(row, outputs));
  }

  /** A kernel of 'python' or 'node': `const k = await s.kernel('python'); await k.run('x = 1'); (await k.run('x + 1')).value`. The same `name` is the same kernel, as long as it is there. */
  async kernel(language = 'python', options = {}) {
    const answer = await this.#ask('kernel.start', kernelParams(language, options));
    return new Kernel(this, this.#connection, { language, n: part(answer, 'n', 'count'), event: part(answer, 'event', 'text'), replayed: Boolean(own(answer, 'replayed')) });
  }

  async #codeResult(row, outputs) {
    const bare = wire.whole(...this.#all(new CodeResult(this, row, outputs)));
    const size = part(row, 'result_bytes', 'count');
    if (size > DOCUMENT_MAX) throw new BadResult('it is larger than 16 MiB', bare);
    const bytes = outputs.result ?? (await this.read(bare.n, 'result', { size }));
    if (bytes.length < size) throw new NotKept(bare);
    try {
      return new CodeResult(this, row, outputs, documentOf(bytes));
    } catch (problem) {
      throw problem instanceof BadResult ? new BadResult(problem.why, bare) : problem;
    }
  }

  #all(result) {
    return [result, { stdout: result.stdout.length, stderr: result.stderr.length }];
  }

  async #toEnd(method, what, options, result) {
    const { input, signal, key, check } = options;
    const asked = { ...wire.runParams(this.id, options), ...what };
    const given = inputOf(input);
    const params = { ...asked, input: given && true };
    const begun = { asked: 0 };
    const whole = async () => {
      const { row, ...outputs } = given === undefined ? await this.#ran(method, params, begun, signal) : await this.#fed(method, params, given, begun, signal);
      return result(row, outputs);
    };
    try {
      signal?.throwIfAborted();
      const found = await until(signal, whole());
      return check ? found.check() : found;
    } catch (problem) {
      if (signal?.aborted && (isNone(key) || given instanceof Source) && begun.asked > 0) await this.#giveUp(method, params);
      throw problem;
    } finally {
      if (given instanceof Source) given.leave();
    }
  }

  async #ran(method, params, begun, signal) {
    const answer = await again(this.#connection, this.id, () => {
      begun.asked++;
      return this.#connection.ask(method, { ...params, wait: true, follow: false, output: true }, { unbounded: true, signal });
    }, signal);
    const row = part(answer, 'row', 'object');
    const n = part(row, 'n', 'count');
    const sizes = wire.STREAMS.map((stream) => part(row, `${stream}_bytes`, 'count'));
    const [stdout, stderr] = await Promise.all(
      wire.STREAMS.map((stream, i) => wire.brought(answer, stream, sizes[i]) ?? this.read(n, stream, { size: sizes[i] })),
    );
    const result = method === 'event.code' ? wire.brought(answer, 'result', part(row, 'result_bytes', 'count')) : undefined;
    return { row, stdout, stderr, result, replayed: Boolean(own(answer, 'replayed')) };
  }

  async #fed(method, params, input, begun, signal) {
    const event = await this.#begin(method, params, true, begun, signal);
    const leave = onAbort(signal, () => event.close());
    try {
      signal?.throwIfAborted();
      if (!(input instanceof Source)) await event.write(input, { end: true });
      else if (!event.replayed || begun.asked > 1) await this.#pour(event, input); // what another has begun has what that one gives it
      const { row, stdout, stderr } = await event.wait();
      return { row, stdout, stderr, replayed: event.replayed };
    } finally {
      leave();
      event.close();
    }
  }

  /** Gives it a stream, to its end or as far as the event reads. What does not get the rest of its input is not what was asked for: it is cancelled. */
  async #pour(event, source) {
    const over = event.wait();
    over.catch(() => {}); // who asks for the end is told
    try {
      await Promise.race([over, pour(source, event)]);
    } catch (problem) {
      await this.#soon(event.cancel());
      throw problem;
    }
  }

  /** The same request gives the number of what it began. Why it was given up is what is told, whatever comes of this. */
  async #giveUp(method, params) {
    const cancel = async () => {
      const n = part(await this.#ask(method, { ...params, follow: false }), 'n', 'count');
      await this.#ask('event.cancel', { n });
    };
    await this.#soon(cancel());
  }

  async #soon(done) {
    await Promise.race([done.catch(() => {}), sleep(GIVE_UP_MS, undefined, { ref: false })]);
  }

  /**
   * Begins a command, on a connection of its own: what it writes comes as you take it. `terminal`: `{ rows, columns }` of one.
   * Aborted (`signal`), one without a key of yours is cancelled, whether it has begun or not, until it is over or closed.
   */
  async start(argv, options = {}) {
    const { input, terminal, signal, key } = wire.known(options, wire.START_OPTIONS, 'start');
    if (input !== undefined && typeof input !== 'boolean') throw new Malformed('start: input is true or false', 'USAGE', 'give what it reads by stdin, or write(); run() takes streams');
    const params = { ...wire.runParams(this.id, options), argv: wire.argumentsOf(argv), input: input || undefined, ...wire.terminalParams(terminal) };
    const begun = { asked: 0 };
    try {
      signal?.throwIfAborted();
      return await this.#begin('event.run', params, Boolean(input || params.terminal), begun, signal, isNone(key) ? signal : undefined);
    } catch (problem) {
      if (signal?.aborted && isNone(key) && begun.asked > 0) await this.#giveUp('event.run', params);
      throw problem;
    }
  }

  /** `signal`: until it has begun; `cancels`: afterwards. */
  async #begin(method, params, takes, begun, signal, cancels) {
    const connection = new Connection(this.#patience, true);
    try {
      const answer = await again(connection, this.id, () => {
        begun.asked++;
        return connection.ask(method, params, { signal });
      }, signal);
      signal?.throwIfAborted();
      return new Event(this, connection, { n: part(answer, 'n', 'count'), event: part(answer, 'event', 'text'), takes, on: connection.made,
        replayed: Boolean(own(answer, 'replayed')), signal: cancels });
    } catch (problem) {
      connection.close();
      throw problem;
    }
  }

  // ---- what is there ----

  /** An event that is there. */
  event(n) {
    return this.follow(n);
  }

  /** An event that is there, to be taken from these bytes on. */
  async follow(n, options = {}) {
    const { stdout = 0, stderr = 0 } = wire.known(options, wire.STREAMS, 'follow');
    const row = await this.#ask('event.show', { n });
    const takes = Boolean(own(row, 'input')) || Boolean(own(row, 'terminal'));
    return new Event(this, new Connection(this.#patience, true), { n, event: part(row, 'event', 'text'), takes, on: NOWHERE, at: { stdout, stderr } });
  }

  /** The rows of its events. */
  async *events(options = {}) {
    let { first = 1 } = wire.known(options, ['first'], 'events');
    for (let more = true; more;) {
      let rows;
      [rows, more] = wire.rowsOf(await this.#ask('event.list', { from: first }), 'events');
      yield* rows;
      first = more ? part(rows.at(-1), 'n', 'count') + 1 : first;
    }
  }

  /** How its events are, and how that changes, without end; across deaths of the daemon, too. */
  async *watch(options = {}) {
    const { first = 1, signal } = wire.known(options, ['first', 'signal'], 'watch');
    const watched = new Watched(first);
    const connection = new Connection(this.#patience, true);
    const leave = onAbort(signal, () => connection.close());
    try {
      for (let lost = 0; ;) {
        signal?.throwIfAborted();
        try {
          for await (const row of this.#look(watched.first, connection)) {
            const result = new wire.Result(this, row);
            if (!watched.news(result)) continue;
            lost = 0;
            yield result;
          }
        } catch (problem) {
          signal?.throwIfAborted();
          if (!(problem instanceof Lost) || problem instanceof Untrue || problem instanceof Silent || ++lost > wire.ATTEMPTS) throw problem;
          connection.drop(problem);
        }
      }
    } finally {
      leave();
      connection.close();
    }
  }

  /** The list, and what changes from there on, as long as the connection is there and all that is told has room. */
  async *#look(from, connection) {
    let first = from;
    for (let more = true, follow = true; more; follow = false) {
      let rows;
      const page = await again(connection, this.id, () => connection.ask('event.list', { session: this.id, from: first, follow: follow || undefined }));
      [rows, more] = wire.rowsOf(page, 'events');
      yield* rows;
      first = more ? part(rows.at(-1), 'n', 'count') + 1 : first;
    }
    while (true) {
      const note = await connection.note();
      if (note === null) throw new Lost('more changed than there was room for');
      if (note.method === 'session.lost') throw new Lost("the session's process ended");
      if (note.method === 'event.changed' && own(note.params, 'session') === this.id) yield note.params;
    }
  }

  /** What is kept of an event: 'stdout', 'stderr', 'record', or 'result'. */
  async read(n, stream, options = {}) {
    const { offset = 0, size = Infinity } = wire.known(options, ['offset', 'size'], 'read');
    const found = [];
    for (let at = offset; at < offset + size;) {
      const most = Math.min(offset + size - at, wire.PAGE);
      const data = wire.pageOf(await this.#ask('event.read', { n, stream, offset: at, bytes: most }), at, most);
      if (data.length === 0) break;
      found.push(data);
      at += data.length;
    }
    return Buffer.concat(found);
  }

  /** The record of an event that is over, JSON (doc/RECORD.md). */
  async record(n) {
    const bytes = await this.read(n, 'record', { size: RECORD_MAX + 1 });
    if (bytes.length > RECORD_MAX) throw new Untrue('the record is larger than one may be');
    return bytes;
  }

  /** What an event that is over changed, of its record (doc/RECORD.md, *What was changed*). Names that are no UTF-8 are bytes. */
  async changes(n) {
    const json = wire.utf8(await this.record(n));
    let record;
    try {
      record = json === undefined ? undefined : wire.readJson(json, undefined, RECORD_CONTAINERS);
    } catch {
      record = undefined;
    }
    if (!wire.isObject(record)) throw new Untrue('the record is not well-formed');
    const nameOf = (value) => (typeof value === 'string' ? value : wire.takeData(value));
    return part(record, 'effects', 'list').filter((effect) => wire.isObject(effect) && CHANGES.has(own(effect, 'kind')) && own(effect, 'source') === 'proved')
      .map((effect) => ({ ...effect, path: nameOf(own(effect, 'path')), ...(Object.hasOwn(effect, 'from') ? { from: nameOf(effect.from) } : {}) }));
  }
}

if (Symbol.asyncDispose !== undefined) {
  Object.defineProperty(Session.prototype, Symbol.asyncDispose, { value: async function dispose() {
    try {
      await this.end();
    } finally {
      this.close();
    }
  } });
  Object.defineProperty(Client.prototype, Symbol.asyncDispose, { value: async function dispose() {
    this.close();
  } });
}
