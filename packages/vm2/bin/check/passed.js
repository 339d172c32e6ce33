// What is passed to the code: what it is, as far as the file shows it.
'use strict';
const { isCallOf } = require('./names.js');
const { CLASS, nameOf, shown, textOf } = require('./tree.js');

const COPIED = /^(Map|Set|Date|RegExp|Array|Object|(Range|Type|Syntax|Reference|Eval|URI)?Error|Boolean|Number|String|Promise|Function)$/;
const BYTES = /^(ArrayBuffer|SharedArrayBuffer|DataView|Buffer|(Big)?(Uint|Int|Float)\d+(Clamped)?Array)$/;
const HOST = ['process', 'process.env', 'global', 'globalThis', 'require', 'module'];
const isClass = (node) => CLASS.includes(node.type);
const isNothing = (node) => node === undefined || shown(node) === 'undefined' || (node.type === 'UnaryExpression' && node.operator === 'void') || (node.type === 'Literal' && !node.value);
const isNew = (node, names) => node.type === 'NewExpression' && names.test(shown(node.callee) ?? '');
const isBytes = (node) => isNew(node, BYTES) || (node.type === 'CallExpression' && /^(Buffer\.(from|alloc\w*|concat)|\w+Array\.(from|of))$/.test(shown(node.callee) ?? ''));
const isCapital = (name) => /^[A-Z][a-z]/.test(name ?? '');

// What a value is that is passed in, of a meaning and the node that is written there: the first that holds.
const PASSED = [
  ['sandbox-process', (it) => HOST.includes(textOf(it))],
  ['sandbox-instance', (it) => it.type === 'ThisExpression'],
  ['sandbox-module', (it, names) => names.required(it).some((from) => !from.startsWith('.'))],
  ['hostClass', (it, names, node) => isClass(it) || /^(URL|URLSearchParams|TextEncoder|TextDecoder|AbortController|Event|EventTarget|Blob|Headers|Request|Response|FormData|WebSocket)$/.test(textOf(it) ?? '')
    || (it.type === 'MemberExpression' && isCapital(nameOf(it)) && names.required(it.object).length > 0)
    || (names.required(it).some((from) => from.startsWith('.')) && isCapital(shown(node)?.split('.').pop()))],
  ['generator', (it, names) => it.generator === true || (it.type === 'CallExpression' && names.meanings(it.callee).some((callee) => callee.generator))],
  ['weak', (it) => isNew(it, /^Weak(Map|Set|Ref)$/)],
  ['proxyTrap', (it) => isNew(it, /^Proxy$/)],
  ['prototype', (it) => isCallOf(it, 'Object.create') && !isNothing(it.arguments[0])],
  ['sandbox-bytes', isBytes],
  ['sandbox-instance', (it) => it.type === 'NewExpression' && !isNew(it, COPIED)],
];

// Of a value of these it is seen that it is data, or a function.
const SEEN = /^(Literal|TemplateLiteral|\w*Function\w*|(Unary|Binary|Update|Object|Array|New)Expression)$/, GIVES_DATA = /^(JSON\.\w+|Object\.\w+|Array\.\w+|Math\.\w+|Date\.\w+|Promise\.\w+|String|Number|Boolean|BigInt|Symbol|Date|structuredClone|parseInt|parseFloat)$/;
const isSeen = (it, names) => SEEN.test(it.type) || (it.type === 'CallExpression' && GIVES_DATA.test(shown(it.callee) ?? '')) || (it.type === 'Identifier' && it.bound === undefined)
  || (it.type === 'MemberExpression' && (names.required(it.object).some((from) => !from.startsWith('.')) || (it.object.type === 'Identifier' && it.object.bound === undefined)));
const OF_KIND = { get: 'accessor', set: 'accessor', hidden: 'hidden' };

module.exports = { BYTES, COPIED, OF_KIND, PASSED, isBytes, isClass, isNew, isNothing, isSeen };
