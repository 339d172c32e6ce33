// Ambit: run code that nobody has read, with exactly the authority you name. See README.md.
import { Client } from './session.js';

export { CodeResult } from './code.js';
export { Delegated, delegate } from './delegate.js';
export { AmbitError, BadResult, Closed, Conflict, Denied, EventFailed, Frozen, Gone, Limit, Lost, Malformed, NotFound, NotKept, Silent, StepFailed, Untrue } from './errors.js';
export { Event } from './event.js';
export { Kernel, StepResult } from './kernel.js';
export { Client, Session } from './session.js';
export { Result } from './wire.js';

/** A connection to your daemon, which is started if it is not there. */
export const connect = async (options) => new Client(options).connect();

/** A new session with a connection of its own: `const s = await session({ work: '.' })`. */
export const session = async (options) => Client.session(options);
