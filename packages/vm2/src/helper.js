// The program `ambit cells`, which makes cells and lends them: one for each thread that uses this package (doc/CELLS.md).
'use strict';
const fs = require('fs');
const net = require('net');
const path = require('path');
const { spawnSync } = require('child_process');
const { EventEmitter } = require('events');
const { isMainThread } = require('worker_threads');
const { VMError } = require('./errors.js');

const VERSION = 1;
const START_MS = 30_000;
const FORMS_MAX = 32;
const LOOK_MS = 10; // between two looks at the bell, in a thread that is not the first
const { O_RDONLY, O_WRONLY, O_NONBLOCK } = fs.constants;

function isProgram(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

function carried() {
  try {
    return path.join(path.dirname(require.resolve(`ambit-${process.platform}-${process.arch}/package.json`)), 'bin', 'ambit');
  } catch {
    return '';
  }
}

/** The program `ambit`: that of AMBIT_PROGRAM, the one that a package for this platform carries, or the one in PATH. */
function program() {
  const inPath = (process.env.PATH ?? '').split(':').filter((directory) => directory !== '').map((directory) => path.join(directory, 'ambit'));
  const found = process.env.AMBIT_PROGRAM || [carried(), ...inPath].find((file) => file !== '' && isProgram(file));
  if (!found) throw new VMError('there is no program `ambit`, which makes the cells', 'ENOAMBIT', 'install Ambit, or name the program in AMBIT_PROGRAM');
  return found;
}

function begin() {
  const file = program();
  const made = spawnSync(file, ['cells'], { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8', timeout: START_MS });
  const said = /^ambit-cells (\d+) (\d+) (\d+) (\d+) (\d+)\n$/.exec(made.stdout ?? '');
  if (said === null) throw new VMError(`\`${file} cells\` does not start: ${made.error?.message ?? (made.stderr.trim().split('\n')[0] || `status ${made.status}`)}`, 'ENOAMBIT', 'AMBIT_PROGRAM names the program `ambit`, of the version of this package or later');
  if (+said[1] !== VERSION) throw new VMError(`\`${file}\` speaks version ${said[1]} of what this package speaks as version ${VERSION}`, 'ENOAMBIT', 'install the two of the same version');
  return { pid: +said[2], say: +said[3], told: +said[4], bell: +said[5] };
}

/** What a hint says in words of the command line. */
const inOptions = (hint) => hint.replace(/--no-ledger\b/g, '`ambit: { ledger: false }`').replace(/--(ledger|read|write|work|run|connect|listen|env|agent|observe|workspace)\b/g, '`ambit: { $1 }`').replace(/--(limit|limits)\b/g, '`ambit: { limits }`');

class Helper {
  constructor() {
    const { pid, say, told, bell } = begin();
    this.pid = pid;
    this.toSay = this.open(say, O_WRONLY);
    this.told = this.open(told, O_RDONLY);
    this.bell = null;
    this.bellFd = this.open(bell, O_RDONLY | O_NONBLOCK);
    this.came = '';
    this.room = Buffer.allocUnsafeSlow(65536);
    this.forms = new Map(); // by how many wait, and their messages
    this.lastForm = 0;
    this.later = [];
    this.coming = []; // forms of which a cell was asked for in advance, in order
    this.cells = new Map(); // number -> WeakRef of a cell
    this.awaited = new Set(); // cells that keep the process there
  }

  /** One of its descriptors, as one of ours: another description of the same pipe. */
  open(fd, flags) {
    return fs.openSync(`/proc/${this.pid}/fd/${fd}`, flags);
  }

  /** Said with what is said next, or when a cell has got what it waits for: then it takes nobody's time. */
  sayLater(...messages) {
    this.later.push(...messages);
  }

  flush() {
    if (this.later.length > 0) this.say();
  }

  say(...messages) {
    if (this.toSay < 0) throw this.gone();
    const data = Buffer.from(`${[...this.later, ...messages].join('\0')}\0`);
    this.later = [];
    try {
      for (let at = 0; at < data.length; ) at += fs.writeSync(this.toSay, data, at);
    } catch (problem) {
      throw this.gone(problem);
    }
  }

  /** Its next answer, as lines. Waits. */
  answer() {
    this.flush(); // what it answers may not have been said yet
    for (;;) {
      const end = this.came.indexOf('\0');
      if (end >= 0) {
        const lines = this.came.slice(0, end).split('\n');
        this.came = this.came.slice(end + 1);
        return lines;
      }
      const n = fs.readSync(this.told, this.room, 0, this.room.length, null);
      if (n === 0) throw this.gone();
      this.came += this.room.toString('utf8', 0, n);
    }
  }

  ask(...messages) {
    this.say(...messages);
    this.settle(null);
    return this.checked(this.answer());
  }

  checked(lines) {
    if (lines[0] !== 'error') return lines;
    const [, code, message, hint, why] = lines;
    throw new VMError(`${message}${why ? `: ${why}` : ''}`, code, inOptions(hint) || undefined);
  }

  /** The number of the form that cells with these messages have; `ready`: so many wait; `identity`: of what they name. */
  form(messages, ready, identity) {
    if (messages.some((it) => it.includes('\0'))) throw new VMError('what a sandbox is made of has no NUL', 'EOPTION');
    const key = [ready, identity, ...messages].join('\0');
    let form = this.forms.get(key);
    if (form === undefined) {
      while (this.forms.size >= FORMS_MAX) this.free(...this.forms.entries().next().value);
      form = { number: ++this.lastForm, ready, asked: false, lines: null };
      this.ask(`form ${form.number}`, ...messages, `ready ${ready}`, 'done');
    } else {
      this.forms.delete(key);
    }
    this.forms.set(key, form); // the one that was used longest ago is the first
    return form;
  }

  free(key, form) {
    if (form.asked) {
      this.settle(form);
      if (form.lines[0] === 'cell') this.say(`drop ${form.lines[1]}`);
    }
    this.say(`free ${form.number}`);
    this.forms.delete(key);
  }

  /** A cell of that form: its number, and our ends of its pipes. Where cells wait, the next one is asked for already, so that it is at hand. */
  take(form) {
    const lines = form.asked ? this.next(form) : this.ask(`take ${form.number}`);
    form.asked = false;
    const [, number, to, from] = lines;
    const lent = { number: +number, down: -1, up: -1, beside: -1 };
    try {
      lent.down = this.open(to, O_WRONLY | O_NONBLOCK);
      lent.up = this.open(from, O_RDONLY);
    } catch (problem) { // nobody would ever let go of it
      this.drop(lent);
      throw problem;
    }
    if (form.ready > 0) {
      this.sayLater(`opened ${number}`, `take ${form.number}`);
      form.asked = true;
      this.coming.push(form);
    } else {
      this.sayLater(`opened ${number}`);
    }
    return lent;
  }

  /** The answer to what was asked in advance, before which others may come. */
  next(form) {
    this.settle(form);
    const { lines } = form;
    form.lines = null;
    form.asked = false; // also if it was refused
    return this.checked(lines);
  }

  /** Answers come in order: those to what was asked in advance are kept; up to that of `form`, or all. */
  settle(form) {
    while (this.coming.length > 0) {
      const first = this.coming.shift();
      first.lines = this.answer();
      if (first === form) return;
    }
  }

  arm(number, ms) {
    this.say(`arm ${number} ${ms}`);
  }

  /** How that cell ended; waits for its end. */
  why(number) {
    const [, cause, how, code, message, hint, why] = this.ask(`why ${number}`);
    return { cause, how, code, message, hint, why };
  }

  drop(lent) {
    for (const fd of [lent.down, lent.up, lent.beside]) if (fd >= 0) fs.closeSync(fd);
    lent.down = lent.up = lent.beside = -1;
    this.cells.delete(lent.number);
    try {
      this.say(`drop ${lent.number}`);
    } catch {} // it has ended, and its cells with it
  }

  /** Something may come of that cell while nobody waits for it. */
  listen(cell) {
    this.cells.set(cell.lent.number, new WeakRef(cell));
    if (this.bell !== null) return;
    this.bell = isMainThread ? this.heard() : this.lookedAt();
    this.bell.on('data', () => this.pump());
    this.bell.on('error', () => {});
    this.bell.on('close', () => this.over());
    this.bell.unref();
  }

  heard() {
    return new net.Socket({ fd: this.bellFd, readable: true, writable: false });
  }

  /** The end of a thread closes what its `fs` opened, and its sockets theirs: a descriptor of both is closed twice, and the second time it may be another thread's. */
  lookedAt() {
    const it = new EventEmitter(), timer = setInterval(() => {
      try {
        if (fs.readSync(this.bellFd, this.room, 0, this.room.length, null) === 0) return it.destroy();
      } catch {
        return; // it did not ring
      }
      it.emit('data');
    }, LOOK_MS);
    it.destroy = () => {
      if (this.bellFd < 0) return;
      clearInterval(timer);
      fs.closeSync(this.bellFd);
      this.bellFd = -1;
      setImmediate(() => it.emit('close'));
    };
    it.ref = () => timer.ref();
    it.unref = () => timer.unref();
    return it;
  }

  /** It has ended, or what it says is not understood: who waits for something in one of its cells waits no longer. */
  over() {
    const problem = this.gone();
    for (const ref of [...this.cells.values()]) ref.deref()?.end(problem);
  }

  pump() {
    for (const ref of [...this.cells.values()]) ref.deref()?.pump();
  }

  /** It has ended: the next sandbox begins another. */
  gone(problem) {
    if (helper === this) helper = null;
    if (this.toSay >= 0) {
      for (const fd of [this.toSay, this.told]) fs.closeSync(fd);
      this.toSay = this.told = -1;
      this.bell?.destroy();
    }
    return new VMError('`ambit cells` has ended, and all sandboxes with it', 'EGONE', problem?.code === 'EPIPE' ? undefined : problem?.code);
  }

  /** The process stays while that cell is awaited. */
  hold(cell, on) {
    if (on === this.awaited.has(cell)) return;
    if (on) this.awaited.add(cell);
    else this.awaited.delete(cell);
    if (this.awaited.size > 0) this.bell?.ref();
    else this.bell?.unref();
  }
}

let helper = null;

module.exports = {
  /** The one of this thread; begins it. */
  helper() {
    helper ??= new Helper();
    return helper;
  },
};
