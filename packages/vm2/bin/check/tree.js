// Walks a tree, and tells what the names in it are bound to.
'use strict';

const FUNCTION = ['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'];
const CLASS = ['ClassDeclaration', 'ClassExpression'];
const SCOPE = new Set([...FUNCTION, ...CLASS, 'Program', 'BlockStatement', 'StaticBlock', 'ForStatement', 'ForInStatement', 'ForOfStatement', 'SwitchStatement', 'CatchClause']);

const isNode = (it) => it !== null && typeof it === 'object' && typeof it.type === 'string';

/** [key, node or list of nodes] of each member that has some. */
const children = (node) => Object.entries(node).filter(([, it]) => isNode(it) || (Array.isArray(it) && it.some(isNode)));

/** Calls visit(node, ancestors) for each node, outer ones first; the last of `ancestors` is the node itself. Where it answers false, what is in the node is left out. */
function walk(node, visit, ancestors = []) {
  ancestors.push(node);
  if (visit(node, ancestors) !== false) {
    for (const [, it] of children(node)) {
      for (const one of Array.isArray(it) ? it : [it]) if (isNode(one)) walk(one, visit, ancestors);
    }
  }
  ancestors.pop();
}

const stringOf = (node) => (node?.type === 'Literal' && typeof node.value === 'string' ? node.value : node?.type === 'TemplateLiteral' && node.expressions.length === 0 ? node.quasis[0].value.cooked : undefined);

/** The name of a member or a property, where it is written there. */
function nameOf(node) {
  const key = node.key ?? node.property;
  if (node.computed) return stringOf(key) ?? (key.type === 'Literal' ? String(key.value) : undefined);
  return key.type === 'PrivateIdentifier' ? `#${key.name}` : key.name ?? String(key.value);
}

/** `a`, `this.a`, `a.b`: what an assignment can give a value to. One name of two scopes gives two texts. */
function textOf(node) {
  if (node?.type === 'Identifier') return node.bound ?? node.name;
  if (node?.type === 'ThisExpression') return 'this';
  if (node?.type === 'ChainExpression') return textOf(node.expression);
  if (node?.type === 'MemberExpression') {
    const object = textOf(node.object), name = nameOf(node);
    return object === undefined || name === undefined ? undefined : `${object}.${name}`;
  }
  return undefined;
}

/** The same for people. */
const shown = (node) => textOf(node)?.replace(/@\d+/g, '');

/** The identifiers that a pattern declares. */
function declaredBy(pattern) {
  switch (pattern?.type) {
    case 'Identifier': return [pattern];
    case 'ObjectPattern': return pattern.properties.flatMap((it) => declaredBy(it.value ?? it.argument));
    case 'ArrayPattern': return pattern.elements.flatMap(declaredBy);
    case 'AssignmentPattern': return declaredBy(pattern.left);
    case 'RestElement': return declaredBy(pattern.argument);
    default: return [];
  }
}

/** Whether an identifier is a word of the syntax around it, and no name of something. */
const isKey = (node, parent) => (parent.computed !== true && (parent.property === node || (parent.key === node && parent.value !== node))) || parent.label === node || (parent.type === 'ImportSpecifier' && parent.imported === node && parent.local !== node) || (parent.type === 'ExportSpecifier' && parent.exported === node && parent.local !== node);

/** Gives each identifier that is declared in the file a name of its own (`bound`), as scopes have it. */
function bind(tree) {
  const scopes = new Map(); // node -> names
  let count = 0;
  walk(tree, (node, ancestors) => {
    const around = (at, fits) => ancestors.slice(0, at).findLast(fits), inner = (it) => SCOPE.has(it.type), outer = (it) => FUNCTION.includes(it.type) || it.type === 'Program' || it.type === 'StaticBlock';
    const declare = (scope, patterns) => {
      if (!scopes.has(scope)) scopes.set(scope, new Map());
      for (const { name } of patterns.flatMap(declaredBy)) if (!scopes.get(scope).has(name)) scopes.get(scope).set(name, `${name}@${++count}`);
    };
    if (node.type === 'VariableDeclaration') declare(around(-1, node.kind === 'var' ? outer : inner), node.declarations.map((it) => it.id));
    else if (node.type === 'ImportDeclaration') declare(tree, node.specifiers.map((it) => it.local));
    else if (node.type === 'CatchClause') declare(node, [node.param]);
    else if (FUNCTION.includes(node.type) || CLASS.includes(node.type)) {
      if (node.id) declare(node.type.endsWith('Declaration') ? around(-1, inner) : node, [node.id]);
      if (node.params) declare(node, node.params);
    }
  });
  walk(tree, (node, ancestors) => {
    const parent = ancestors[ancestors.length - 2];
    if (node.type !== 'Identifier' || isKey(node, parent)) return;
    const own = parent.type.endsWith('Declaration') && parent.id === node; // its name stands around a function, and not in it
    for (let at = ancestors.length - (own ? 3 : 2); at >= 0 && node.bound === undefined; at--) node.bound = scopes.get(ancestors[at])?.get(node.name);
  });
}

module.exports = { CLASS, FUNCTION, bind, children, nameOf, shown, stringOf, textOf, walk };
