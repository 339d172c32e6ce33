// What code left behind: its value, what it displayed, its error. The document was written by a program that nobody has read.
import { BadResult, EventFailed, Malformed } from './errors.js';
import * as wire from './wire.js';

const { isCount, isObject, own } = wire;
export const LANGUAGES = ['python', 'node', 'shell'];
export const DOCUMENT_MAX = 16 << 20;
const DEPTH_MAX = 1000;
const CONTAINERS_MAX = 1_000_000;
const NOTHING = { value: null, displays: [], error: null, cut: false };

const isText = (value) => typeof value === 'string';

/** A member of one of these kinds; one that is not there is null. */
function member(object, name, is, where) {
  const value = own(object, name) ?? null;
  if (value !== null && !is(value)) throw new BadResult(`${where}${name} is of another type`);
  return value;
}

function valueOf(given) {
  const text = member(given, 'text', isText, 'value.') ?? '';
  return { text, type: member(given, 'type', isText, 'value.') ?? '', json: own(given, 'json'), hasJson: Object.hasOwn(given, 'json') };
}

// Everything else is text by its nature, or is said as text.
const BINARY = /^(?:image\/(?!svg\+xml)|audio\/|video\/|font\/|application\/(?:pdf|octet-stream|zip)$)/;

function displayOf(given, i) {
  const where = `displays/${i}.`;
  if (!isObject(given)) throw new BadResult(`displays/${i} is of another type`);
  const mime = member(given, 'mime', isText, where);
  const data = member(given, 'data', isText, where);
  if (mime === null || data === null) throw new BadResult(`displays/${i} is incomplete`);
  // Code may call anything a picture: what is no base64 stays the text that it is.
  return { mime, data: (BINARY.test(mime) ? wire.fromBase64(data.replace(/[\r\n]/g, '')) : undefined) ?? data };
}

function frameOf(given, i) {
  const where = `error.frames/${i}.`;
  if (!isObject(given)) throw new BadResult(`error.frames/${i} is of another type`);
  return { file: member(given, 'file', isText, where), line: member(given, 'line', isCount, where), function: member(given, 'function', isText, where),
    source: member(given, 'source', isText, where) };
}

function errorOf(given) {
  const text = (name) => member(given, name, isText, 'error.');
  const count = (name) => member(given, name, isCount, 'error.');
  return { type: text('type') ?? 'Error', message: text('message') ?? '', line: count('line'), column: count('column'), source: text('source'),
    frames: (member(given, 'frames', Array.isArray, 'error.') ?? []).map(frameOf), traceback: text('traceback') ?? '' };
}

/** The document; of none, which is that of a shell or of who died too early, there is nothing to know. */
export function documentOf(bytes) {
  if (bytes.length === 0) return NOTHING;
  const json = wire.utf8(bytes);
  if (json === undefined) throw new BadResult('it is no UTF-8');
  let given;
  try {
    given = wire.readJson(json, DEPTH_MAX, CONTAINERS_MAX);
  } catch (problem) {
    throw new BadResult(problem.message.slice(0, 200));
  }
  if (!isObject(given)) throw new BadResult('it is no object');
  if (own(given, 'v') !== 1) throw new BadResult('it is of another version');
  const value = member(given, 'value', isObject, '');
  const error = member(given, 'error', isObject, '');
  return { value: value && valueOf(value), displays: (member(given, 'displays', Array.isArray, '') ?? []).map(displayOf), error: error && errorOf(error),
    cut: member(given, 'cut', (cut) => typeof cut === 'boolean', '') ?? false };
}

/** What an event of code came to. */
export class CodeResult extends wire.Result {
  #text;

  constructor(session, row, outputs, document = NOTHING) {
    super(session, row, outputs);
    const { value, displays, error, cut } = document;
    this.#text = value?.text ?? '';
    this.value = value === null ? undefined : value.hasJson ? value.json : value.text;
    this.type = value?.type ?? null;
    this.displays = displays;
    this.error = error;
    this.cut = cut;
  }

  /** What the value is shown as; empty if there is none. Standard output is `stdoutText`. */
  get text() {
    return this.#text;
  }

  check() {
    if (this.ok) return this;
    const { error } = this;
    throw new EventFailed(this, error && `${error.type}: ${error.message}${error.line === null ? '' : ` (line ${error.line})`}`);
  }
}

export function codeParams(language, source) {
  if (!LANGUAGES.includes(language)) throw new Malformed(`there is no language '${language}'`, 'USAGE', `there are ${LANGUAGES.join(', ')}`);
  return { language, source: wire.putData(source, 'source') };
}
