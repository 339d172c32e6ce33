'use strict';
const { Box } = require('./box.js');
const { authority } = require('./options.js');
const { VMError } = require('./errors.js');
const { checked, compilerOf, give, guestOptions, hidden, inside, isAsync, taken } = require('./sandbox.js');

class VM {
  constructor(options = {}) {
    const { sandbox, timeout, compiler, compilerOptions, ambit } = checked(options);
    const has = options[inside]?.has ?? authority(ambit), guest = guestOptions(options, has), globals = {};
    for (const key of Object.keys(sandbox ?? {})) globals[key] = sandbox[key];
    this.timeout = timeout;
    hidden(this, {
      _compile: compilerOf(compiler, compilerOptions),
      _async: guest.async !== false,
      _box: new Box('vm', has, guest, () => [globals], { timeout: timeOf(this, options[inside]?.outer), family: options[inside]?.family, told() {} }),
    });
  }

  run(code, options) {
    const { source, filename, line, column } = taken(code, options, this._compile);
    if (!this._async && isAsync(source)) throw new VMError('Async not available');
    if (line === 0 && column === 0) return this._box.with((link) => link.run(source, filename));
    return this._box.with((link) => link.request('run', [source, filename, line, column]));
  }
}

/** How long it may take now. One within another has no more time than that has left. */
function timeOf(it, outer) {
  return () => {
    const own = Math.min(Math.max(0, Math.ceil(it.timeout ?? 0)), 2 ** 31 - 1), until = outer?.link?.cell.until ?? 0;
    const left = until !== 0 ? Math.max(1, Math.floor(until - performance.now())) : outer?.host.timeout() ?? 0; // of one that nobody waits for, as much as a call has
    return own === 0 || left === 0 ? own + left : Math.min(own, left);
  };
}

give(VM);

module.exports = { VM, timeOf };
