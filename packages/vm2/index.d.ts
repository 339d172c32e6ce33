// The shapes are those of vm2 3.12.2, so that what compiles with it does with this; `ambit`, dispose(), `defaults`, and what a VMError tells are ours.
import { EventEmitter } from 'events';
import fs from 'fs';
import pa from 'path';

/** What files are read with. */
export interface VMFS {
  statSync: typeof fs.statSync;
  readFileSync: typeof fs.readFileSync;
}

/** What paths are put together with. */
export interface VMPath {
  resolve: typeof pa.resolve;
  isAbsolute: typeof pa.isAbsolute;
  join: typeof pa.join;
  basename: typeof pa.basename;
  dirname: typeof pa.dirname;
}

/** From where modules are read (`require.fs`). It is asked in the host, by messages. */
export interface VMFileSystemInterface extends VMFS, VMPath {
  /** Whether that character stands between the names of a path. */
  isSeparator(char: string): boolean;
}

/** Node's own files, or others that are given. */
export class VMFileSystem implements VMFileSystemInterface {
  constructor(options?: { fs?: VMFS; path?: VMPath });
  statSync: typeof fs.statSync;
  readFileSync: typeof fs.readFileSync;
  resolve: typeof pa.resolve;
  isAbsolute: typeof pa.isAbsolute;
  join: typeof pa.join;
  basename: typeof pa.basename;
  dirname: typeof pa.dirname;
  isSeparator(char: string): boolean;
}

/** Gives a module in place of a builtin one; it is called in the host. */
export type BuiltinLoad = (vm: NodeVM) => any;
export type Builtin = BuiltinLoad | { init: (vm: NodeVM) => void; load: BuiltinLoad };
export type HostRequire = (id: string) => any;

/** Where a module of that path is loaded. To answer 'host' is refused. */
export type PathContextCallback = (modulePath: string, extensionType: string) => 'host' | 'sandbox';

/** What a NodeVM's code may require. */
export interface VMRequire {
  /** Names of Node's modules, '*' for all, '-name' for all but one. What they reach is what `ambit` grants. */
  builtin?: readonly string[];
  /** 'host' throws ECONTEXT. Left out, modules are in the sandbox. */
  context?: 'host' | 'sandbox' | PathContextCallback;
  /** Packages: all, or those. */
  external?: boolean | readonly string[] | { modules: readonly string[]; transitive: boolean };
  /** Modules that are loaded at once. */
  import?: readonly string[];
  /** Directories that modules may lie in. Each is a grant to read it. */
  root?: string | readonly string[];
  /** Modules that are given: data by copy, functions as calls back. */
  mock?: any;
  /** Is asked for what was not found. */
  resolve?: (moduleName: string, parentDirname: string) => string | { path: string; module?: string } | undefined;
  /** Is called in the host for builtin modules that the list has; packages are loaded in the cell. */
  customRequire?: HostRequire;
  /** Modules are strict (true). */
  strict?: boolean;
  fs?: VMFileSystemInterface;
}

/** Makes JavaScript of code. It runs in the host. */
export type CompilerFunction = (code: string, filename: string) => string;

export abstract class Resolver {
  private constructor(fs: VMFileSystemInterface, globalPaths: readonly string[], builtins: Map<string, Builtin>);
}

/** What the option `require` means, once for several NodeVMs. */
export function makeResolverFromLegacyOptions(options: VMRequire, override?: { [key: string]: Builtin }, compiler?: CompilerFunction): Resolver;

/** What the cell may and has, beside the code. Without it: nothing. */
export interface AmbitOptions {
  /** Paths that may be read. */
  read?: string | readonly string[];
  /** Paths that may be written. */
  write?: string | readonly string[];
  /** Trees that may be worked in. */
  work?: string | readonly string[];
  /** Programs that may be started. */
  run?: string | readonly string[];
  /** 'host:port' that may be connected to. */
  connect?: string | readonly string[];
  /** Where it may listen. */
  listen?: string | readonly string[];
  /** Whole grants: 'read ./data'. */
  grants?: string | readonly string[];
  /** Variables of the cell, by name, or with values. */
  env?: readonly string[] | Readonly<Record<string, string>>;
  /** As behind `--limit`. */
  limits?: Readonly<Record<string, string | number>>;
  /** Of the whole cell: a number of bytes, or a text as '512M'. */
  memory?: number | string;
  cpu?: number | string;
  tasks?: number | string;
  /** Code is compiled while it runs, and there is WebAssembly. */
  jit?: boolean;
  /** Objects by handle. */
  live?: boolean;
  /** How much may cross at once. */
  message?: number | string;
  /** Where it is recorded: false for nowhere, true for your own ledger. */
  ledger?: boolean | string;
  /** What is seen, and recorded, of what it does: 'full' has each file and connection, and what was denied. */
  observe?: 'off' | 'effects' | 'full' | 'ebpf' | 'auto';
  /** Who asks. */
  agent?: string;
  /** VMs of one name share a cell. Not for NodeVM. */
  reuse?: string | false;
  /** How many cells wait. */
  ready?: number;
  /** What `.` means in grants. */
  workspace?: string;
  /** The program Node of cells. */
  node?: string;
}

/** What holds where `ambit` of the options does not say otherwise. */
export const defaults: { ambit: AmbitOptions };

export interface VMOptions {
  compiler?: 'javascript' | 'typescript' | 'coffeescript' | CompilerFunction;
  compilerOptions?: Record<string, any>;
  /** Global variables of the code. */
  sandbox?: any;
  /** Milliseconds that all that runs for a call may take. */
  timeout?: number;
  /** false: no code is made of texts. */
  eval?: boolean;
  /** false: no WebAssembly, even with `jit`. */
  wasm?: boolean;
  /** @deprecated allowAsync: false says the same. */
  fixAsync?: boolean;
  /** false: code that is asynchronous is refused. */
  allowAsync?: boolean;
  /** Bytes that a Buffer has at most. */
  bufferAllocLimit?: number;
  ambit?: AmbitOptions;
}

export interface NodeVMOptions extends VMOptions {
  console?: 'inherit' | 'redirect' | 'off';
  require?: boolean | VMRequire | Resolver;
  /** The code may make VMs, which have no more than this one has. */
  nesting?: boolean;
  /** 'none': `return` gives the result. */
  wrapper?: 'commonjs' | 'none';
  sourceExtensions?: readonly string[];
  /** A copy is there as process.argv. */
  argv?: string[];
  /** A copy is there as process.env. */
  env?: any;
  strict?: boolean;
}

/** Code without `require`, in a cell. */
export class VM {
  constructor(options?: VMOptions);
  /** The global variables, as they are now. */
  readonly sandbox: any;
  timeout?: number;
  run(script: string | VMScript, options?: string | { filename?: string }): any;
  runFile(filename: string): any;
  setGlobals(values: any): this;
  setGlobal(name: string, value: any): this;
  getGlobal(name: string): any;
  /** The code's copy of it cannot be changed. */
  freeze(object: any, name?: string): any;
  readonly(object: any): any;
  /** The code puts no functions into its copy of it. */
  protect(object: any, name?: string): any;
  /** Ends the process of the sandbox now. */
  dispose(): void;
}

/** Code with `require` and `process`, as in Node, in a cell. */
export class NodeVM extends EventEmitter implements VM {
  constructor(options?: NodeVMOptions);
  require(module: string): any;
  static code(script: string, filename?: string, options?: NodeVMOptions): any;
  static file(filename: string, options?: NodeVMOptions): any;
  readonly sandbox: any;
  timeout?: number;
  readonly resolver: Resolver;
  run(js: string | VMScript, options?: string | { filename?: string; wrapper?: 'commonjs' | 'none'; strict?: boolean }): any;
  runFile(filename: string): any;
  setGlobals(values: any): this;
  setGlobal(name: string, value: any): this;
  getGlobal(name: string): any;
  freeze(object: any, name?: string): any;
  readonly(object: any): any;
  protect(object: any, name?: string): any;
  dispose(): void;
}

// `using vm = new VM()`, where the compiler knows Symbol.dispose; where it does not, this says nothing that concerns it.
declare global {
  interface SymbolConstructor {
    readonly dispose: unique symbol;
  }
}
export interface VM {
  [Symbol.dispose](): void;
}
export interface NodeVM {
  [Symbol.dispose](): void;
}

/** Code with the place it has in stack traces. It belongs to no sandbox. */
export class VMScript {
  constructor(code: string, path: string, options?: {
    lineOffset?: number;
    columnOffset?: number;
    compiler?: 'javascript' | 'typescript' | 'coffeescript' | CompilerFunction;
    compilerOptions?: Record<string, any>;
  });
  constructor(code: string, options?: {
    filename?: string;
    lineOffset?: number;
    columnOffset?: number;
    compiler?: 'javascript' | 'typescript' | 'coffeescript' | CompilerFunction;
    compilerOptions?: Record<string, any>;
  });
  readonly code: string;
  readonly filename: string;
  readonly lineOffset: number;
  readonly columnOffset: number;
  readonly compiler: 'javascript' | 'typescript' | 'coffeescript' | CompilerFunction;
  readonly compilerOptions: Record<string, any> | undefined;
  /** @deprecated */
  wrap(prefix: string, postfix: string): this;
  /** Throws if it is no code. Nothing of it is executed. */
  compile(): this;
}

/** What is thrown for our own reasons. */
export class VMError extends Error {
  constructor(message: string, code?: string, hint?: string);
  /** 'ELIMIT', 'ECLONE', 'EOPTION' and so on. */
  code?: string;
  /** What to do. */
  hint?: string;
}
