// Sub-agents: a program that runs in a cell asks for another cell beside its own, by `ambit run` there (man ambit-run, SUB-AGENTS).
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { AmbitError, Malformed, NotFound, Untrue, errorOf } from './errors.js';
import { program } from './place.js';
import { bounds, bytesOf, isObject, known, own, part, readJson, takeData, utf8 } from './wire.js';

const MARK = '/.ambit-cell';
const SAID_MAX = 400; // bytes of what the program said last, where it did not say what became of it
const OPTIONS = ['grants', 'agent', 'limits', 'timeout', 'workspace', 'input', 'signal', 'background'];

/** How a sub-agent ended, and what it wrote. Its record is where its caller's is; what it changed is its caller's. */
export class Delegated {
  constructor(exitStatus, said) {
    const outcome = part(said, 'outcome', 'object');
    const output = part(said, 'output', 'object');
    const [stdout, stderr] = ['stdout', 'stderr'].map((name) => part(output, name, 'object'));
    const limit = own(outcome, 'limit');
    this.event = own(said, 'event') === null ? '' : part(said, 'event', 'text');
    this.exitStatus = exitStatus;
    this.stdout = takeData(own(stdout, 'data'));
    this.stderr = takeData(own(stderr, 'data'));
    this.cause = part(outcome, 'cause', 'text');
    this.limit = typeof limit === 'string' ? limit : null;
    this.cut = Boolean(own(stdout, 'cut')) || Boolean(own(stderr, 'cut'));
  }

  get ok() {
    return this.exitStatus === 0;
  }

  /** Standard output; what is no UTF-8 is replaced. */
  get text() {
    return this.stdout.toString('utf8');
  }
}

/** As on the command line: `--work .` */
function grantOf(grant) {
  let text = grant;
  if (isObject(grant)) {
    const [[verb, object] = [], ...more] = Object.entries(grant);
    text = more.length === 0 && typeof object === 'string' ? `${verb} ${object}` : undefined;
  }
  if (typeof text !== 'string') throw new Malformed('a grant of a sub-agent is a text, or an object of one verb', 'USAGE', "'connect example.com:443 http=read'");
  const [, verb, rest] = /^\s*(\S*)\s*([^]*?)\s*$/.exec(text);
  return rest === '' ? [`--${verb}`] : [`--${verb}`, rest];
}

function wordsOf(argv, options) {
  const { grants = [], agent, limits, timeout, workspace, background } = known(options, OPTIONS, 'delegate');
  if (!Array.isArray(argv) || argv.length === 0 || !argv.every((word) => typeof word === 'string')) {
    throw new Malformed('argv is a list of texts: a program and its arguments', 'USAGE', "delegate(['sh', '-c', '...'])");
  }
  if (!Array.isArray(grants)) throw new Malformed('grants are a list', 'USAGE', "grants: ['read .']");
  const one = (name, value) => (value === undefined ? [] : [`--${name}`, String(value)]);
  if (background !== undefined && typeof background !== 'boolean') throw new Malformed('background is true or false', 'USAGE', 'background: true');
  return ['run', '--json', ...(background ? ['--background'] : []), ...grants.flatMap(grantOf), ...one('agent', agent), ...one('workspace', workspace),
    ...Object.entries(bounds(limits, timeout)).flatMap(([name, value]) => one('limit', `${name}=${value}`)), '--', ...argv];
}

function run(words, input, signal) {
  return new Promise((resolve, reject) => {
    const child = spawn(program(), words, { stdio: ['pipe', 'pipe', 'pipe'], signal, killSignal: 'SIGKILL' });
    const said = { stdout: [], stderr: [] };
    for (const [name, pieces] of Object.entries(said)) child[name].on('data', (piece) => pieces.push(piece));
    child.on('error', (problem) => {
      const gone = new NotFound('the program `ambit` cannot be started here', 'NOT_FOUND', 'grant it to the cell: run PATH', problem.message);
      reject(signal?.aborted ? signal.reason : gone);
    });
    child.on('close', (status) => resolve({ status, out: Buffer.concat(said.stdout), err: Buffer.concat(said.stderr) }));
    child.stdin.on('error', () => {}); // it read no more
    child.stdin.end(input);
  });
}

function sayingOf(out) {
  try {
    return readJson(utf8(out) ?? '');
  } catch {
    return undefined;
  }
}

/**
 * In a cell that was granted `delegate`, and `run` of the program `ambit`: runs a command in a cell beside it, to its end. It gets no more than this one has: what `grants` name;
 * without any all that can be given on. Aborted, it ends. With `background` it is handed over to the session, as an event of which this gives the id once it has begun.
 */
export async function delegate(argv, options = {}) {
  if (!existsSync(MARK)) throw new AmbitError('this is in no cell', 'UNAVAILABLE', 'session.run runs a command in one', 'sub-agents are asked for by what runs in a cell');
  const words = wordsOf(argv, options);
  options.signal?.throwIfAborted();
  const { status, out, err } = await run(words, options.input === undefined ? '' : bytesOf(options.input, 'input'), options.signal);
  const said = sayingOf(out);
  if (!isObject(said)) throw new Untrue('the program `ambit` did not say what became of it', 'PROTOCOL', null, err.subarray(-SAID_MAX).toString().trim() || `it ended with ${status}`);
  const outcome = own(said, 'outcome');
  if (own(said, 'error') !== undefined) throw errorOf(said.error);
  if (isObject(outcome) && own(outcome, 'cause') === 'refused') throw errorOf(own(outcome, 'error'));
  return new Delegated(status, said);
}
