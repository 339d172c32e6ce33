// JavaScript as a tree, and TypeScript and JSX as what is left of them without types. Places are those of the file.
'use strict';
const { children } = require('./tree.js');

const HOW = { ecmaVersion: 'latest', locations: true, allowReturnOutsideFunction: true, allowAwaitOutsideFunction: true, allowHashBang: true, allowImportExportEverywhere: true, allowSuperOutsideMethod: true };
// What is tried for a file of this ending, in order. JSX stands in files of JavaScript, too.
const TRIED = { js: [['js', 'module'], ['js', 'script'], ['tsx', 'module']], ts: [['ts', 'module'], ['ts', 'script']], tsx: [['tsx', 'module']] };
const parsers = {};

/** Gets the parsers. Throws where a package is not installed: it is the package's user who decides on optional ones. */
async function ready() {
  const { Parser } = require('acorn'), { tsPlugin } = await import('@sveltejs/acorn-typescript');
  Object.assign(parsers, { js: Parser, ts: Parser.extend(tsPlugin()), tsx: Parser.extend(tsPlugin({ jsx: true })) });
}

// Of these stays the member that is named, of the other nodes of TypeScript nothing.
const INNER = { TSAsExpression: 'expression', TSSatisfiesExpression: 'expression', TSNonNullExpression: 'expression', TSTypeAssertion: 'expression', TSInstantiationExpression: 'expression', TSExportAssignment: 'expression',
  TSExternalModuleReference: 'expression', TSParameterProperty: 'parameter', TSModuleDeclaration: 'body', ParenthesizedExpression: 'expression' };
const isType = (node) => node.importKind === 'type' || node.exportKind === 'type' || (node.type.startsWith('TS') && node.type !== 'TSModuleBlock');

/** `import a = require('b')` as the declaration that it is. */
function declared({ start, end, loc, id, moduleReference }) {
  const source = bare(moduleReference);
  if (moduleReference.type !== 'TSExternalModuleReference') return undefined;
  const init = { type: 'ImportExpression', start, end, loc, source };
  return { type: 'VariableDeclaration', kind: 'const', start, end, loc, declarations: [{ type: 'VariableDeclarator', start, end, loc, id, init }] };
}

/** The node without its types; undefined where it is nothing else. */
function bare(given) {
  let node = given;
  while (node && Object.hasOwn(INNER, node.type)) node = node[INNER[node.type]];
  if (node?.type === 'TSImportEqualsDeclaration' && node.importKind !== 'type') return declared(node);
  if (!node || isType(node)) return undefined;
  if (node.type === 'TSModuleBlock') node.type = 'BlockStatement';
  const had = node.type === 'ImportDeclaration' && node.specifiers.length > 0;
  for (const [key, value] of children(node)) {
    if (!Array.isArray(value)) node[key] = bare(value);
    else node[key] = value.map((it) => it && bare(it)).filter((it) => it !== undefined);
  }
  return had && node.specifiers.length === 0 ? undefined : node; // of an import of types nothing is left when it runs
}

/** -> the tree; throws where it cannot be read, with the place. `kind` is a key of TRIED. */
function parse(source, kind = 'js') {
  let first;
  for (const [parser, sourceType] of TRIED[kind]) {
    try {
      const tree = parsers[parser].parse(source, { ...HOW, sourceType });
      return parser === 'js' ? tree : bare(tree);
    } catch (problem) {
      first ??= problem;
    }
  }
  throw first;
}

module.exports = { parse, ready };
