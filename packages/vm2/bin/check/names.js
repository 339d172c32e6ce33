// Which names of a file stand for the module vm2, for what it exports, and for values that are seen. By name, not by scope: one name for two things is taken for both.
'use strict';
const walk = require('acorn-walk');

const EXPORTS = ['VM', 'NodeVM', 'VMScript', 'VMFileSystem', 'VMError', 'Resolver', 'makeResolverFromLegacyOptions'];
const FUNCTION = ['FunctionExpression', 'ArrowFunctionExpression'];

const stringOf = (node) => (node?.type === 'Literal' && typeof node.value === 'string' ? node.value : node?.type === 'TemplateLiteral' && node.expressions.length === 0 ? node.quasis[0].value.cooked : undefined);
const nameOf = (property) => (property.computed ? stringOf(property.key ?? property.property) : (property.key ?? property.property)?.name ?? String((property.key ?? property.property)?.value));

/** `a`, `this.a`, `a.b`: what an assignment can give a name to. */
function textOf(node) {
  if (node?.type === 'Identifier') return node.name;
  if (node?.type === 'ThisExpression') return 'this';
  if (node?.type === 'MemberExpression') {
    const object = textOf(node.object), name = node.property.type === 'PrivateIdentifier' ? `#${node.property.name}` : nameOf(node);
    return object === undefined || name === undefined ? undefined : `${object}.${name}`;
  }
  return undefined;
}

/** The text that is required or imported, of require('x'), import('x'), and what compilers wrap around these. */
function requiredBy(node) {
  switch (node?.type) {
    case 'AwaitExpression': return requiredBy(node.argument);
    case 'ChainExpression': return requiredBy(node.expression);
    case 'ImportExpression': return stringOf(node.source);
    case 'SequenceExpression': return requiredBy(node.expressions[node.expressions.length - 1]);
    case 'CallExpression': {
      const [first] = node.arguments, callee = textOf(node.callee) ?? (node.callee.type === 'SequenceExpression' ? textOf(node.callee.expressions[node.callee.expressions.length - 1]) : '') ?? '';
      if (/(^|\.)(require|__require|_require|nodeRequire)$/.test(callee) || callee === 'require.resolve') return stringOf(first);
      if (/(^|\.)_*(import|interop|toESM|esModuleInterop)\w*$/i.test(callee) && node.arguments.length > 0) return requiredBy(first);
      if (callee === '') return undefined;
      return undefined;
    }
    default: return undefined;
  }
}

class Names {
  constructor(tree, modules) {
    this.modules = modules; // names of packages that are vm2
    this.module = new Set();
    this.exports = new Map(); // text -> which of EXPORTS
    this.required = new Map(); // text -> package
    this.values = new Map(); // name -> node, or null where there are several
    this.instances = new Map(); // text -> the node `new VM()`
    const facts = [];
    walk.full(tree, (node) => {
      if (node.type === 'ImportDeclaration' || ((node.type === 'ExportNamedDeclaration') && node.source)) this.imported(node);
      else if (node.type === 'VariableDeclarator' && node.init) facts.push([node.id, node.init]), this.valued(node.id, node.init);
      else if (node.type === 'AssignmentExpression') facts.push([node.left, node.right]), this.valued(node.left, node.right);
      else if (node.type === 'AssignmentPattern') facts.push([node.left, node.right]);
      else if (node.type === 'PropertyDefinition' && node.value) facts.push([{ type: 'MemberExpression', object: { type: 'ThisExpression' }, property: node.key, computed: node.computed }, node.value]);
      else if ((node.type === 'ClassDeclaration' || node.type === 'ClassExpression') && node.superClass && node.id) facts.push([node.id, node.superClass]);
      else if (node.type === 'CallExpression' && node.callee.type === 'MemberExpression' && nameOf(node.callee) === 'then' && node.arguments[0]?.params?.length > 0) facts.push([node.arguments[0].params[0], node.callee.object]);
    });
    for (let before = -1; before !== this.size();) {
      before = this.size();
      for (const [left, right] of facts) this.bound(left, right);
    }
  }

  size() {
    return this.module.size + this.exports.size + this.required.size + this.instances.size;
  }

  imported({ source, specifiers }) {
    const from = String(source.value);
    for (const it of specifiers) {
      if (!it.local) continue;
      const name = it.imported?.name ?? it.imported?.value;
      if (name === undefined || name === 'default') this.required.set(it.local.name, from);
      if (!this.modules.has(from)) continue;
      if (name === undefined || name === 'default') this.module.add(it.local.name);
      else this.exports.set(it.local.name, name);
    }
  }

  valued(left, right) {
    if (left.type === 'Identifier') this.values.set(left.name, this.values.has(left.name) ? null : right);
  }

  bound(left, right) {
    if (left.type === 'ObjectPattern') {
      for (const it of left.properties) {
        if (it.type !== 'Property') continue;
        const name = nameOf(it), target = it.value.type === 'AssignmentPattern' ? it.value.left : it.value;
        if (this.isModule(right)) name === 'default' ? this.bound(target, right) : EXPORTS.includes(name) && this.exports.set(textOf(target), name);
      }
      return;
    }
    const text = textOf(left);
    if (text === undefined) return;
    const from = requiredBy(right), which = this.exportOf(right);
    if (from !== undefined) this.required.set(text, from);
    if (this.isModule(right)) this.module.add(text);
    else if (which !== undefined) this.exports.set(text, which);
    const made = this.made(right);
    if (made !== undefined) this.instances.set(text, made);
  }

  isModule(node) {
    if (!node) return false;
    if (this.modules.has(requiredBy(node)) || this.module.has(textOf(node))) return true;
    if (node.type === 'MemberExpression' && nameOf(node) === 'default') return this.isModule(node.object);
    if (node.type === 'LogicalExpression') return this.isModule(node.left) || this.isModule(node.right);
    if (node.type === 'ConditionalExpression') return this.isModule(node.consequent) || this.isModule(node.alternate);
    if (node.type === 'AssignmentExpression') return this.isModule(node.right);
    if (node.type === 'AwaitExpression') return this.isModule(node.argument);
    if (node.type === 'ChainExpression') return this.isModule(node.expression);
    if (node.type === 'CallExpression' && node.arguments.length > 0) return /(^|\.)_*(import|interop|toESM)\w*$/i.test(textOf(node.callee) ?? '') && this.isModule(node.arguments[0]);
    return false;
  }

  exportOf(node) {
    if (!node) return undefined;
    const text = textOf(node);
    if (text !== undefined && this.exports.has(text)) return this.exports.get(text);
    if (node.type === 'MemberExpression' && this.isModule(node.object)) return EXPORTS.includes(nameOf(node)) ? nameOf(node) : undefined;
    if (node.type === 'SequenceExpression') return this.exportOf(node.expressions[node.expressions.length - 1]);
    if (node.type === 'AssignmentExpression') return this.exportOf(node.right);
    return undefined;
  }

  /** The node `new VM()` that this is, or is a name of. */
  made(node) {
    if (node?.type === 'NewExpression') return ['VM', 'NodeVM'].includes(this.exportOf(node.callee)) ? node : undefined;
    return this.instances.get(textOf(node)) ?? (node?.type === 'AssignmentExpression' || node?.type === 'LogicalExpression' ? this.made(node.right) : undefined);
  }

  /** What stands for it in this file, or undefined where that is not seen. */
  literal(node, depth = 0) {
    if (node?.type !== 'Identifier') return node ?? undefined;
    if (node.name === 'undefined') return node;
    const value = this.values.get(node.name);
    return value === undefined || value === null || depth > 8 ? undefined : this.literal(value, depth + 1);
  }
}

module.exports = { Names, FUNCTION, nameOf, requiredBy, stringOf, textOf };
