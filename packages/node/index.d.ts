/// <reference lib="esnext.disposable" />
import type { Buffer } from 'node:buffer';
import type { Readable, Writable } from 'node:stream';

/** As JSON has it: what doc/PROTOCOL.md says of a session, an event, or the daemon. */
export type Row = { readonly [name: string]: unknown };
/** As on the command line without the dashes (`'work .'`), or as in a policy file (`{ work: '.' }`). */
export type Grant = string | { readonly [verb: string]: unknown };
export type Bytes = string | Uint8Array;
/** What gives chunk after chunk: a Readable of Node, a ReadableStream of the web, an async generator. Who is given it reads it to its end, or destroys it. */
export type Chunks = AsyncIterable<Bytes> | WebStream;
export interface WebStream {
  getReader(): { read(): Promise<{ done: boolean; value?: Bytes | undefined }>; cancel(reason?: unknown): Promise<void> };
}
export type Environment = { readonly [name: string]: Bytes | undefined };
/** `{ wall: '30s', memory: '2G' }` */
export type Limits = { readonly [name: string]: string };
export type Changes = 'stage' | 'discard' | 'direct';
export type StreamName = 'stdout' | 'stderr';
export type State = 'taken' | 'runs' | 'over' | 'interrupted';

export interface ConnectOptions {
  /** Milliseconds for an answer that does not wait for a program; 120,000 if nothing is said. */
  patience?: number;
}

export interface SessionOptions {
  /** A directory that events may work on: short for that as `workspace` and the grant `'work .'`. */
  work?: string;
  /** What `.` means in grants, and where programs start; the working directory if nothing is said. */
  workspace?: string;
  grants?: readonly Grant[];
  /** As a policy file has it: YAML or JSON as a text, or an object. */
  policy?: string | { readonly [name: string]: unknown };
  presets?: readonly string[];
  env?: Environment;
  /** Of each event. */
  limits?: Limits;
  /** Who asks, as policies call it. */
  agent?: string;
  base?: 'system' | 'minimal';
  observe?: 'full' | 'effects' | 'off' | 'ebpf' | 'auto';
  without?: readonly string[];
  changes?: Changes;
  /** A denial makes an event fail. */
  strict?: boolean;
  maxEvents?: number;
  /** A duration, as `'30s'`, as the next two. */
  maxWall?: string;
  maxCpu?: string;
  keepTime?: string;
  /** A size, as `'2G'`. */
  keepBytes?: string;
  /** The same key gives the session that was made with it. */
  key?: string;
}

export interface EventOptions {
  /** Milliseconds, or a text as `'30s'`. */
  timeout?: number | string;
  env?: Environment;
  limits?: Limits;
  changes?: Changes;
  strict?: boolean;
  background?: boolean;
  onConflict?: 'fail' | 'theirs' | 'ours';
  /** Of what it is given: those of the results that its arguments or its input were made from, say. */
  labels?: readonly string[];
  /** The same request with the same key is one event. */
  key?: string;
}

export interface RunOptions extends EventOptions {
  /** Standard input; else it is empty. Of a stream no more is read than the program takes. If that fails, or is aborted, the event is cancelled. */
  input?: Bytes | Chunks;
  /** Throws EventFailed if it fails. */
  check?: boolean;
  /** Aborted, an event without a key of yours is cancelled; one with a key goes on. */
  signal?: AbortSignal;
}

export interface StartOptions extends EventOptions {
  input?: boolean;
  terminal?: boolean | { rows?: number; columns?: number };
  /** Aborted, an event without a key of yours is cancelled, whether it has begun or not, until it is over or closed; one with a key goes on. */
  signal?: AbortSignal;
}

/** A file that an event changed: doc/RECORD.md, *What was changed*. A name that is no UTF-8 is bytes. */
export interface Change {
  readonly kind: 'added' | 'modified' | 'deleted' | 'renamed' | 'mode' | 'link';
  readonly path: string | Buffer;
  readonly from?: string | Buffer;
  readonly verdict?: unknown;
  readonly [name: string]: unknown;
}

export interface FreezeOptions {
  /** Told whoever is refused meanwhile; 200 bytes at most. */
  reason?: string;
}
export interface KillOptions extends FreezeOptions {
  /** Nothing begins until it is thawed. */
  keepFrozen?: boolean;
}
/** What was frozen, thawed or killed, when that is true. */
export interface Halted {
  /** It was frozen already. */
  readonly before: boolean;
  /** That ran and were reached, sub-agents too. */
  readonly events: number;
  /** Killed: those that waited, and never begin. */
  readonly cancelled: number;
}

/** How an event is, or how it ended, and what it wrote, as far as that was asked for. */
export class Result {
  protected constructor();
  readonly session: string;
  readonly n: number;
  readonly event: string;
  readonly state: State;
  /** As `ambit run` would exit. */
  readonly exitStatus: number | null;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly denied: boolean;
  /** It was not like what is usual for its agent and program; why stands in its record. */
  readonly unusual: boolean;
  /** Its changes wait for a person, for that, or since nobody could tell. */
  readonly held: boolean;
  /** `committed`, `kept`, `discarded`, ...: what became of its changes. */
  readonly workspace: string | null;
  /** Why it ended: `exited`, `limit`, `killed`, `lost`, `refused`; null before. */
  readonly cause: string | null;
  /** Of the cause `limit` which: `wall`, `output`, ... */
  readonly limit: string | null;
  /** Why it was refused, ended by a limit, or did not go through: as of errors. */
  readonly code: string | null;
  readonly message: string | null;
  readonly hint: string | null;
  /** The key was there, and nothing was begun. */
  readonly replayed: boolean;
  /** Names, which belong to all that it wrote; null: it is not over, or nobody knows. */
  readonly labels: readonly string[] | null;
  /** All that doc/PROTOCOL.md says of an event. */
  readonly row: Row;
  readonly ok: boolean;
  readonly over: boolean;
  readonly outcome: Row | null;
  /** Its output and its record are not kept any more. */
  readonly pruned: boolean;
  /** Standard output; what is no UTF-8 is replaced. Of a CodeResult what its value is shown as. */
  readonly text: string;
  readonly stdoutText: string;
  readonly stderrText: string;
  /** What it changed, from its record. */
  files(): Promise<Change[]>;
  /** Itself; throws EventFailed if it failed. */
  check(): this;
}

export interface Frame {
  readonly file: string | null;
  readonly line: number | null;
  readonly function: string | null;
  readonly source: string | null;
}

export interface CodeError {
  readonly type: string;
  readonly message: string;
  /** The innermost within the code itself, from 1. */
  readonly line: number | null;
  readonly column: number | null;
  readonly source: string | null;
  readonly frames: readonly Frame[];
  readonly traceback: string;
}

export interface Display {
  readonly mime: string;
  /** Bytes of images and the like, if they are well-formed; else a text. */
  readonly data: string | Buffer;
}

/** What an event of code came to. All of it was said by a program that nobody has read. */
export class CodeResult extends Result {
  protected constructor();
  /** The value of its last expression: as JSON if it is that without loss, else as text; undefined if there is none. */
  readonly value: unknown;
  /** What the value is shown as; empty if there is none. */
  readonly text: string;
  readonly type: string | null;
  readonly displays: readonly Display[];
  readonly error: CodeError | null;
  /** Something was left out, since it was more than a result may have. */
  readonly cut: boolean;
}

export interface KernelOptions {
  /** The same name is the same kernel, as long as it is there. */
  name?: string;
  /** Without use for so long it ends: milliseconds, or a text as `'30m'`, which it is if nothing is said. */
  idle?: number | string;
  env?: Environment;
  /** Of all of its steps together. */
  limits?: Limits;
  changes?: Changes;
  strict?: boolean;
  onConflict?: 'fail' | 'theirs' | 'ours';
  /** Of what its steps are given. */
  labels?: readonly string[];
  key?: string;
}

export interface StepOptions {
  /** Milliseconds, or a text as `'30s'`, after which the step is broken off. */
  timeout?: number | string;
  /** The value of the last expression is printed, too. */
  show?: boolean;
  /** Throws StepFailed if it fails. */
  check?: boolean;
  /** Aborted, the step is broken off. */
  signal?: AbortSignal;
}

/** How a step of a kernel ended. All of it was said by a program that nobody has read. */
export class StepResult {
  private constructor();
  readonly session: string;
  /** Of the kernel. */
  readonly n: number;
  readonly step: number;
  /** `exit`: it asked for the kernel's end; `ended`: the kernel ended with it; `never`: it did not run. */
  readonly end: 'ok' | 'error' | 'exit' | 'ended' | 'never';
  readonly ok: boolean;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly stdoutText: string;
  readonly stderrText: string;
  readonly stopped: boolean;
  readonly timedOut: boolean;
  /** As of CodeResult, as the next five. */
  readonly value: unknown;
  readonly text: string;
  readonly type: string | null;
  readonly displays: readonly Display[];
  readonly error: CodeError | null;
  readonly cut: boolean;
  readonly row: Row;
  /** Itself; throws StepFailed if it failed. */
  check(): this;
}

/** An interpreter that takes one piece of code after the other, in one memory. */
export class Kernel {
  private constructor();
  readonly session: Session;
  readonly language: 'python' | 'node';
  readonly n: number;
  readonly id: string;
  /** It was there. */
  readonly replayed: boolean;
  run(source: Bytes, options?: StepOptions): Promise<StepResult>;
  /** How a step ended, for whoever has lost the answer. */
  wait(step: number, options?: { check?: boolean; signal?: AbortSignal }): Promise<StepResult>;
  /** Breaks off that step, and no other; in Node the kernel ends with it. */
  stop(step: number): Promise<void>;
  /** Ends it behind the steps that it has. */
  end(options?: { check?: boolean }): Promise<Result>;
  /** Ends it at once. */
  cancel(): Promise<void>;
  show(): Promise<Result>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A piece of what an event wrote, and where it begins. */
export interface Chunk {
  readonly stream: StreamName;
  readonly offset: number;
  readonly data: Buffer;
}

/** A command that runs, or ran. One thing takes what it writes at a time: iterating, or the streams. It goes on when it is left. */
export class Event implements AsyncIterable<Chunk> {
  private constructor();
  readonly session: Session;
  readonly n: number;
  readonly id: string;
  readonly replayed: boolean;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** null where it takes no input. */
  readonly stdin: Writable | null;
  [Symbol.asyncIterator](): AsyncGenerator<Chunk, void, void>;
  /** Each line with its newline; the last may have none, and one beyond 1 MiB comes in pieces. */
  lines(): AsyncGenerator<Chunk, void, void>;
  /** To its end, with what it wrote and nobody took, or will by a stream. */
  wait(options?: { check?: boolean }): Promise<Result>;
  show(): Promise<Result>;
  record(): Promise<Buffer>;
  /** Done when the program's pipe has taken it; false if it reads no more. */
  write(data: Bytes, options?: { end?: boolean }): Promise<boolean>;
  kill(signal?: string | number): Promise<void>;
  resize(rows: number, columns: number): Promise<void>;
  cancel(): Promise<void>;
  /** Stops it where it is until it is thawed. */
  freeze(options?: FreezeOptions): Promise<Halted>;
  thaw(): Promise<Halted>;
  /** The event goes on. */
  close(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Events that share grants and a workspace. It outlives this program, until it is ended. */
export class Session {
  private constructor();
  readonly client: Client;
  readonly id: string;
  run(argv: readonly Bytes[], options?: RunOptions): Promise<Result>;
  python(source: Bytes, options?: RunOptions): Promise<CodeResult>;
  node(source: Bytes, options?: RunOptions): Promise<CodeResult>;
  shell(source: Bytes, options?: RunOptions): Promise<CodeResult>;
  code(language: 'python' | 'node' | 'shell', source: Bytes, options?: RunOptions): Promise<CodeResult>;
  start(argv: readonly Bytes[], options?: StartOptions): Promise<Event>;
  kernel(language?: 'python' | 'node', options?: KernelOptions): Promise<Kernel>;
  event(n: number): Promise<Event>;
  /** An event that is there, to be taken from these bytes on. */
  follow(n: number, from?: { stdout?: number; stderr?: number }): Promise<Event>;
  events(options?: { first?: number }): AsyncGenerator<Row, void, void>;
  watch(options?: { first?: number; signal?: AbortSignal }): AsyncGenerator<Result, void, void>;
  read(n: number, stream: StreamName | 'record' | 'result', options?: { offset?: number; size?: number }): Promise<Buffer>;
  record(n: number): Promise<Buffer>;
  changes(n: number): Promise<Change[]>;
  show(): Promise<Row>;
  /** Stops what runs of it where it is: nothing of it begins (Frozen) until it is thawed. */
  freeze(options?: FreezeOptions): Promise<Halted>;
  thaw(): Promise<Halted>;
  /** Ends what runs and waits; the session stays. */
  kill(options?: KillOptions): Promise<Halted>;
  end(): Promise<void>;
  close(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A connection to your daemon. */
export class Client {
  constructor(options?: ConnectOptions);
  connect(): Promise<this>;
  session(options?: SessionOptions): Promise<Session>;
  open(session: string): Promise<Session>;
  sessions(): AsyncGenerator<Row, void, void>;
  status(): Promise<Row>;
  /** Of everything of yours, also outside of sessions. */
  freezeAll(options?: FreezeOptions): Promise<Halted>;
  thawAll(): Promise<Halted>;
  killAll(options?: KillOptions): Promise<Halted>;
  close(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface DelegateOptions {
  /** Texts as on the command line; all that can be given on if there are none. */
  grants?: readonly Grant[];
  /** The name that it gets. */
  agent?: string;
  limits?: Limits;
  /** Milliseconds, or a text as `'30s'`. */
  timeout?: number | string;
  workspace?: string;
  input?: Bytes;
  /** Aborted, it ends. */
  signal?: AbortSignal;
  /** It is handed over to the session, as an event of which the result has the id; that comes when it has begun. */
  background?: boolean;
}

/** How a sub-agent ended, and what it wrote. Its record is where its caller's is; what it changed is its caller's. */
export class Delegated {
  private constructor();
  readonly event: string;
  /** As `ambit run` would exit. */
  readonly exitStatus: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** Why it ended: `exited`, `limit`, `killed`, `lost`. */
  readonly cause: string;
  /** Of the cause `limit` which: `wall`, ... */
  readonly limit: string | null;
  /** It wrote more than is kept (64 MB). */
  readonly cut: boolean;
  readonly ok: boolean;
  /** Standard output; what is no UTF-8 is replaced. */
  readonly text: string;
}

/** Something was refused, or failed. `message` says all of it. */
export class AmbitError extends Error {
  constructor(what: string, code?: string, hint?: string | null, why?: string | null);
  readonly what: string;
  /** doc/PROTOCOL.md, *Codes*. */
  readonly code: string;
  readonly hint: string | null;
  readonly why: string | null;
}
export class Malformed extends AmbitError {}
export class Denied extends AmbitError {}
export class NotFound extends AmbitError {}
export class Conflict extends AmbitError {}
export class Limit extends AmbitError {}
/** It is frozen until somebody thaws it. */
export class Frozen extends AmbitError {}
export class Gone extends AmbitError {}
export class Closed extends Gone {}
export class Lost extends Gone {}
export class Untrue extends Lost {}
export class Silent extends Lost {}
export class EventFailed extends AmbitError {
  private constructor();
  readonly result: Result;
}
export class StepFailed extends AmbitError {
  private constructor();
  readonly result: StepResult;
}
export class NotKept extends Gone {
  private constructor();
  readonly result: Result;
}
export class BadResult extends AmbitError {
  private constructor();
  readonly result: CodeResult | StepResult;
}

/** In a cell that was granted `delegate`, and `run` of the program `ambit`: runs a command in a cell beside it, to its end. */
export function delegate(argv: readonly string[], options?: DelegateOptions): Promise<Delegated>;
export function connect(options?: ConnectOptions): Promise<Client>;
export function session(options?: SessionOptions & ConnectOptions): Promise<Session>;
