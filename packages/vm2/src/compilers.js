// Compilers run here, in the program, with its authority, before the code goes into a sandbox.
'use strict';
const path = require('path');
const { createRequire } = require('module');
const { VMError } = require('./errors.js');

const withoutShebang = (code) => (code.startsWith('#!') ? `//${code.slice(2)}` : code);

withoutShebang.isIdentity = true; // of files that are JavaScript already

/** A package of the program's, and not of ours. */
function load(name, hint) {
  for (const from of [path.join(process.cwd(), 'x'), require.main?.filename, __filename]) {
    try {
      if (from !== undefined) return createRequire(from)(name);
    } catch (problem) {
      if (problem.code !== 'MODULE_NOT_FOUND') throw problem;
    }
  }
  throw new VMError(`the compiler '${name}' is not installed`, undefined, hint);
}

/** (code, filename) -> JavaScript. */
function compilerOf(compiler, options) {
  if (typeof compiler === 'function') return (code, filename) => String(compiler(code, filename));
  switch (compiler) {
    case undefined:
    case 'javascript':
    case 'js': case 'java-script': case 'text/javascript':
      return withoutShebang;
    case 'typescript': case 'ts': case 'type-script': case 'text/typescript': {
      const typescript = load('typescript', 'npm install typescript@6');
      if (typeof typescript.transpileModule !== 'function') throw new VMError(`typescript ${typescript.version ?? ''} has no transpileModule()`, undefined, 'install typescript@6 or earlier, or pass a function as the compiler');
      return (code, filename) => typescript.transpileModule(withoutShebang(code), { fileName: filename, compilerOptions: { module: typescript.ModuleKind.CommonJS, ...options } }).outputText;
    }
    case 'coffeescript': case 'coffee-script': case 'cs': case 'text/coffeescript': {
      const coffee = load('coffee-script', 'npm install coffee-script');
      return (code) => coffee.compile(withoutShebang(code), { header: false, bare: true, ...options });
    }
    default: throw new VMError(`Unsupported compiler '${String(compiler)}'.`);
  }
}

module.exports = { compilerOf };
