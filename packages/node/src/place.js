// Where the daemon is, whether it is ours, and starting it.
import { spawn } from 'node:child_process';
import { accessSync, constants, lstatSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import path from 'node:path';
import { AmbitError, Denied, Gone, Lost, NotFound } from './errors.js';
import { utf8 } from './wire.js';

const START_MS = 60_000;
const CONNECT_MS = 30_000;
const PATH_MAX = 107; // bytes of a socket's path; a longer one would be cut, and be another
const SAID_MAX = 4096; // bytes of what a program says why it failed

const uid = () => process.geteuid();
const isProgram = (file) => {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
};

/** The program that the package for this platform carries, if that is installed. */
function carried() {
  try {
    const found = createRequire(import.meta.url).resolve(`ambit-${process.platform}-${process.arch}/package.json`);
    const file = path.join(path.dirname(found), 'bin', 'ambit');
    return isProgram(file) ? file : undefined;
  } catch {
    return undefined;
  }
}

/** The program `ambit`: that of AMBIT_PROGRAM, the one that a package carries, or the one in PATH. */
export function program() {
  const inPath = () => (process.env.PATH ?? '').split(':').filter((directory) => directory !== '').map((directory) => path.join(directory, 'ambit')).find(isProgram);
  const found = process.env.AMBIT_PROGRAM || carried() || inPath();
  if (!found) throw new NotFound('there is no program `ambit`', 'NOT_FOUND', 'install Ambit, or name the program in AMBIT_PROGRAM');
  return found;
}

const isDirectory = (name) => statSync(name, { throwIfNoEntry: false })?.isDirectory() ?? false;

function state() {
  const { XDG_STATE_HOME: given = '', HOME: home = '' } = process.env;
  if (given.startsWith('/')) return path.join(given, 'ambit');
  return home.startsWith('/') && isDirectory(home) ? path.join(home, '.local', 'state', 'ambit') : `/var/tmp/.ambit-${uid()}`;
}

/** Where the daemon listens: doc/PROTOCOL.md, *Connecting*. */
export function socketPath() {
  const { XDG_RUNTIME_DIR: runtime = '' } = process.env;
  if (runtime.startsWith('/') && isDirectory(runtime) && statSync(runtime).uid === uid()) return path.join(runtime, 'ambit', 'rpc.sock');
  return path.join(state(), 'run', 'rpc.sock');
}

/** Where the daemon of this person listens that was started with another XDG_RUNTIME_DIR: its lock says it. */
export function toldPath() {
  try {
    const directory = utf8(readFileSync(path.join(state(), 'sessions', 'daemon.lock')).subarray(0, 8192))?.split('\n')[1];
    return directory?.startsWith('/') ? path.join(directory, 'rpc.sock') : socketPath();
  } catch {
    return socketPath();
  }
}

function run(file, words) {
  return new Promise((resolve, reject) => {
    const failed = (why) => reject(new Gone('the daemon cannot be started', 'GONE', 'AMBIT_PROGRAM names the program `ambit`', why));
    // A process group and a session of its own: what ends this program's does not end the daemon.
    const child = spawn(file, words, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
    const late = setTimeout(() => {
      child.kill('SIGKILL');
      failed(`it did not come within ${START_MS / 1000} s`);
    }, START_MS);
    let said = Buffer.alloc(0);
    child.stderr.on('data', (piece) => {
      if (said.length < SAID_MAX) said = Buffer.concat([said, piece]).subarray(0, SAID_MAX);
    });
    child.on('error', (problem) => {
      clearTimeout(late);
      failed(problem.message);
    });
    child.on('exit', (status) => {
      clearTimeout(late);
      const told = () => (status === 0 ? resolve() : failed(said.toString().trim().slice(0, 400)));
      if (status === 0 || child.stderr.closed) {
        child.stderr.destroy();
        told();
        return;
      }
      // What it said may come a moment behind its end. Whoever it left behind may hold the pipe open for longer than that.
      const end = setTimeout(() => child.stderr.destroy(), 1000);
      child.stderr.once('close', () => {
        clearTimeout(end);
        told();
      });
    });
  });
}

let starting;

/** Starts it if it is not there; it is nobody's child, and ends when nobody has used it for ten minutes. Who comes meanwhile waits for the same. */
function startDaemon() {
  starting ??= (async () => run(program(), ['ps', '--json']))().finally(() => {
    starting = undefined;
  });
  return starting;
}

/**
 * Who listens there may be somebody else, where the directory is one that anybody can make. Node does not tell who the other side of a connection is, so this looks at
 * whose the names are: a socket that is ours was made by us, in a directory in which nobody else can put another in its place.
 */
export function mine(file) {
  const hint = 'set XDG_RUNTIME_DIR to a directory of your own';
  const directory = path.dirname(file);
  const above = statSync(path.dirname(directory));
  const [at, socket] = [lstatSync(directory), lstatSync(file)];
  if (socket.uid !== uid() || at.uid !== uid()) throw new Denied(`the daemon at ${file} is another user's`, 'DENIED', hint);
  if (!at.isDirectory() || !socket.isSocket()) throw new Denied(`the daemon at ${file} is not to be trusted`, 'DENIED', hint, 'it is a link, or no socket');
  const others = (at.mode & 0o022) !== 0 || (above.uid !== uid() && above.uid !== 0) || ((above.mode & 0o022) !== 0 && (above.mode & 0o1000) === 0);
  if (others) throw new Denied(`the daemon at ${file} is not to be trusted`, 'DENIED', hint, 'other users can put something else in its place');
  return `${socket.dev}:${socket.ino}`;
}

function reach(file) {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ path: file });
    const late = setTimeout(() => socket.destroy(new Error('it does not take connections')), CONNECT_MS);
    socket.once('error', (problem) => {
      clearTimeout(late);
      reject(problem);
    });
    socket.once('connect', () => {
      clearTimeout(late);
      socket.removeAllListeners('error');
      socket.pause();
      resolve(socket);
    });
  });
}

async function attempt(file) {
  if (Buffer.byteLength(file) > PATH_MAX) throw new Error('the path is too long for a socket');
  const before = mine(file);
  const socket = await reach(file);
  socket.on('error', () => {}); // whoever has it next looks for its end
  try {
    if (mine(file) !== before) throw new Error('it was replaced meanwhile');
    return socket;
  } catch (problem) {
    socket.destroy();
    throw problem;
  }
}

/** A connection to the daemon, which is started if it is not there. */
export async function connect() {
  if (process.platform !== 'linux') throw new NotFound('Ambit is for Linux');
  for (let started = false; ; started = true) {
    const file = started && !statSync(socketPath(), { throwIfNoEntry: false }) ? toldPath() : socketPath();
    try {
      return await attempt(file);
    } catch (problem) {
      if (problem instanceof AmbitError) throw problem;
      if (started) throw new Lost('the daemon cannot be reached', 'GONE', null, `${file}: ${problem.message}`);
      await startDaemon();
    }
  }
}
