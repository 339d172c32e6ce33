// vm-nunjucks 0.2: the template engine nunjucks, 3.2, as a whole in a sandbox, since templates come from users.
//
// One NodeVM for the process, with `require: { builtin: ['fs', 'path', 'events'], context: 'sandbox' }`, that runs 80 kB of code when the package is loaded. Out: functions and classes, of which the host makes
// instances and calls their methods. In: data, filters, extensions and loaders of the host, and callbacks.
import assert from 'node:assert/strict';
import nunjucks from 'vm-nunjucks';
import { cases } from './cases.mjs';

await cases({
  'a template of text'() {
    assert.equal(nunjucks.renderString('Hello {{ name }}, {{ 1 + 2 }}', { name: 'you' }), 'Hello you, 3');
    assert.equal(nunjucks.renderString('{% for it in list %}{{ loop.index }}={{ it.name | upper }};{% endfor %}', { list: [{ name: 'a' }, { name: 'b' }] }), '1=A;2=B;');
    assert.equal(nunjucks.renderString('{% if on %}on{% else %}off{% endif %}{% set n = 3 %}{{ n * 2 }}{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m("y") }}', { on: false }), 'off6<y>');
  },
  'texts of users are escaped'() {
    assert.equal(nunjucks.renderString('{{ text }} {{ text | safe }}', { text: '<b>&' }), '&lt;b&gt;&amp; <b>&');
  },
  'functions of the host in a template'() {
    assert.equal(nunjucks.renderString('{{ twice(4) }} {{ of.it("a") }}', { twice: (n) => 2 * n, of: { it: (text) => `${text}!` } }), '8 a!');
  },
  async 'by callback'() {
    assert.equal(await new Promise((resolve, reject) => { nunjucks.renderString('{{ a }}', { a: 7 }, (problem, text) => (problem ? reject(problem) : resolve(text))); }), '7');
  },
  'what is wrong with a template is told'() {
    assert.throws(() => nunjucks.renderString('{% if %}'), { name: 'Template render error' });
    assert.throws(() => nunjucks.renderString('{{ nothing() }}'), /Unable to call `nothing`/);
    assert.throws(() => nunjucks.renderString('{{ x | unheard }}', { x: 1 }), /filter not found: unheard/);
  },
  'an environment with filters and globals of the host'() {
    const env = new nunjucks.Environment(null, { autoescape: false });
    env.addFilter('short', (text, n) => text.slice(0, n || 3));
    env.addGlobal('site', { name: 'here' });
    assert.equal(env.renderString('{{ "abcdef" | short }} {{ "abcdef" | short(1) }} {{ site.name }} {{ "<" }}'), 'abc a here <');
  },
  async 'a filter that answers later'() {
    const env = new nunjucks.Environment(null);
    env.addFilter('later', (text, done) => { setTimeout(() => done(null, `${text} later`), 5); }, true);
    assert.equal(await new Promise((resolve, reject) => { env.renderString('{{ "now" | later }}', {}, (problem, text) => (problem ? reject(problem) : resolve(text))); }), 'now later');
  },
  'templates by a loader of the host'() {
    const texts = { 'base.html': 'top [{% block body %}none{% endblock %}]', 'page.html': '{% extends "base.html" %}{% block body %}{{ title }}{% endblock %}' };
    const env = new nunjucks.Environment({ getSource: (name) => (name in texts ? { src: texts[name], path: name, noCache: true } : null) });
    assert.equal(env.render('page.html', { title: 'T' }), 'top [T]');
    assert.throws(() => env.render('missing.html', {}), /template not found: missing\.html/);
  },
  'a compiled template'() {
    const template = nunjucks.compile('{{ a }}-{{ b }}');
    assert.equal(template.render({ a: 1, b: 2 }), '1-2');
    assert.equal(template.render({ a: 3, b: 4 }), '3-4');
    assert.match(nunjucks.precompileString('{{ a }}', { name: 'n' }), /nunjucksPrecompiled/);
  },
  'a template cannot reach the host'() {
    const way = '{{ ({}).constructor.constructor("return typeof process === \'object\' && typeof process.mainModule")() }}';
    let text;
    try {
      text = nunjucks.renderString(way);
    } catch {
      return;
    }
    assert.doesNotMatch(text, /object/);
  },
});
process.exit();
