// What the expressions of a file may stand for, as far as the file shows it: all that is assigned to a name counts, whatever comes first.
'use strict';
const { CLASS, FUNCTION, bind, nameOf, shown, stringOf, textOf, walk } = require('./tree.js');

const EXPORTS = ['VM', 'NodeVM', 'VMScript', 'VMFileSystem', 'VMError', 'Resolver', 'makeResolverFromLegacyOptions'];
const UNKNOWN = { type: 'Unknown' };
const STEPS_MAX = 1000; // for one question: functions that give what others give, in circles, have more ways than anybody waits for
const REQUIRES = /(^|\.)(require|__require|_require|nodeRequire|require\.resolve)$/, WRAPS = /(^|\.)(_*(import|interop|toESM|esModuleInterop)\w*|Object\.(freeze|seal|preventExtensions))$/i;

const at = ({ start, end, loc }) => ({ start, end, loc });
const memberOf = (object, key, computed = false) => ({ type: 'MemberExpression', ...at(key), object, property: key, computed });
const isCallOf = (node, name) => node.type === 'CallExpression' && shown(node.callee) === name;
const last = (list) => list[list.length - 1];

/** What a function gives, as it is written in it. */
function returnedBy(node) {
  if (node.body.type !== 'BlockStatement') return [node.body];
  const found = [];
  walk(node.body, (it) => (it.type === 'ReturnStatement' && it.argument && found.push(it.argument), !FUNCTION.includes(it.type)));
  return found;
}

/** The property that Object.defineProperty makes: as others are, where it is data that can be enumerated. */
function defined(key, { properties, ...place }) {
  const of = Object.fromEntries(properties.filter((it) => it.type === 'Property').map((it) => [nameOf(it), it.value])), accessor = of.get ?? of.set;
  return { type: 'Property', kind: accessor ? 'get' : of.enumerable?.value === true ? 'init' : 'hidden', ...at(place), key, computed: true, value: accessor ?? of.value ?? UNKNOWN };
}

class Names {
  constructor(tree, modules) {
    this.modules = modules; // names of packages that are vm2
    this.values = new Map(); // text -> nodes
    this.added = new Map(); // text -> properties that the object gets later
    this.pushed = new Map(); // text -> elements that the list gets later
    this.called = new Map(); // function -> nodes that its parameters are
    this.returned = new Map(); // function -> nodes that it gives
    this.answers = new Map(); // text or call -> its meanings
    this.asked = new Set(); // texts and calls whose meanings are being looked for
    this.circles = new Set(); // those of them that were met again
    bind(tree);
    walk(tree, (node, ancestors) => this.learn(node, ancestors[ancestors.length - 2]));
  }

  note(map, key, ...nodes) {
    if (key === undefined) return;
    if (!map.has(key)) map.set(key, []);
    map.get(key).push(...nodes);
  }

  assign(left, right) {
    switch (left?.type) {
      case 'Identifier': return this.note(this.values, textOf(left), right);
      case 'MemberExpression':
        this.note(this.values, textOf(left), right);
        return this.note(this.added, textOf(left.object), { type: 'Property', kind: 'init', ...at(left), key: left.property, computed: left.computed, value: right });
      case 'AssignmentPattern': return this.assign(left.left, right), this.assign(left.left, left.right);
      case 'ObjectPattern': return left.properties.forEach((it) => (it.type === 'Property' ? this.assign(it.value, memberOf(right, it.key, it.computed)) : this.assign(it.argument, UNKNOWN)));
      case 'ArrayPattern': return left.elements.forEach((it) => this.assign(it, UNKNOWN));
      case 'RestElement': return this.assign(left.argument, UNKNOWN);
      default: return undefined;
    }
  }

  learn(node, parent) {
    switch (node.type) {
      case 'ImportDeclaration':
        for (const it of node.specifiers) {
          const whole = { type: 'ImportExpression', ...at(it), source: node.source }, isWhole = it.type !== 'ImportSpecifier' || (it.imported.name ?? it.imported.value) === 'default';
          this.assign(it.local, isWhole ? whole : memberOf(whole, it.imported, it.imported.type === 'Literal'));
        }
        break;
      case 'VariableDeclaration':
        for (const it of node.declarations) if (it.init || /^For(In|Of)/.test(parent.type)) this.assign(it.id, it.init ?? UNKNOWN);
        break;
      case 'AssignmentExpression': this.assign(node.left, /^(=|\|\|=|\?\?=)$/.test(node.operator) ? node.right : UNKNOWN); break;
      case 'PropertyDefinition': if (node.value) this.note(this.values, `this.${nameOf(node)}`, node.value); break;
      case 'MethodDefinition': if (node.kind === 'method' && node.value) this.note(this.values, `this.${nameOf(node)}`, node.value); break;
      case 'CatchClause': this.assign(node.param, UNKNOWN); break;
      case 'CallExpression': this.call(node); break;
      default:
        if (CLASS.includes(node.type) || FUNCTION.includes(node.type)) this.assign(node.id, node);
        node.params?.forEach((it, number) => this.assign(it, this.called.get(node)?.[number] ?? UNKNOWN));
    }
  }

  call({ callee, arguments: given }) {
    if (FUNCTION.includes(callee.type)) this.called.set(callee, given);
    else if (callee.type === 'MemberExpression') {
      const of = textOf(callee.object), name = nameOf(callee);
      if (name === 'then' && given[0]) this.called.set(given[0], [callee.object]);
      else if (name === 'push' || name === 'unshift') this.note(this.pushed, of, ...given);
      else if (of === 'Object' && name === 'defineProperty' && given[2]?.type === 'ObjectExpression') this.note(this.added, textOf(given[0]), defined(given[1], given[2]));
      else if (of === 'Object' && name === 'assign' && given[0]) this.note(this.added, textOf(given[0]), ...given.slice(1).map((it) => ({ type: 'SpreadElement', ...at(it), argument: it })));
    }
  }

  /** The nodes that this may stand for; what is not seen stands for itself. */
  meanings(node) {
    const of = (...nodes) => [...new Set(nodes.flatMap((it) => this.meanings(it)))];
    switch (node?.type) {
      case undefined: return [];
      case 'AwaitExpression': return of(node.argument);
      case 'ChainExpression': return of(node.expression);
      case 'SequenceExpression': return of(last(node.expressions));
      case 'AssignmentExpression': return of(node.right);
      case 'ConditionalExpression': return of(node.consequent, node.alternate);
      case 'LogicalExpression': return node.operator === '&&' ? of(node.right) : of(node.left, node.right);
      case 'CallExpression': return this.ofCall(node, of);
      case 'Identifier':
      case 'MemberExpression': {
        const text = textOf(node), values = this.values.get(text);
        const found = values !== undefined ? this.once(text, () => of(...values)) : node.type === 'Identifier' ? [node] : [];
        return found.length === 0 && node.type === 'MemberExpression' ? this.once(node, () => this.ofMember(node, of)) : found;
      }
      default: return [node];
    }
  }

  /** What `find` gives, which is kept when it does not wait for what is being looked for around it. */
  once(key, find) {
    if (this.answers.has(key)) return this.answers.get(key);
    if (this.asked.has(key)) return this.circles.add(key), [];
    if (this.asked.size === 0) this.steps = 0;
    if (++this.steps > STEPS_MAX) return [UNKNOWN];
    this.asked.add(key);
    const found = find();
    this.asked.delete(key);
    this.circles.delete(key);
    if (this.circles.size === 0) this.answers.set(key, found);
    return found;
  }

  ofCall(node, of) {
    const callee = shown(node.callee) ?? '';
    if (callee === 'Object.assign') return [{ type: 'ObjectExpression', ...at(node), properties: node.arguments.map((it) => ({ type: 'SpreadElement', ...at(it), argument: it })) }];
    if (WRAPS.test(callee) && node.arguments.length > 0) return of(node.arguments[0]);
    if (node.callee.type === 'Super') return [node];
    return this.once(node, () => {
      const functions = of(node.callee).filter((it) => FUNCTION.includes(it.type) && !it.generator), made = functions.flatMap((it) => {
        if (!this.returned.has(it)) this.returned.set(it, returnedBy(it));
        return this.returned.get(it);
      });
      return made.length > 0 ? of(...made) : [node];
    });
  }

  ofMember(node, of) {
    const name = nameOf(node);
    return of(node.object).flatMap((object) => {
      const held = object.type === 'ObjectExpression' && name !== undefined ? object.properties.filter((it) => it.type === 'Property' && it.kind === 'init' && nameOf(it) === name) : [];
      return held.length > 0 ? of(last(held).value) : [object === node.object ? node : memberOf(object, node.property, node.computed)];
    });
  }

  strings(node) {
    return this.meanings(node).map(stringOf).filter((it) => it !== undefined);
  }

  /** What require or import is asked for, where this is a call of one: [texts]; `?` is what is not seen. */
  required(node) {
    const asked = (it) => { const texts = this.strings(it); return texts.length > 0 ? texts : ['?']; };
    if (node?.type === 'ImportExpression') return asked(node.source);
    if (node?.type !== 'CallExpression') return [];
    const callee = node.callee.type === 'SequenceExpression' ? last(node.callee.expressions) : node.callee;
    return REQUIRES.test(shown(callee) ?? '') && node.arguments.length > 0 ? asked(node.arguments[0]) : [];
  }

  isModule(node) {
    return this.meanings(node).some((it) => this.required(it).some((name) => this.modules.has(name)) || (it.type === 'MemberExpression' && nameOf(it) === 'default' && this.isModule(it.object)));
  }

  /** Which of EXPORTS this is, or is a class on top of. */
  exportOf(node, depth = 0) {
    for (const it of this.meanings(node)) {
      if (CLASS.includes(it.type) && it.superClass && depth < 16) return this.exportOf(it.superClass, depth + 1);
      if (it.type === 'MemberExpression' && EXPORTS.includes(nameOf(it)) && this.isModule(it.object)) return nameOf(it);
    }
    return undefined;
  }

  isBox(node) {
    return ['VM', 'NodeVM'].includes(this.exportOf(node));
  }

  /** The nodes `new VM()` that this may be. */
  made(node) {
    return this.meanings(node).filter((it) => it.type === 'NewExpression' && this.isBox(it.callee));
  }
}

module.exports = { Names, WRAPS, isCallOf };
