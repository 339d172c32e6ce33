// What is said of uses of vm2: texts, and what is found in them. usage: node check.test.js   (TAP)
'use strict';
const assert = require('assert');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { spawnSync } = require('child_process');
const { checkText } = require('../src/check.js');

const HEAD = "const { VM, NodeVM } = require('vm2');\n", T = 'timeout: 1, ';
// name, text, what is found: line and kind of each, and a word of it
const ROWS = [
  ['nothing of vm2', "const fs = require('fs'); new VM({})", []],
  ['a name that is another\'s', "const { VM } = require('other'); new VM({ nesting: true }); 'vm2'", []],
  ['a plain VM', `${HEAD}new VM({ ${T}sandbox: { a: 1, f() {}, d: new Date(), m: new Map() } })`, []],
  ['no timeout', `${HEAD}new VM()`, ['2 same timeout']],
  ['taken from the module', "const vm2 = require('vm2');\nnew vm2.NodeVM({ timeout: 1, nesting: true })", ['2 stronger nesting']],
  ['taken out with another name', "const { NodeVM: N } = require('vm2');\nnew N({ timeout: 1, argv: [] })", ['2 different argv']],
  ['a member of require', "const V = require('vm2').VM;\nnew V({ timeout: 1, fixAsync: true })", ['2 different fixAsync']],
  ['without a name', "new (require('vm2').VM)({ timeout: 1, allowAsync: false })", ['1 different allowAsync']],
  ['import of names', "import { VM as X } from 'vm2';\nnew X({ timeout: 1, bufferAllocLimit: 5 })", ['2 stronger bufferAllocLimit']],
  ['import of all', "import * as v from 'vm2';\nnew v.VM({ timeout: 1, env: {} })", ['2 different env']],
  ['import that is awaited', "const { VM } = await import('vm2');\nnew VM({ timeout: 1, nesting: true })", ['2 stronger nesting']],
  ['names of what was imported', "const all = require('vm2'), { VM } = all;\nnew VM({ timeout: 1, argv: [] })", ['2 different argv']],
  ['options with a name', `${HEAD}const o = { ${T}nesting: true };\nnew NodeVM(o)`, ['2 stronger nesting']],
  ['options that are made elsewhere', `${HEAD}new VM(options())`, ['2 different elsewhere']],
  ['context host', `${HEAD}new NodeVM({ ${T}require: { context: 'host', root: '.' } })`, ['2 refused context', '2 stronger root']],
  ['context sandbox', `${HEAD}new NodeVM({ ${T}require: { context: 'sandbox' } })`, []],
  ['context by a function', `${HEAD}new NodeVM({ ${T}require: { context: (f) => f } })`, ['2 different context']],
  ['builtin modules', `${HEAD}new NodeVM({ ${T}require: { builtin: ['path', 'fs', 'node:http'] } })`, ['2 stronger fs', '2 stronger http']],
  ['all builtin modules', `${HEAD}new NodeVM({ ${T}require: { builtin: ['*'] } })`, ['2 stronger *']],
  ['a list that is made elsewhere', `${HEAD}new NodeVM({ ${T}require: { builtin: list } })`, ['2 different list']],
  ['external without root', `${HEAD}new NodeVM({ ${T}require: { external: true } })`, ['2 different external']],
  ['external with root', `${HEAD}new NodeVM({ ${T}require: { external: ['a'], root: '.' } })`, ['2 stronger root']],
  ['require: true', `${HEAD}new NodeVM({ ${T}require: true })`, ['2 different require']],
  ['functions of the host', `${HEAD}new NodeVM({ ${T}require: { resolve: f, customRequire: f, fs: f, mock: m } })`, ['2 different resolve', '2 different customRequire', '2 different fs', '2 different mock']],
  ['a resolver', "const { makeResolverFromLegacyOptions } = require('vm2');\nmakeResolverFromLegacyOptions({ context: 'host' })", ['2 refused context']],
  ['an instance in the sandbox', `${HEAD}new VM({ ${T}sandbox: { db: new Database() } })`, ['2 different instance']],
  ['a module in the sandbox', `${HEAD}const _ = require('lodash');\nnew VM({ ${T}sandbox: { _ } })`, ['3 different lodash']],
  ['the process in the sandbox', `${HEAD}new VM({ ${T}sandbox: { process } })`, ['2 different process']],
  ['write-back', `${HEAD}const s = {};\nconst vm = new VM({ ${T}sandbox: s });\nvm.run('a = 1');\nconsole.log(s.a, s.b)`, ['5 different written']],
  ['methods of a result', `${HEAD}const vm = new VM({ ${T}});\nvm.run('x').go()`, ['3 different method']],
  ['NodeVM.code', `${HEAD}NodeVM.code('1', 'a.js', { ${T}nesting: true })`, ['2 stronger nesting']],
  ['what is not there', "const { DefaultResolver } = require('vm2')", ['1 refused DefaultResolver']],
  ['a script with a return', `${HEAD}return new VM({ ${T}argv: [] })`, ['2 different argv']],
];

let number = 0, failed = 0;
function check(name, work) {
  number++;
  try {
    work();
    console.log(`ok ${number} - ${name}`);
  } catch (problem) {
    failed++;
    console.log(`not ok ${number} - ${name}\n${String(problem.stack).replace(/^/gm, '# ')}`);
  }
}

for (const [name, text, wanted] of ROWS) {
  check(name, () => {
    const found = checkText(text), words = wanted.map((it) => it.split(' '));
    assert.deepStrictEqual(found.map((it) => `${it.line} ${it.kind}`), words.map(([line, kind]) => `${line} ${kind}`), JSON.stringify(found));
    found.forEach((it, i) => assert.ok(it.what.includes(words[i][2]), `${it.what} does not say ${words[i][2]}`));
  });
}

const place = fs.mkdtempSync(path.join(process.env.AMBIT_TEST_PLACE ?? os.tmpdir(), 'check-'));
const run = (...words) => spawnSync(process.execPath, [path.join(__dirname, '../bin/ambit-vm2.js'), ...words], { cwd: place, encoding: 'utf8' });
const write = (name, text) => (fs.mkdirSync(path.dirname(path.join(place, name)), { recursive: true }), fs.writeFileSync(path.join(place, name), text));
check('a project: links and node_modules are left out, dependents are named, what cannot be read is told', () => {
  write('src/a.js', `${HEAD}new NodeVM({ ${T}require: { context: 'host' } })`);
  write('node_modules/b/index.js', `${HEAD}new NodeVM({ nesting: true })`);
  write('c.js', "require('vm2'); new (");
  write('package-lock.json', JSON.stringify({ packages: { '': { dependencies: { vm2: '3' } }, 'node_modules/b': { dependencies: { vm2: '3' } } } }));
  fs.symlinkSync(path.join(place, 'src'), path.join(place, 'link'));
  const text = run('check'), { found, unread, dependents } = JSON.parse(run('check', '--json').stdout);
  assert.deepStrictEqual([text.status, found.length, found[0].file, unread.map((it) => it.file), dependents], [1, 1, 'src/a.js', ['c.js'], ['b']]);
  assert.match(text.stdout, /^src\/a\.js:2:\d+: refused: .*\n {2}hint: /);
});
check('a project without anything', () => assert.deepStrictEqual([run('check', 'node_modules/b/package').status, run('check', 'src/../node_modules').status], [2, 0]));
check('words that are wrong', () => {
  for (const words of [[], ['look'], ['check', '--colour'], ['check', 'nowhere']]) {
    const { status, stderr } = run(...words);
    assert.ok(status === 2 && /^ambit-vm2: .+\n {2}hint: /.test(stderr), words.join(' '));
  }
  assert.ok(run('--help').status === 0 && run('check', '--help').stdout.includes('--json'));
});
fs.rmSync(place, { recursive: true });
console.log(`1..${number}`);
process.exitCode = Math.min(failed, 100);
