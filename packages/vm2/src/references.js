// What does not cross has a number instead: functions, promises, live objects and symbols. The same file is used on both sides.
//
// Each side keeps its own things while the other may name them. How often a number was sent is counted, and the other side tells how often it had received what it has no use for any more: so a number
// that is sent again while its release is under way stays good. A number is of its kind, and of nobody else: what was not sent cannot be named.
'use strict';

// kit: refuse(message); stand(kind, number, about) makes what stands for one of theirs; collect() has garbage collected, also what was made without a pause since.
const OWN_MAX = 1 << 17; // of ours that the other side may name: it need not say that it has no use for one
const GONE = 2048; // numbers that are told though nothing else is asked
const THEIRS_MAX = 65_536, LOOK = 32_768; // of theirs that stand for something here at once; from so many on it is looked for those that do no more

module.exports = function makeReferences(kit) {
  const own = new Map(), numbers = new Map(); // number -> { kind, thing, owner, count }; thing -> number
  const theirs = new Map(), known = new WeakMap(), symbols = new Map(); // number -> { kind, ref, symbol, count }; what stands for it -> number
  let last = 0, gone = [], lookAt = LOOK;
  const registry = new FinalizationRegistry((number) => {
    const it = theirs.get(number);
    if (it === undefined || it.ref.deref() !== undefined) return; // another stands for it by now
    theirs.delete(number);
    gone.push(number, it.count);
  });

  // Nothing is told of as gone while a program, or code, goes on without a pause.
  function look() {
    kit.collect();
    for (const [number, it] of theirs) if (it.ref !== undefined && it.ref.deref() === undefined) theirs.delete(number), gone.push(number, it.count);
    lookAt = Math.min(THEIRS_MAX, Math.max(LOOK, 2 * theirs.size));
  }

  const numberOf = (thing) => (typeof thing === 'symbol' ? symbols.get(thing) : known.get(thing));

  return {
    name(kind, thing, owner) {
      const back = numberOf(thing);
      if (back !== undefined) return `~${back}`;
      let number = numbers.get(thing);
      if (number === undefined) {
        if (own.size >= OWN_MAX) throw kit.refuse('more of what was passed is kept than may be');
        number = ++last;
        numbers.set(thing, number);
        own.set(number, { kind, thing, owner, count: 0 });
      }
      own.get(number).count++;
      return String(number);
    },
    own(kind, number) {
      const it = own.get(number);
      if (it === undefined || (it.kind !== kind && !(kind === 'thing' && (it.kind === 'object' || it.kind === 'error')))) throw kit.refuse('what came names something that is not there');
      return it.thing;
    },
    owner: (number) => own.get(number)?.owner,
    ownerOf: (thing) => own.get(numbers.get(thing))?.owner,
    stands: (thing) => known.has(thing),
    // As adopt, if nothing stands for it: what does goes on to.
    adoptOnce(kind, number, thing) {
      const it = theirs.get(number);
      if (it?.ref?.deref() === undefined) this.adopt(kind, number, thing, it?.count ?? 0);
      else it.count++;
    },
    numberOf,
    GONE,
    theirs(kind, number, about) {
      const it = theirs.get(number);
      if (it !== undefined) {
        if (it.kind !== kind) throw kit.refuse('what came names something of another kind');
        const thing = kind === 'symbol' ? it.symbol : it.ref.deref();
        if (thing !== undefined) {
          it.count++;
          return thing;
        }
      }
      return this.adopt(kind, number, kit.stand(kind, number, about), it?.count ?? 0);
    },
    // thing stands for that number of theirs from now on.
    adopt(kind, number, thing, before = 0) {
      if (theirs.size >= lookAt && !theirs.has(number)) look();
      if (theirs.size >= THEIRS_MAX && !theirs.has(number)) throw kit.refuse('more functions, promises and errors are there than may be');
      if (kind === 'symbol') {
        theirs.set(number, { kind, symbol: thing, count: before + 1 });
        symbols.set(thing, number);
        return thing;
      }
      theirs.set(number, { kind, ref: new WeakRef(thing), count: before + 1 });
      known.set(thing, number);
      registry.register(thing, number);
      return thing;
    },
    // Pairs of what they have no use for, and how often it was received.
    release(pairs) {
      for (let i = 0; i + 1 < pairs.length; i += 2) {
        if (!Number.isSafeInteger(pairs[i + 1]) || pairs[i + 1] < 0) throw kit.refuse('what came releases what it cannot');
        const it = own.get(pairs[i]);
        if (it === undefined || (it.count -= pairs[i + 1]) > 0) continue;
        own.delete(pairs[i]);
        numbers.delete(it.thing);
      }
    },
    // Of what is of no more use here; none if there is less than that.
    takeGone(least = 0) {
      if (gone.length < least) return [];
      const pairs = gone;
      gone = [];
      return pairs;
    },
    get size() {
      return own.size;
    },
  };
};
