// Garbage is collected, what weak references of this very job hold, too. The same file is used on both sides.
//
// A weak reference holds what it is of until the job that made it is over, which a loop of a program never is. V8 lets go of all of it where the queue of any context was looked at, so one of ours is.
'use strict';

/** -> collect(). Nothing is made, and no module loaded, before it is called: cells begin so much sooner. */
module.exports = function makeCollect(require) {
  let context, gc, nothing;
  return () => {
    if (gc === undefined) {
      const { createContext, Script, runInNewContext } = require('vm'), { setFlagsFromString } = require('v8');
      setFlagsFromString('--expose-gc');
      gc = runInNewContext('gc');
      setFlagsFromString('--no-expose-gc');
      context = createContext({}, { microtaskMode: 'afterEvaluate' });
      nothing = new Script('0');
    }
    nothing.runInContext(context);
    gc();
  };
};
