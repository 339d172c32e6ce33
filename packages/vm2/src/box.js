// The sandbox behind a VM or a NodeVM: the cell that it has just now, and how it gets another.
'use strict';
const { helper } = require('./helper.js');
const { Cell } = require('./cell.js');
const { Link } = require('./link.js');
const { form } = require('./options.js');
const { VMError } = require('./errors.js');

const CELLS_MAX = Math.min(200, Math.max(1, Math.trunc(+process.env.AMBIT_VM2_CELLS) || 48)); // `ambit cells` has 256, with those that wait
const GUESTS_MAX = 32; // of a cell that is used again

const shared = new Map(); // tenant and form -> WeakRef of its cell
const inUse = new Set(); // WeakRefs of boxes with a cell, the one that was used longest ago first

class Box {
  /**
   * @param kind     'vm' or 'node'
   * @param has      what it may (options.js)
   * @param guest    options for what is inside (inside-guest.js)
   * @param start()  -> [globals, ...more], which it begins with
   * @param host     { timeout(), told(event, args) }
   */
  constructor(kind, has, guest, start, host) {
    this.kind = kind;
    this.has = has;
    this.guest = guest;
    this.start = start;
    this.host = { ...host, node: kind === 'node', told: (event, args) => (event === 'ended' ? this.ended() : host.told(event, args)) };
    this.evaluates = guest.eval !== false;
    this.link = null;
    this.ref = new WeakRef(this);
    this.inner = new Set(); // WeakRefs of boxes that belong to it
  }

  /** The link to what is inside. A sandbox that has ended while nobody waited says so once; then there is a fresh one. */
  enter() {
    if (this.link !== null) {
      if (this.link.dead === null) {
        if (inUse.size > 1) inUse.delete(this.ref), inUse.add(this.ref);
        return this.link;
      }
      const { dead } = this.link;
      this.forget();
      if (!dead.wasTold) {
        dead.wasTold = true;
        throw dead;
      }
    }
    const cell = this.has.reuse === null ? this.newCell() : this.sharedCell();
    try {
      this.link = new Link(cell, { bytes: this.has.message, nodes: this.has.nodes, ...this.guest }, this.start(), this.host);
    } catch (problem) { // what it was to begin with does not cross
      if (this.has.reuse === null) cell.end(problem);
      throw problem;
    }
    inUse.add(this.ref);
    return this.link;
  }

  newCell() {
    const from = helper(), { messages, identity, ready } = form(this.kind, this.has, this.evaluates);
    makeRoom(this.host.family);
    return new Cell(from, from.form(messages, ready, identity), 2 * this.has.message + 4096, this.kind === 'node');
  }

  sharedCell() {
    const key = JSON.stringify([this.kind, this.has, this.evaluates]);
    let cell = shared.get(key)?.deref();
    if (cell === undefined || cell.dead !== null) {
      cell = this.newCell();
      shared.set(key, new WeakRef(cell));
    }
    while (cell.guests.size >= GUESTS_MAX) {
      const [number, ref] = cell.guests.entries().next().value, link = ref.deref();
      if (link === undefined) cell.leave(number);
      else link.close(givenUp());
    }
    return cell;
  }

  /** Does it; what ended under way is forgotten, so that the next one has a fresh sandbox. */
  with(work) {
    const link = this.enter();
    try {
      return work(link);
    } catch (problem) {
      if (link.dead !== null && link.dead === problem) problem.wasTold = true;
      throw problem;
    }
  }

  ended() {
    for (const ref of this.inner) ref.deref()?.close();
    this.inner.clear();
  }

  forget() {
    inUse.delete(this.ref);
    this.link = null;
  }

  /** Ends what is inside. */
  close(problem) {
    if (this.link === null || this.link.dead !== null) return;
    if (this.has.reuse === null) this.link.cell.end(problem ?? disposed());
    else this.link.close(problem ?? disposed());
    inUse.delete(this.ref);
  }
}

const disposed = () => new VMError('the sandbox was disposed of', 'EDISPOSED');
const givenUp = () => new VMError('the sandbox was given up, since there are as many as may be; what was in it is lost, and the next run begins afresh', 'EGIVENUP', 'dispose() of those that are not needed, or allow more: the variable AMBIT_VM2_CELLS');

/** Each cell is a process: of those that nobody disposed of, and no garbage collector found yet, the one that was used longest ago goes. */
function makeRoom(family) {
  while (inUse.size >= CELLS_MAX) {
    let found;
    for (const ref of inUse) {
      const box = ref.deref();
      if (box === undefined || box.link === null || box.link.dead !== null) inUse.delete(ref);
      else if (box.link.cell.waiting === 0 && (family === undefined || family.has(ref))) {
        found = box;
        break;
      }
    }
    if (found === undefined && family !== undefined) throw new VMError('there are as many sandboxes as may be', 'ELIMIT'); // what one of them makes takes none from others
    if (found === undefined) return;
    found.close(givenUp());
  }
}

module.exports = { Box };
