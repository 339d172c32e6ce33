// What runs in a cell before any code comes: it waits for what the program asks, does it, and says what came of it (frames.js).
//
// It is evaluated in a context of its own, so that code cannot change what it uses by accident. That is no wall: code that takes it over can say what it likes, and is believed nothing. The wall is the
// cell's, and the program reads what comes as a hostile word (values.js, link.js).
'use strict';

// main: require, process, Buffer, frames, makeValues, makeReferences, makeGuest, makeNode, context (that this runs in), kind ('vm' or 'node'), global (of the process)
module.exports = function inside(main) {
  const { process, Buffer, kind } = main, { HEAD, letters, make } = main.frames;
  const { readSync, writeSync } = main.require('fs'), { Script } = main.require('vm'), { apply } = Reflect;
  const exit = process.reallyExit.bind(process), runInContext = Script.prototype.runInContext;
  const DOT = Buffer.from('.'), ROOM = 65536, ROOM_MAX = 1 << 20, TIME_OVER = 98;

  const node = kind !== 'node' ? null : main.makeNode({ main, idle: () => send(letters.i, 0, 0, ''), feed(data) {
    if (end + data.length > room.length) makeRoom(Math.max(ROOM, end - start + data.length));
    data.copy(room, end);
    end += data.length;
    handleAll();
  } });
  const { in: IN, out: OUT, bell: BELL } = node?.fds ?? { in: 0, out: 1, bell: 2 };

  // ---- frames ----

  let room = Buffer.allocUnsafeSlow(ROOM), start = 0, end = 0, writing = false, mute = true;

  function makeRoom(want) {
    const to = want > room.length ? Buffer.allocUnsafeSlow(want) : room;
    room.copy(to, 0, start, end);
    room = to;
    end -= start;
    start = 0;
  }

  // More of what comes; waits. The program's end is ours.
  function fill(want) {
    if (start + want > room.length) makeRoom(want);
    const n = readSync(IN, room, end, room.length - end, null);
    if (n === 0) exit(0);
    end += n;
  }

  const length = () => HEAD + room.readUInt32LE(start);
  const isWhole = () => end - start >= HEAD && end - start >= length();

  function take() {
    const from = start + HEAD, it = { type: room[start + 4], id: room.readUInt32LE(start + 5), guest: room.readUInt32LE(start + 9) };
    start += length();
    it.data = Buffer.from(room.subarray(from, start));
    if (start === end) {
      start = end = 0;
      if (room.length > ROOM_MAX) room = Buffer.allocUnsafeSlow(ROOM);
    }
    return it;
  }

  function frame() {
    while (end - start < HEAD) fill(HEAD);
    while (!isWhole()) fill(length());
    return take();
  }

  // Of what comes while the program waits for nothing it has to be told that there is something.
  const ring = () => {
    try {
      writeSync(BELL, DOT);
    } catch {} // nobody hears it any more: our end is near
  };

  function send(type, id, guest, text) {
    const data = make(Buffer, type, id, guest, text), beside = serving === 0;
    if (mute) return;
    if (beside) ring();
    writing = true;
    for (let at = 0; at < data.length; ) at += writeSync(OUT, data, at);
    writing = false;
    if (beside) ring();
  }

  // ---- what is asked of the program ----

  let serving = 0, waiting = 0, last = 0;

  /** Asks for something, and gives the frame that answers. What the program wants meanwhile is done. */
  function ask(guest, text) {
    const id = ++last;
    waiting++;
    send(letters.c, id, guest, text);
    for (;;) {
      const it = frame();
      if ((it.type === letters.A || it.type === letters.X) && it.id === id) {
        waiting--;
        if (node !== null && waiting === 0 && end > start) node.soon(handleAll); // what came with it, of which no event tells any more
        return it;
      }
      handle(it);
    }
  }

  // ---- what the program asks ----

  // Within the time that it may take, if there is one: all that runs on this thread until then.
  const enter = new Script('enter()', { filename: 'ambit:cell' });
  function within(ms, work) {
    if (!(ms > 0)) return work();
    const depth = waiting;
    let result;
    main.context.enter = () => {
      result = work();
    };
    try {
      apply(runInContext, enter, [main.context, { timeout: ms, displayErrors: false }]);
    } catch (problem) {
      if (problem?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT' && (writing || waiting !== depth)) exit(TIME_OVER); // what was under way is lost: so is all of this
      throw problem;
    }
    return result;
  }

  const guests = new Map();
  let prepared = null;

  function newGuest(number, options) {
    const given = { main, number, options, ask: (text) => ask(given.number, text), send: (type, id, text) => send(type, id, given.number, text) };
    return main.makeGuest(given);
  }

  function begin(number, data) {
    const size = data.readUInt32LE(0), options = size === 0 ? {} : JSON.parse(data.toString('utf8', 4, 4 + size));
    let guest = prepared;
    if (guest === null || options.special) guest = newGuest(number, options);
    else guest.becomes(number, options), (prepared = null);
    guests.set(number, guest);
    guest.begin(data.subarray(4 + size), node);
  }

  function serve(it, work) {
    const guest = guests.get(it.guest), ms = it.data.readUInt32LE(0);
    let type = letters.a, text = '[]';
    serving++;
    try {
      text = within(ms, () => guest.answer(work(guest, it.data)));
    } catch (problem) {
      type = letters.x;
      text = guest.thrown(problem);
    }
    const gone = guest.takeGone();
    if (gone !== null) send(letters.f, 0, it.guest, gone);
    if (type === letters.a && node?.isBusy()) type = letters.b;
    send(type, it.id, it.guest, text);
    serving--;
  }

  const run = (guest, data) => {
    const from = 8 + data.readUInt32LE(4);
    return guest.run(data.toString('utf8', from), data.toString('utf8', 8, from), 0, 0);
  };
  const perform = (guest, data) => guest.perform(guest.decode(data.subarray(4)));

  function handle(it) {
    switch (it.type) {
      case letters.R: return serve(it, run);
      case letters.Q: return serve(it, perform);
      case letters.B: return begin(it.guest, it.data);
      case letters.S:
        try {
          within(it.id, () => guests.get(it.guest).settle(it.data));
        } catch (problem) {
          if (problem?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') send(letters.t, it.id, it.guest, ''); // what awaited it never ends
        }
        return undefined;
      case letters.F: return guests.get(it.guest).release(it.data);
      case letters.P: return void pings.push(it.id);
      case letters.E: return void guests.delete(it.guest);
      default: return exit(1);
    }
  }

  // Answered when what was asked before is done, and not while that waits for the program.
  const pings = [];
  function answerPings() {
    if (waiting > 0) return;
    while (pings.length > 0) send(letters.d, pings.shift(), node?.isBusy() ? 1 : 0, ''); // 1: something goes on
  }

  function handleAll() {
    while (isWhole()) handle(take());
    node.soon(answerPings); // behind the jobs of promises, which may begin something
  }

  // ---- its life ----

  // All that a short piece of code needs is compiled before there is one.
  function warmUp() {
    const one = (type, before, text) => {
      const data = make(Buffer, type, 1, 0, text, before);
      if (end + data.length > room.length) makeRoom(data.length);
      data.copy(room, end);
      end += data.length;
      handle(frame());
    };
    const options = JSON.stringify({ live: false });
    one(letters.B, [options.length], options + '["o1","\'a",1]');
    one(letters.R, [0, 5], 'vm.js1+1');
    one(letters.R, [1000, 5], 'vm.js1+1');
    one(letters.Q, [0], '["\'get","\'a"]');
    one(letters.E, [], '');
  }

  process.on('unhandledRejection', () => {});
  if (node === null) process.on('uncaughtException', () => {}); // out of a job: nobody waits for it
  if (node === null) warmUp();
  prepared = newGuest(0, {});
  mute = false;
  ring();
  if (node === null) {
    for (;;) {
      handle(frame());
      answerPings();
    }
  }
  node.serve();
};
