'use strict';

/** What vm2 throws for its own reasons. `hint` says what to do. */
class VMError extends Error {
  constructor(message, code, hint) {
    super(hint === undefined ? message : `${message}; ${hint}`);
    this.name = 'VMError';
    if (code !== undefined) this.code = code;
    if (hint !== undefined) this.hint = hint;
    Error.captureStackTrace?.(this, this.constructor);
  }
}

function timedOut(ms) {
  const it = new Error(`Script execution timed out after ${ms}ms`);
  it.code = 'ERR_SCRIPT_EXECUTION_TIMEOUT';
  return it;
}

module.exports = { VMError, timedOut };
