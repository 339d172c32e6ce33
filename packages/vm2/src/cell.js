// One cell, from the program's side: its pipes, its time, and its end. Frames are as in frames.js.
//
// All that comes from it is a hostile program's word: a frame has the length that it may have, or the cell ends.
'use strict';
const fs = require('fs');
const { isMainThread } = require('worker_threads');
const { HEAD, letters, make } = require('./frames.js');
const { VMError, timedOut } = require('./errors.js');

const TIME_OVER = 98; // the exit status of one whose time was over while it waited for us
const PATIENCE_MS = 10_000; // of the process, for what was told to a cell and has no time of its own
const GRACE_MS = 150; // for a cell to break off what it does, and stay
const TURN_MS = 10; // for what comes while nobody waits, in one turn of the loop
const FULL_NAP_MS = 0.1; // while a pipe is full
const NAP_MS = 0.03, NAP_MAX_MS = 2; // of a worker, from one look at what came to the next
const NOTHING = Buffer.alloc(0), AGAIN_MS = 5, FULL_MS = 100, FRAME_COST = 256; // when what did not fit, or could not be read, is tried again; bytes besides a frame's own
const SLOW_MS = 200, DISTRUST_MS = 5000; // one that closed its pipe and goes on holds up who asks why it ended: then those that nobody waits for are not asked for a while
const ROOM = 8192, ROOM_MAX = 1 << 18;
const sleeper = new Int32Array(new SharedArrayBuffer(4));
let trustedFrom = 0; // performance.now
const nap = (ms) => Atomics.wait(sleeper, 0, 0, ms);
const registry = new FinalizationRegistry(({ helper, lent }) => helper.drop(lent));

class Cell {
  /** One of that form, which `helper` lends; `most`: bytes of a frame; `goesOn`: timers and the like go on in it while nobody waits. Waits for it, if none is ready. */
  constructor(helper, form, most, goesOn) {
    this.goesOn = goesOn;
    this.helper = helper;
    this.form = form;
    this.most = most;
    this.lent = helper.take(form);
    this.dead = null; // why it is of no more use
    this.guests = new Map(); // number -> WeakRef of its link
    this.held = new Set(); // links that a promise is to come for
    this.atWork = new Set(); // links in which something goes on
    this.lastGuest = this.last = 0;
    this.room = Buffer.allocUnsafe(ROOM);
    this.start = this.filled = 0;
    this.queued = []; // frames that go with the next
    this.rest = []; // what nobody waits for and did not fit into the pipe yet
    this.left = 0; // what that takes
    this.writer = null;
    this.isMet = false; // it has answered
    this.waiting = 0; // requests that are under way
    this.until = 0; // when it is to end (performance.now); 0: it is not
    this.allowed = 0; // of which time
    this.pings = 0;
    this.busy = false;
    this.timer = null;
    this.patience = null;
    registry.register(this, { helper, lent: this.lent }, this);
    helper.listen(this);
  }

  // ---- its guests ----

  enter(link) {
    const number = ++this.lastGuest;
    this.guests.set(number, new WeakRef(link));
    return number;
  }

  leave(number) {
    if (!this.guests.delete(number) || this.dead !== null) return;
    try {
      this.write(make(Buffer, letters.E, 0, number, ''));
    } catch (problem) {
      if (problem !== this.dead) throw problem; // it has ended: whoever makes room has nothing to do with that
    }
  }

  /** While something will come for one, it and we stay. */
  hold(link, on) {
    if (on) this.held.add(link);
    else this.held.delete(link);
  }

  // ---- what is said ----

  /** What is written waits for nobody: while the cell does not read, what it says is taken in. What the program does not wait for is written when there is room. */
  write(given) {
    const { rest } = this;
    if (given.length > 0) rest.push(given), (this.left += given.length + FRAME_COST);
    let done = 0;
    try {
      while (done < rest.length) {
        if (this.dead !== null) throw this.dead; // its descriptors are closed, and may be others' by now
        try {
          const n = fs.writeSync(this.lent.down, rest[done]);
          this.left -= n;
          if (n < rest[done].length) rest[done] = rest[done].subarray(n); // not copied: it is tried again and again
          else done++, (this.left -= FRAME_COST);
        } catch (problem) {
          if (problem.code === 'EAGAIN' && this.waiting === 0) return this.writeLater();
          if (problem.code === 'EAGAIN') this.gather() || nap(FULL_NAP_MS);
          else if (problem.code === 'EPIPE') throw this.ended();
          else throw problem;
        }
      }
    } finally {
      rest.splice(0, done);
    }
  }

  writeLater() {
    if (this.left > 2 * this.most) throw this.end(new VMError('the sandbox does not take what it is told', 'EENDED'));
    this.writer ??= setTimeout(() => {
      this.writer = null;
      try {
        if (this.dead === null) this.write(NOTHING);
      } catch (problem) {
        if (problem !== this.dead) throw problem;
      }
    }, AGAIN_MS).unref();
  }

  /** Said with what is said next, since each time that a cell is woken costs as much as a short piece of code. */
  queue(type, guest, text, before) {
    this.queued.push(this.framed(type, 0, guest, text, before));
  }

  send(type, id, guest, text, before) {
    const data = this.framed(type, id, guest, text, before);
    if (this.queued.length === 0) return this.write(data);
    const all = Buffer.concat([...this.queued, data]);
    this.queued = [];
    return this.write(all);
  }

  framed(type, id, guest, text, before) {
    const data = make(Buffer, type, id, guest, text, before);
    if (data.length > this.most) throw new VMError('the value is larger than what may cross', 'ECLONE', 'pass less of it, or allow more: `ambit: { message: bytes }`');
    return data;
  }

  /** Asks, and gives the frame that answers. What the cell asks meanwhile is done. It ends when its time is over, whatever it does. */
  request(type, guest, text, before, ms) {
    if (this.dead !== null) throw this.dead;
    const id = ++this.last, was = this.until, own = [];
    this.waiting++;
    try {
      if (ms > 0) this.meet(), this.allow(ms, was);
      this.send(type, id, guest, text, [ms, ...before]);
      this.helper.flush();
      for (;;) {
        const frame = this.frame();
        if (frame.id === id && (frame.type === letters.a || frame.type === letters.b || frame.type === letters.x)) {
          this.isMet = true;
          if (frame.type !== letters.x) this.setBusy(frame.type === letters.b && this.goesOn, guest);
          if (own.length > 0) throw own[0];
          return frame;
        }
        try {
          this.hear(frame);
        } catch (problem) { // the program's, of a function that listens: the answer is on its way, and comes before anything else
          if (this.dead !== null || frame.type !== letters.n) throw problem;
          if (own.length === 0) own.push(problem);
        }
      }
    } finally {
      this.waiting--;
      if (this.dead === null && (ms > 0 || was !== 0)) this.arm(this.waiting === 0 && this.pings === 0 ? 0 : was); // what was to be done until then may have been done meanwhile
    }
  }

  /** That it begins, which may take as long as a loaded machine needs, is no time of what runs in it. */
  meet() {
    if (this.isMet) return;
    const id = ++this.last;
    this.isMet = true;
    this.send(letters.P, id, 0, '');
    this.helper.flush();
    for (;;) {
      const frame = this.frame();
      if (frame.type === letters.d && frame.id === id) return;
      this.hear(frame);
    }
  }

  allow(ms, was) {
    const until = performance.now() + ms + GRACE_MS;
    if (was !== 0 && was < until) return;
    this.allowed = ms;
    this.arm(until);
  }

  arm(until) {
    if (until === this.until) return;
    this.until = until;
    this.helper.arm(this.lent.number, until === 0 ? 0 : Math.max(1, Math.ceil(until - performance.now())));
  }

  /** What nobody waits for: the process stays until it is done, and it has its time, too. */
  post(type, guest, text, ms) {
    if (this.dead !== null) return;
    this.send(type, ms, guest, text);
    this.ping(ms, guest);
  }

  ping(ms, guest) {
    this.send(letters.P, ++this.last, 0, '');
    this.pings++;
    this.patience ??= setTimeout(() => this.impatient(), PATIENCE_MS).unref();
    if (ms > 0 && this.until === 0) this.allow(ms, 0);
    this.setBusy(this.busy, guest);
  }

  /** It does not say that it is done: the process waits for it no longer. */
  impatient() {
    this.patience = null;
    this.pings = 0;
    this.setBusy(this.busy);
  }

  /** While something goes on in it, it stays, and so do its guest, whoever has that, and the process. */
  setBusy(on, guest) {
    this.busy = on;
    const goes = this.dead === null && (on || this.pings > 0), link = goes ? this.guests.get(guest)?.deref() : undefined;
    if (link !== undefined) this.atWork.add(link);
    else if (!goes) this.atWork.clear();
    this.helper.hold(this, goes);
  }

  // ---- what is heard ----

  makeRoom(want) {
    const to = want > this.room.length ? Buffer.allocUnsafe(want) : this.room;
    this.room.copy(to, 0, this.start, this.filled);
    this.room = to;
    this.filled -= this.start;
    this.start = 0;
  }

  /** How long the frame is that begins here, as far as is known. */
  wanted() {
    if (this.filled - this.start < HEAD) return HEAD;
    const length = HEAD + this.room.readUInt32LE(this.start);
    if (length > this.most) throw this.broken('it is larger than what may cross (`ambit: { message: bytes }`)');
    return length;
  }

  /** The next frame, whose data is good until more is read. */
  take() {
    const from = this.start, frame = { type: this.room[from + 4], id: this.room.readUInt32LE(from + 5), guest: this.room.readUInt32LE(from + 9), data: null };
    this.start += this.wanted();
    frame.data = this.room.subarray(from + HEAD, this.start);
    if (this.start === this.filled) {
      this.start = this.filled = 0;
      if (this.room.length > ROOM_MAX) this.room = Buffer.allocUnsafe(ROOM);
    }
    return frame;
  }

  frame() {
    for (;;) {
      if (this.dead !== null) throw this.dead;
      const want = this.wanted(), have = this.filled - this.start;
      if (have >= want) return this.take();
      if (this.filled === this.room.length) this.makeRoom(this.start > 0 ? this.room.length : Math.min(want, Math.max(2 * have, 65536))); // no more than came, whatever it says that comes
      this.more();
    }
  }

  /** Takes in more of what comes, and waits for it. A worker can be ended while it naps, and not while it reads. */
  more() {
    if (!isMainThread) {
      for (let tries = 1; !this.gather(); tries++) nap(Math.min(tries * NAP_MS, NAP_MAX_MS));
      return;
    }
    const n = fs.readSync(this.lent.up, this.room, this.filled, this.room.length - this.filled, null);
    if (n === 0) throw this.ended();
    this.filled += n;
  }

  /** Takes in what is there. false: nothing is. */
  gather() {
    const { lent } = this;
    if (this.dead !== null) throw this.dead;
    if (this.filled - this.start > 2 * this.most) throw this.broken('it is more than may wait');
    try {
      if (lent.beside < 0) lent.beside = fs.openSync(`/proc/self/fd/${lent.up}`, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    } catch (problem) {
      if (problem.code !== 'EMFILE' && problem.code !== 'ENFILE') throw problem;
      if (this.waiting === 0) this.pumpLater(FULL_MS); // the program has no descriptor left: later
      return false;
    }
    if (this.room.length - this.filled < 4096) this.makeRoom(Math.max(2 * (this.filled - this.start), 65536));
    try {
      const n = fs.readSync(lent.beside, this.room, this.filled, this.room.length - this.filled, null);
      if (n === 0) throw this.ended();
      this.filled += n;
      return true;
    } catch (problem) {
      if (problem.code === 'EAGAIN') return false;
      throw problem;
    }
  }

  hear(frame) {
    if (frame.type === letters.d) {
      if (this.pings > 0) this.pings--;
      if (this.pings === 0) clearTimeout(this.patience), (this.patience = null);
      if (this.pings === 0 && this.waiting === 0) this.arm(0);
      return this.setBusy((this.goesOn && frame.guest === 1) || this.busy);
    }
    if (frame.type === letters.i) return this.setBusy(false);
    const link = this.guests.get(frame.guest)?.deref();
    return link === undefined ? undefined : link.hear(frame); // of one that is gone
  }

  /** What came while nobody waited. */
  pump() {
    if (this.dead !== null || this.waiting > 0) return;
    const until = performance.now() + TURN_MS;
    try {
      do {
        while (this.dead === null && this.filled - this.start >= this.wanted()) {
          this.hear(this.take());
          if (performance.now() > until) return void this.pumpLater(0);
        }
      } while (this.dead === null && this.gather());
      if (this.dead === null && this.filled > this.start) this.pumpLater(5); // the rest is on its way
    } catch (problem) {
      if (this.dead === null) this.pumpLater(0); // it was the program's, and there may be more
      if (problem !== this.dead) throw problem;
    }
  }

  pumpLater(ms) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.pump(), ms);
    if (!this.busy && this.pings === 0) this.timer.unref();
  }

  // ---- its end ----

  /** It said what it may not. */
  broken(what) {
    return this.end(new VMError(`the sandbox was ended, since what came from it is not as it should be: ${what}`, 'EPROTOCOL'));
  }

  /** Its pipe has ended: why, as an error. */
  ended() {
    if (this.dead !== null) return this.dead;
    const began = performance.now();
    if (this.waiting === 0 && began < trustedFrom) return this.end(new VMError('the sandbox has ended', 'EENDED'));
    try {
      return this.end(errorOf(this.helper.why(this.lent.number), this.allowed));
    } catch (problem) {
      return this.end(problem);
    } finally {
      if (performance.now() - began > SLOW_MS) trustedFrom = performance.now() + DISTRUST_MS;
    }
  }

  end(problem) {
    if (this.dead !== null) return this.dead;
    this.dead = problem;
    this.rest = [];
    registry.unregister(this);
    clearTimeout(this.timer);
    clearTimeout(this.patience);
    clearTimeout(this.writer);
    this.helper.hold(this, false);
    this.helper.drop(this.lent);
    for (const ref of this.guests.values()) ref.deref()?.over(problem);
    this.held.clear();
    this.atWork.clear();
    return problem;
  }
}

function errorOf({ cause, how, code, message, hint, why }, ms) {
  if (cause === 'timeout' || (how === `exit ${TIME_OVER}` && ms > 0)) return timedOut(ms);
  if (cause === 'limit') return new VMError(`the sandbox was ended: it met the limit ${how}`, 'ELIMIT', how === 'memory' ? 'allow more: `ambit: { memory: bytes }`' : undefined);
  if (cause === 'refused') return new VMError(`no sandbox can be made: ${message}${why ? `: ${why}` : ''}`, code || 'EREFUSED', hint || undefined);
  if (/^signal (4|5|6|7|8|11)$|^exit 13[2-69]$/.test(how)) return new VMError('the sandbox broke off: it has most likely run out of memory', 'ELIMIT', 'allow more: `ambit: { memory: bytes }`');
  return new VMError(`the sandbox has ended (${how})`, 'EENDED');
}

module.exports = { Cell };
