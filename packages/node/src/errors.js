// What goes wrong: each has a `code` (doc/PROTOCOL.md, *Codes*), a `what`, and where there is one a `hint` what to do and a `why`.

/** Something was refused, or failed: what, the word for it, what to do, and why. `message` says all of it. */
export class AmbitError extends Error {
  constructor(what, code = 'INTERNAL', hint = null, why = null) {
    super(what + (why ? `: ${why}` : '') + (hint ? ` (hint: ${hint})` : ''));
    this.name = new.target.name;
    this.what = what;
    this.code = code;
    this.hint = hint;
    this.why = why;
  }
}

/** What was asked is not well-formed. */
export class Malformed extends AmbitError {
  constructor(what, code = 'USAGE', hint = null, why = null) {
    super(what, code, hint, why);
  }
}

/** It is not granted. */
export class Denied extends AmbitError {}

/** It is not there. */
export class NotFound extends AmbitError {}

/** It conflicts with what is there: a key that was given to another request. */
export class Conflict extends AmbitError {}

/** It is over a limit. */
export class Limit extends AmbitError {}

/** It is frozen until somebody thaws it. */
export class Frozen extends AmbitError {}

/** The other side is gone. */
export class Gone extends AmbitError {
  constructor(what, code = 'GONE', hint = null, why = null) {
    super(what, code, hint, why);
  }
}

/** This side closed the connection while something was asked on it. */
export class Closed extends Gone {
  constructor(what = 'the connection was closed here') {
    super(what);
  }
}

/** The connection to the daemon ended. What does no harm twice is asked again, so this is seen when that did not help, or would do harm. */
export class Lost extends Gone {}

/** The other side says what doc/PROTOCOL.md does not let it say. Nothing is asked again. */
export class Untrue extends Lost {
  constructor(what, code = 'PROTOCOL', hint = null, why = null) {
    super(what, code, hint, why);
  }
}

/** The daemon did not answer in time. Nothing is asked again. */
export class Silent extends Lost {
  constructor(what = 'the daemon does not answer') {
    super(what);
  }
}

/** What carries a result shows it when it is printed only as far as its own members go. */
function keep(error, result) {
  Object.defineProperty(error, 'result', { value: result, enumerable: false });
}

/** An event that was to succeed did not. `result` is all that is known of it. */
export class EventFailed extends AmbitError {
  constructor(result, what = null) {
    const { limit, cause } = result;
    const why = (result.message ?? null) === null && (cause === 'killed' || cause === 'lost') ? `it was ${cause}` : null;
    super(what ?? result.message ?? `event ${result.n} ended with ${result.exitStatus ?? result.state}`, limit ? 'LIMIT' : result.denied ? 'DENIED' : 'GONE', result.hint, why);
    keep(this, result);
  }
}

/** A step of a kernel that was to succeed did not. `result` is all that is known of it. */
export class StepFailed extends AmbitError {
  constructor(result) {
    const { error, end } = result;
    const how = error ? `${error.type}: ${error.message}` : end === 'exit' ? 'it ended the kernel' : end === 'never' ? 'it did not run' : 'the kernel ended with it';
    super(`step ${result.step}: ${how}`, 'GONE', null);
    keep(this, result);
  }
}

/** An event is over, and not all that it wrote is kept any more. `result` has what is known of it. */
export class NotKept extends Gone {
  constructor(result) {
    super(`event ${result.n} is over, and what it wrote is not all kept any more`, 'GONE', 'give the session more keepBytes, or take the output as it comes: start()');
    keep(this, result);
  }
}

/** The code of an event wrote a result that is none. `result` is what is known of the event without it. */
export class BadResult extends AmbitError {
  constructor(why, result = null) {
    super('the result that the code left is not well-formed', 'PROTOCOL', null, why);
    keep(this, result);
  }
}

const CLASSES = new Map(Object.entries({ MALFORMED: Malformed, USAGE: Malformed, UNKNOWN: Malformed, DENIED: Denied, NOT_FOUND: NotFound, CONFLICT: Conflict,
  LIMIT: Limit, FROZEN: Frozen, GONE: Gone }));

const text = (value) => (typeof value === 'string' ? value : null);
const members = (value) => (typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null);

/** Of an answer's `error`, or that of a note; whatever else stands there is no reason to fail otherwise. */
export function errorOf(error) {
  const given = members(error) ?? {};
  const words = members(given.data) ?? given;
  const code = text(words.code) ?? 'INTERNAL';
  return new (CLASSES.get(code) ?? AmbitError)(text(given.message) ?? 'it failed and did not say why', code, text(words.hint), text(words.why));
}
