// What is said and what is heard: lines of JSON-RPC, their bounds, parameters and results. doc/PROTOCOL.md is what is spoken.
import { randomUUID } from 'node:crypto';
import { EventFailed, Limit, Malformed, NotKept, Untrue, errorOf } from './errors.js';

export const PROTOCOL = 1;
export const LINE_MAX = 16 << 20; // the longest answer is a page of sessions, or of a record
export const REQUEST_MAX = 4 << 20; // the daemon takes no longer line
export const HELD_MAX = 4 << 20; // bytes of notes that are held for who waits for something else; what comes then is dropped, and asked for again
export const HELD_ENOUGH = 256 << 10; // for who waits for nothing else: no more is read meanwhile
export const NOTE_ROOM = 512; // what a note takes besides its output
export const PAGE = 256 << 10; // of output or input in a request
export const ATTEMPTS = 5;
export const ANSWER_MS = 120_000; // for what does not wait for an event
const DEPTH_MAX = 64;
const CONTAINERS_MAX = 100_000;

// ---- JSON of others ----

export const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
export const isCount = (value) => Number.isSafeInteger(value) && value >= 0;
const isText = (value) => typeof value === 'string';

/** A member that the object has itself; what it would inherit is nobody's word. */
export const own = (object, name) => (Object.hasOwn(object, name) ? object[name] : undefined);

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/** The index behind the text that begins at this quote; the length if it does not end. */
function behindText(json, at) {
  for (let end = json.indexOf('"', at + 1); end >= 0; end = json.indexOf('"', end + 1)) {
    let slashes = 0;
    while (json.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return end + 1;
  }
  return json.length;
}

/** Whether lists and objects of a JSON text are no more, and stand no deeper. A small text could else take a hundred times its room. */
export function bounded(json, depthMax, containersMax) {
  let depth = 0;
  let containers = 0;
  for (let at = 0; at < json.length;) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) {
      at = behindText(json, at);
      continue;
    }
    if (OPENING.has(code) && (++depth > depthMax || ++containers > containersMax)) return false;
    if (CLOSING.has(code)) depth--;
    at++;
  }
  return true;
}

// A member `__proto__` is data as others are, until somebody copies it. It is left out; an escape can hide it, so any escape is looked behind.
const SUSPICIOUS = /__proto__|\\u00/;
const without = (name, value) => (name === '__proto__' ? undefined : value);

/** Reads JSON of others. Throws SyntaxError, also for what is over the bounds. */
export function readJson(json, depthMax = DEPTH_MAX, containersMax = CONTAINERS_MAX) {
  if (!bounded(json, depthMax, containersMax)) throw new SyntaxError('more, or deeper, than it may be');
  return SUSPICIOUS.test(json) ? JSON.parse(json, without) : JSON.parse(json);
}

const strict = () => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** UTF-8, or undefined. */
export function utf8(bytes) {
  try {
    return strict().decode(bytes);
  } catch {
    return undefined;
  }
}

/** Base64 with padding, and nothing else. */
export function fromBase64(value) {
  const bytes = Buffer.from(value, 'base64');
  return bytes.toString('base64') === value ? bytes : undefined;
}

const HALF = /\p{Surrogate}/u;

// ---- lines ----

/** Cuts what comes into lines; one that is too long is no line of ours. */
export class Lines {
  #pieces = [];
  #size = 0;

  *feed(piece) {
    let at = 0;
    for (let end = piece.indexOf(10); end >= 0; end = piece.indexOf(10, at)) {
      const line = this.#whole(piece.subarray(at, end));
      at = end + 1;
      if (line.length > 0) yield line;
    }
    this.#add(piece.subarray(at));
  }

  #add(piece) {
    this.#size += piece.length;
    if (this.#size > LINE_MAX) throw new Untrue('the daemon said more than a line may have');
    if (piece.length > 0) this.#pieces.push(piece);
  }

  #whole(last) {
    this.#add(last);
    const line = this.#pieces.length === 1 ? this.#pieces[0] : Buffer.concat(this.#pieces, this.#size);
    this.#pieces = [];
    this.#size = 0;
    return line;
  }
}

const finite = (name, value) => {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`${name}: not a number that JSON has`);
  return value;
};

export function putLine(number, method, params) {
  const given = Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined && value !== null));
  let line;
  try {
    line = `${JSON.stringify({ jsonrpc: '2.0', id: number, method, params: given }, finite)}\n`;
  } catch (problem) {
    throw new Malformed(`${method}: what is asked cannot be said in JSON`, 'USAGE', null, problem instanceof Error ? problem.message : String(problem));
  }
  const size = Buffer.byteLength(line);
  if (size > REQUEST_MAX) throw new Limit(`${method}: a request has at most 4 MiB, this has ${size} bytes`, 'LIMIT', 'put it into a file of the workspace');
  return line;
}

/** A message of the form that messages have: an answer (`id`), a note (`method`, `params`), or an error of no request. */
export function takeLine(line) {
  const json = utf8(line);
  let message;
  try {
    message = json === undefined ? undefined : readJson(json);
  } catch {
    message = undefined;
  }
  if (!isObject(message)) throw new Untrue('the daemon said what is no message');
  const id = own(message, 'id') ?? null;
  const error = own(message, 'error') ?? null;
  const answers = isObject(error) || (error === null && isObject(own(message, 'result')));
  const notes = isText(own(message, 'method')) && isObject(own(message, 'params'));
  if (id !== null ? !isCount(id) || !answers : !isObject(error) && !notes) throw new Untrue('the daemon said what is no message');
  return message;
}

export function answerOf(message) {
  const error = own(message, 'error') ?? null;
  if (error !== null) throw errorOf(error);
  return message.result;
}

const untrue = (name) => new Untrue(`the daemon said what it may not: ${name}`);
const KINDS = { bool: (value) => typeof value === 'boolean', count: isCount, text: isText, object: isObject, list: Array.isArray };

/** A member that has to be there: a `bool`, `count`, `text`, `object` or `list`. */
export function part(message, name, kind) {
  const value = own(message, name);
  if (!KINDS[kind](value)) throw untrue(name);
  return value;
}

/** Of freeze, thaw and kill. */
export function haltedOf(answer) {
  return { before: part(answer, 'before', 'bool'), events: part(answer, 'events', 'count'), cancelled: own(answer, 'cancelled') === undefined ? 0 : part(answer, 'cancelled', 'count') };
}

/** The options of freeze, and with `keepFrozen` of kill. */
export function haltParams(options, what) {
  const { reason, keepFrozen } = known(options, what === 'kill' ? ['reason', 'keepFrozen'] : ['reason'], what);
  return { reason, keep_frozen: keepFrozen || undefined };
}

function namesOf(message, name) {
  const names = part(message, name, 'list');
  if (!names.every(isText)) throw untrue(name);
  return Object.freeze([...names]);
}

/** A page of a list, and whether there may be more. An empty page that has more behind it would be asked for without end. */
export function rowsOf(page, name) {
  const rows = part(page, name, 'list');
  if (!rows.every(isObject)) throw untrue(name);
  return [rows, Boolean(own(page, 'more')) && rows.length > 0];
}

/** A page of what is kept. One that begins elsewhere, or has more than was asked for, is not the one that was asked for. */
export function pageOf(page, offset, most) {
  const data = takeData(own(page, 'data'));
  if (part(page, 'offset', 'count') !== offset || data.length > most) throw untrue('offset');
  return data;
}

/** What came with the answer, if it did, and is all of it: what is long is read by pages. */
export function brought(answer, stream, size) {
  const given = own(answer, stream);
  const data = given === undefined || given === null ? undefined : takeData(given);
  return data?.length === size ? data : undefined;
}

export function takeData(value) {
  if (isText(value) && !HALF.test(value)) return Buffer.from(value, 'utf8');
  const b64 = isObject(value) ? own(value, 'b64') : undefined;
  const bytes = isText(b64) ? fromBase64(b64) : undefined;
  if (bytes === undefined) throw untrue('data');
  return bytes;
}

/** Data that may be anything: text where it is that, else base64. */
export function putData(value, what = 'data') {
  if (!isText(value) && !(value instanceof Uint8Array)) throw new Malformed(`${what}: a text, or bytes (Uint8Array)`);
  if (isText(value) && HALF.test(value)) throw new Malformed(`${what}: half a character (a lone surrogate) cannot be said in UTF-8`, 'USAGE', 'give bytes');
  const text = isText(value) ? value : utf8(value);
  if (text !== undefined && !text.includes('\0')) return text;
  return { b64: (isText(value) ? Buffer.from(value) : Buffer.from(value.buffer, value.byteOffset, value.byteLength)).toString('base64') };
}

// ---- results ----

const textOrNull = (value) => (isText(value) ? value : null);

/** How an event is, or how it ended, and what it wrote, as far as that was asked for. */
export class Result {
  #row;
  #session;

  constructor(session, row, { stdout = Buffer.alloc(0), stderr = Buffer.alloc(0), replayed = false } = {}) {
    const outcome = own(row, 'outcome');
    const status = own(row, 'exit_status') ?? null;
    this.#row = row;
    this.#session = session;
    this.session = session.id;
    this.n = part(row, 'n', 'count');
    this.event = part(row, 'event', 'text');
    this.state = part(row, 'state', 'text');
    this.exitStatus = status === null ? null : part(row, 'exit_status', 'count');
    this.stdout = stdout;
    this.stderr = stderr;
    this.denied = Boolean(own(row, 'denied'));
    this.unusual = Boolean(own(row, 'unusual'));
    this.held = Boolean(own(row, 'held'));
    const ended = isObject(outcome) ? outcome : {};
    this.workspace = textOrNull(own(ended, 'workspace'));
    this.cause = textOrNull(own(ended, 'cause'));
    this.limit = textOrNull(own(ended, 'limit'));
    this.code = textOrNull(own(row, 'code'));
    this.message = textOrNull(own(row, 'message'));
    this.hint = textOrNull(own(row, 'hint'));
    this.replayed = replayed;
    this.labels = (own(row, 'labels') ?? null) === null ? null : namesOf(row, 'labels');
  }

  /** All that doc/PROTOCOL.md says of an event; not shown when it is printed. */
  get row() {
    return this.#row;
  }

  get ok() {
    return this.state === 'over' && this.exitStatus === 0;
  }

  get over() {
    return this.state === 'over' || this.state === 'interrupted';
  }

  /** How it ended, in the words of doc/RECORD.md; null before. */
  get outcome() {
    const outcome = own(this.row, 'outcome');
    return isObject(outcome) ? outcome : null;
  }

  /** Its output and its record are not kept any more. */
  get pruned() {
    return Boolean(own(this.row, 'pruned'));
  }

  /** Standard output; what is no UTF-8 is replaced. */
  get text() {
    return this.stdoutText;
  }

  get stdoutText() {
    return this.stdout.toString('utf8');
  }

  get stderrText() {
    return this.stderr.toString('utf8');
  }

  /** What it changed, of its record (doc/RECORD.md, *What was changed*). */
  files() {
    return this.#session.changes(this.n);
  }

  check() {
    if (!this.ok) throw new EventFailed(this);
    return this;
  }
}

export const STREAMS = ['stdout', 'stderr'];

/** An event that is over, of which what it wrote was taken up to there: all of it, or that is told. */
export function whole(result, at, streams = STREAMS) {
  if (streams.some((stream) => at[stream] < part(result.row, `${stream}_bytes`, 'count'))) throw new NotKept(result);
  return result;
}

// ---- what is asked ----

export const ownKey = () => `node-${randomUUID()}`;

/** Options by their names; one that is not known is a mistake, and not silence. */
export function known(options, names, what) {
  if (!isObject(options)) throw new Malformed(`${what}: options are an object`);
  for (const name of Object.keys(options)) {
    if (names.includes(name)) continue;
    const meant = names.find((n) => n.toLowerCase() === name.replaceAll('_', '').toLowerCase());
    throw new Malformed(`${what}: no option '${name}'`, 'USAGE', meant ? `did you mean '${meant}'?` : `there are ${names.join(', ')}`);
  }
  return options;
}

export function argumentsOf(argv) {
  if (!Array.isArray(argv)) throw new Malformed('argv is a list: a program and its arguments', 'USAGE', "run(['sh', '-c', '...'])");
  return argv.map((argument, i) => putData(argument, `argv/${i}`));
}

export function environmentOf(env) {
  if (env === undefined || env === null) return undefined;
  if (!isObject(env)) throw new Malformed('env is an object: values by their names');
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined).map(([name, value]) => [name, putData(value, `env/${name}`)]));
}

/** Of what an event is given. null is no answer: a result has that where nobody knows its labels. */
export function given(labels = []) {
  if (labels === null) throw new Malformed('which labels it is given is not known', 'USAGE', 'labels: [] says that there are none, which somebody has to know');
  if (!Array.isArray(labels)) throw new Malformed('labels are a list of names', 'USAGE', "labels: ['private']");
  return labels.length > 0 ? [...labels] : undefined;
}

const RUN = ['timeout', 'env', 'limits', 'changes', 'strict', 'background', 'onConflict', 'labels', 'key'];
export const RUN_OPTIONS = [...RUN, 'input', 'check', 'signal'];
export const START_OPTIONS = [...RUN, 'input', 'terminal', 'signal'];

/** Limits, and `timeout`: milliseconds, or a text as limits have it. */
export function bounds(limits, timeout) {
  const all = { ...limits };
  if (typeof timeout === 'number' && timeout > 0 && timeout < 1e12) all.wall = `${Math.max(1, Math.floor(timeout))}ms`;
  else if (isText(timeout)) all.wall = timeout;
  else if (timeout !== undefined) throw new Malformed("timeout is a number of milliseconds, more than none, or a text as '30s'", 'USAGE', 'leave it out for no limit');
  return all;
}

/** Of event.run and event.code. */
export function runParams(session, options) {
  const { timeout, env, limits, changes, strict, background, onConflict, labels, key } = options;
  const all = bounds(limits, timeout);
  return { session, env: environmentOf(env), limits: Object.keys(all).length > 0 ? all : undefined, changes, strict: strict || undefined,
    background: background || undefined, on_conflict: onConflict, labels: given(labels), key: key ?? ownKey() };
}

export function terminalParams(terminal) {
  if (terminal === undefined || terminal === false) return {};
  const { rows, columns } = known(terminal === true ? {} : terminal, ['rows', 'columns'], 'terminal');
  return { terminal: true, rows, columns };
}

/** Of a text, or bytes; anything else is a mistake. */
export function bytesOf(data, what) {
  if (isText(data) && !HALF.test(data)) return Buffer.from(data);
  if (!(data instanceof Uint8Array)) throw new Malformed(`${what} is a text of whole characters, or bytes (Uint8Array)`);
  return data;
}

/** Of a program's standard input, as event.input takes them. */
export function* pieces(data, end) {
  const bytes = bytesOf(data, 'input');
  for (let at = 0; at < Math.max(1, bytes.length); at += PAGE) {
    const piece = bytes.subarray(at, at + PAGE);
    yield { data: piece.length > 0 ? putData(piece) : undefined, end: (end && at + PAGE >= bytes.length) || undefined };
  }
}

/** 'SIGTERM', 'TERM' or 15. */
export const signalOf = (signal) => (isText(signal) ? signal.replace(/^SIG/, '') : signal);
