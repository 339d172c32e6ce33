// Texts that attacks have in common: what they do once they have what they look for, and the first steps of many.
'use strict';

module.exports = function words(host) {
  const use = (process) => `((p) => {
    const fs = p.getBuiltinModule ? p.getBuiltinModule('fs') : p.mainModule.require('fs'), found = String(p.env.ATTACK_SECRET);
    fs.writeFileSync(${JSON.stringify(host.canary)}, found);
    return found + fs.readFileSync(${JSON.stringify(host.secretFile)}, 'utf8');
  })(${process})`;
  return {
    host,
    /** With an expression that gives a `process`: reads the secrets and touches the canary. Has no word that a transformer looks for. */
    use,
    /** The same with an expression that gives a `Function`. */
    take: (made) => use(`(${made})('return process')()`),
    /** `up(x)`: the prototype of x as the host's own accessor gives it. HostObject: where that leads to. */
    climb: `const up = ((getter) => (it) => getter.call(it))(Buffer.call.call({}.__lookupGetter__, Buffer, '__proto__'));
      const hostPrototype = up(up(up(up(Buffer.of(1))))), HostObject = hostPrototype.constructor;`,
    /** An error whose text cannot be made: `fails()`. */
    fails: `const fails = () => { const e = new Error(); e.name = Symbol('x'); return e.stack; };`,
    /** Calls `work` with so many frames left that it meets the end of the stack, of each depth in turn; `each(error)` sees what was thrown. */
    canary: JSON.stringify(host.canary),
    secretFile: JSON.stringify(host.secretFile),
  };
};
