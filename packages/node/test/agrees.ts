// That index.d.ts has the names that the code has, and no others: compiled (.ci/lint), never run. What they give is said by types.ts, and by those who run it.
import * as declared from 'ambit';
import * as made from '../src/index.js';

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : ['only the code has', Exclude<B, A>]) : ['only index.d.ts has', Exclude<A, B>];
type Members<C extends abstract new (...given: never) => unknown> = keyof InstanceType<C>;

const exported: Same<keyof typeof declared, keyof typeof made> = true;
const result: Same<keyof declared.Result, Members<typeof made.Result>> = true;
const code: Same<keyof declared.CodeResult, Members<typeof made.CodeResult>> = true;
const event: Same<keyof declared.Event, Members<typeof made.Event> | typeof Symbol.asyncDispose> = true;
const session: Same<keyof declared.Session, Members<typeof made.Session> | typeof Symbol.asyncDispose> = true;
const client: Same<keyof declared.Client, Members<typeof made.Client> | typeof Symbol.asyncDispose> = true;
const delegated: Same<keyof declared.Delegated, Members<typeof made.Delegated>> = true;
const error: Same<keyof declared.AmbitError, Members<typeof made.AmbitError>> = true;

export { exported, result, code, event, session, client, delegated, error };
