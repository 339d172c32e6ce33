/// <reference types="node" />
import { EventEmitter } from 'events';
import * as fs from 'fs';
import * as pa from 'path';

/** Of fs what modules are read with. */
export interface VMFS {
  statSync: typeof fs.statSync;
  readFileSync: typeof fs.readFileSync;
}

/** Of path what modules are found with. */
export interface VMPath {
  resolve: typeof pa.resolve;
  isAbsolute: typeof pa.isAbsolute;
  join: typeof pa.join;
  basename: typeof pa.basename;
  dirname: typeof pa.dirname;
}

export interface VMFileSystemInterface extends VMFS, VMPath {
  /** Whether that character stands between directories. */
  isSeparator(char: string): boolean;
}

/** From where modules are read; asked from the cell, file by file. */
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

export type BuiltinLoad = (vm: NodeVM) => any;
export type Builtin = BuiltinLoad | { init: (vm: NodeVM) => void; load: BuiltinLoad };
export type HostRequire = (id: string) => any;
/** 'host' is refused: no module of a sandbox runs in this process. */
export type PathContextCallback = (modulePath: string, extensionType: string) => 'host' | 'sandbox';

/** What may be required in a NodeVM. */
export interface VMRequire {
  /** Names of Node's modules, '*' for all, '-name' for all but that; what they reach is what `ambit` grants. */
  builtin?: readonly string[];
  /** 'sandbox' in any case; 'host' is refused. */
  context?: 'host' | 'sandbox' | PathContextCallback;
  external?: boolean | readonly string[] | { modules: readonly string[]; transitive?: boolean };
  import?: readonly string[];
  /** Where modules may be read: a grant of reading. */
  root?: string | readonly string[];
  mock?: any;
  resolve?: (moduleName: string, parentDirname: string) => string | { path: string; module?: string } | undefined;
  /** Called in this process for what may be required; what it gives crosses as everything does. */
  customRequire?: HostRequire;
  strict?: boolean;
  fs?: VMFileSystemInterface;
}

export type CompilerFunction = (code: string, filename: string) => string;
export type Compiler = 'javascript' | 'typescript' | 'coffeescript' | CompilerFunction;

/** What may be required, for several NodeVMs. */
export class Resolver {
  private constructor();
}

export function makeResolverFromLegacyOptions(options: VMRequire, override?: { [key: string]: Builtin }, compiler?: CompilerFunction): Resolver;

/** What the cell may, in the words of `ambit run`. */
export interface Authority {
  read?: string | readonly string[];
  write?: string | readonly string[];
  work?: string | readonly string[];
  run?: string | readonly string[];
  /** 'api.example.com:443' */
  connect?: string | readonly string[];
  listen?: string | readonly string[];
  /** Whole grants: 'read ./data'. */
  grants?: string | readonly string[];
  /** Variables of the cell: their names, or names and values. */
  env?: readonly string[] | { [name: string]: string };
  /** Of the whole cell, in bytes or as '512M'. */
  memory?: number | string;
  cpu?: string;
  tasks?: number;
  limits?: { [name: string]: string | number };
  /** Code is compiled while it runs, and there is WebAssembly. */
  jit?: boolean;
  /** Instances and plain objects of the program's are there by handle. */
  live?: boolean;
  /** Bytes that may cross at once. */
  message?: number | string;
  /** VMs of that name share a cell. */
  reuse?: string | boolean;
  /** How many cells wait. */
  ready?: number;
  /** Where it is recorded: a directory, true (the person's own) or false. */
  ledger?: string | boolean;
  agent?: string;
  /** What `.` means. */
  workspace?: string;
  /** The program Node of cells. */
  node?: string;
}

/** What holds where options do not say otherwise. */
export const defaults: { ambit: Authority };

export interface VMOptions {
  compiler?: Compiler;
  compilerOptions?: Record<string, any>;
  /** Globals: copied, with functions as calls. */
  sandbox?: any;
  /** In milliseconds, for all that runs for a call. */
  timeout?: number;
  eval?: boolean;
  wasm?: boolean;
  /** @deprecated `allowAsync: false` is what is meant. */
  fixAsync?: boolean;
  allowAsync?: boolean;
  /** Bytes of one Buffer. */
  bufferAllocLimit?: number;
  ambit?: Authority;
}

export interface NodeVMOptions extends VMOptions {
  console?: 'inherit' | 'redirect' | 'off';
  require?: boolean | VMRequire | Resolver;
  /** The sandbox may make others, which get no more than it has. */
  nesting?: boolean;
  wrapper?: 'commonjs' | 'none';
  sourceExtensions?: readonly string[];
  argv?: string[];
  env?: any;
  strict?: boolean;
}

/** Code in a cell, without `require`. */
export class VM {
  constructor(options?: VMOptions);
  /** The globals, asked for at each access. */
  readonly sandbox: any;
  timeout?: number;
  run(script: string | VMScript, options?: string | { filename?: string }): any;
  runFile(filename: string): any;
  setGlobals(values: any): this;
  setGlobal(name: string, value: any): this;
  getGlobal(name: string): any;
  freeze(object: any, name?: string): any;
  readonly(object: any): any;
  protect(object: any, name?: string): any;
  /** Ends its process now, and not when nobody has it any more. */
  dispose(): void;
}

/** Code in a cell as a module of Node's. */
export class NodeVM extends EventEmitter implements VM {
  constructor(options?: NodeVMOptions);
  require(module: string): any;
  static code(script: string, filename?: string, options?: NodeVMOptions): any;
  static code(script: string, options?: NodeVMOptions): any;
  static file(filename: string, options?: NodeVMOptions): any;
  readonly sandbox: any;
  timeout?: number;
  readonly resolver: Resolver;
  run(script: string | VMScript, options?: string | { filename?: string; wrapper?: 'commonjs' | 'none'; strict?: boolean }): any;
  runFile(filename: string): any;
  setGlobals(values: any): this;
  setGlobal(name: string, value: any): this;
  getGlobal(name: string): any;
  freeze(object: any, name?: string): any;
  readonly(object: any): any;
  protect(object: any, name?: string): any;
  dispose(): void;
}

export interface VMScriptOptions {
  lineOffset?: number;
  columnOffset?: number;
  compiler?: Compiler;
  compilerOptions?: Record<string, any>;
}

/** Code with its place in stack traces; it belongs to no sandbox. */
export class VMScript {
  constructor(code: string, path: string, options?: VMScriptOptions);
  constructor(code: string, options?: VMScriptOptions & { filename?: string });
  readonly code: string;
  readonly filename: string;
  readonly lineOffset: number;
  readonly columnOffset: number;
  readonly compiler: Compiler;
  readonly compilerOptions: Record<string, any> | undefined;
  /** @deprecated */
  wrap(prefix: string, postfix: string): this;
  compile(): this;
}

export class VMError extends Error {
  constructor(message: string, code?: string, hint?: string);
  /** 'ENOTFOUND', 'EDENIED', 'ELIMIT', 'ECLONE', 'EENDED', 'EGIVENUP', ... */
  code?: string;
  /** What to do. */
  hint?: string;
}
