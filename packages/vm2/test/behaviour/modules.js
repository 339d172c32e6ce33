// require in NodeVM: builtin and external modules, files, mocks, and what is refused.
'use strict';
const path = require('path');
const { write, thrown, event, differs } = require('./support.js');

const NODEVM = 'README: NodeVM';
const contexts = ['sandbox', 'host'];
const HOST = { host: differs.contextHost };

/** A directory with files, packages and a script whose name it gives. */
function tree(place, files = {}) {
  write(place, {
    'a.js': 'exports.name = "a"; exports.twice = (n) => n * 2;', 'b.js': 'module.exports = require("./a.js").twice(21);', 'data.json': '{"list": [1, 2], "name": "data"}', 'dir/index.js': 'module.exports = "index of dir";',
    'dir/inner.js': 'module.exports = require("../a").name + "!";', 'self.js': 'exports.file = __filename; exports.dir = __dirname; exports.parent = typeof module.parent;', 'bad.js': 'module.exports = ;', 'throws.js': 'throw new TypeError("at load");',
    'sloppy.js': 'module.exports = (function () { return this === undefined })();', 'count.js': 'let n = 0; module.exports = () => ++n;', 'cycle1.js': 'exports.a = 1; exports.other = require("./cycle2").b;', 'cycle2.js': 'exports.b = require("./cycle1").a + 1;',
    'text.mine': 'module.exports = "by extension";', 'class.js': 'module.exports = class Point { constructor(x) { this.x = x } sum(n) { return this.x + n } };', 'global.js': 'module.exports = typeof given;',
    'node_modules/pack/package.json': '{"name": "pack", "version": "1.2.3", "main": "lib/main.js"}', 'node_modules/pack/lib/main.js': 'exports.name = "pack"; exports.part = require("./part");', 'node_modules/pack/lib/part.js': 'module.exports = "part";', 'node_modules/pack/extra.js': 'module.exports = "extra";',
    'node_modules/plain/index.js': 'module.exports = "plain";', 'node_modules/@scope/one/index.js': 'module.exports = "scoped one";', 'node_modules/@scope/two-ver-11/index.js': 'module.exports = "two";',
    'node_modules/needs/index.js': 'module.exports = "needs " + require("inner");', 'node_modules/needs/node_modules/inner/index.js': 'module.exports = "inner";', 'node_modules/peer/index.js': 'module.exports = "peer " + require("plain");',
    'node_modules/usesfs/index.js': 'module.exports = typeof require("fs").readFileSync;', 'node_modules/pack-more/index.js': 'module.exports = "more";', ...files,
  });
  return path.join(place, 'script.js');
}

/** Cases that run that code beside the tree, in each context where it matters. */
const beside = (source, rows, where = contexts) => rows.flatMap(([name, code, want, require = {}, options = {}]) => where.map((context) => ({
  name: `${name} (context ${context})`, source, differs: HOST[context],
  run(vm2, assert, place) {
    const file = tree(place), given = typeof require === 'function' ? require(place) : require;
    const got = new vm2.NodeVM({ require: given === true || given === false ? given : { external: true, context, root: place, ...given }, ...options }).run(code, file);
    if (typeof want === 'function') want(got, assert, place);
    else assert.deepStrictEqual(got, want);
  },
})));

/** Cases where that is thrown; `check` is a code, a pattern of the message, or a function. */
const refuses = (source, rows) => rows.map(([name, code, check, require, options = {}]) => ({
  name, source,
  run(vm2, assert, place) {
    const file = tree(place), problem = thrown(() => new vm2.NodeVM({ require: typeof require === 'function' ? require(place) : require, ...options }).run(code, file));
    if (typeof check === 'string') assert.strictEqual(problem.code, check, problem.message);
    else if (check instanceof RegExp) assert.match(problem.message, check);
    else assert.ok(check(problem, vm2), problem.message);
  },
}));

const builtins = ['path', 'url', 'util', 'events', 'assert', 'querystring', 'string_decoder', 'stream', 'buffer', 'crypto', 'zlib', 'fs', 'timers', 'punycode', 'http', 'https', 'net', 'tls', 'readline', 'constants'];

module.exports = [
  // Files.
  ...beside(NODEVM, [
    ['a file by its relative name', 'module.exports = require("./a.js").name', 'a'],
    ['a file without its extension', 'module.exports = require("./a").name', 'a'],
    ['a file that requires another', 'module.exports = require("./b")', 42],
    ['a file by its absolute name', 'module.exports = require(__dirname + "/a.js").name', 'a'],
    ['a function of a file is called', 'module.exports = require("./a").twice(4)', 8],
    ['a file of JSON', 'module.exports = require("./data.json").list[1]', 2],
    ['a file of JSON without its extension', 'module.exports = require("./data").name', 'data'],
    ['a directory with an index', 'module.exports = require("./dir")', 'index of dir'],
    ['a directory with a stroke', 'module.exports = require("./dir/")', 'index of dir'],
    ['a file of a directory above', 'module.exports = require("./dir/inner")', 'a!'],
    ['a file knows its name', 'module.exports = require("./self").file', (got, assert, place) => assert.strictEqual(got, path.join(place, 'self.js'))],
    ['a file knows its directory', 'module.exports = require("./self").dir', (got, assert, place) => assert.strictEqual(got, place)],
    ['a file is loaded once', 'const a = require("./count"), b = require("./count"); a(); module.exports = b()', 2],
    ['a file is the same each time', 'module.exports = require("./a") === require("./a")', true],
    ['files that require each other', 'module.exports = require("./cycle1").other', 2],
    ['a class of a file', 'const P = require("./class"); module.exports = new P(3).sum(4)', 7],
    ['strict by default', 'module.exports = require("./sloppy")', true],
  ], ['sandbox']),
  ...beside('types: VMRequire.context', [
    ['a file', 'module.exports = require("./a").name', 'a'],
    ['a package', 'module.exports = require("pack").name', 'pack'],
    ['JSON', 'module.exports = require("./data").list.length', 2],
    ['a function is called', 'module.exports = require("./a").twice(4)', 8],
  ], ['host']),
  ...beside('types: VMRequire.strict', [['strict: false', 'module.exports = require("./sloppy")', false, { strict: false }], ['strict: true', 'module.exports = require("./sloppy")', true, { strict: true }]], ['sandbox']),
  ...beside('types: VMRequire.context', [
    ['globals of the sandbox are seen by a file', 'module.exports = require("./global")', 'string', {}, { sandbox: { given: 'x' } }],
    ['instances of a class of a file are instanceof it', 'const P = require("./class"); module.exports = new P(1) instanceof P', true],
    ['arrays of a file are instanceof Array', 'module.exports = require("./data").list instanceof Array', true],
  ], ['sandbox']),

  // Packages.
  ...beside('types: VMRequire.external', [
    ['a package by its main', 'module.exports = require("pack").name', 'pack'],
    ['a package with an index', 'module.exports = require("plain")', 'plain'],
    ['a part of a package', 'module.exports = require("pack").part', 'part'],
    ['a file of a package', 'module.exports = require("pack/extra")', 'extra'],
    ['the package.json of a package', 'module.exports = require("pack/package.json").version', '1.2.3'],
    ['a package of a scope', 'module.exports = require("@scope/one")', 'scoped one'],
    ['a package within a package', 'module.exports = require("needs")', 'needs inner'],
    ['a package beside a package', 'module.exports = require("peer")', 'peer plain'],
    ['a list of packages', 'module.exports = require("plain")', 'plain', { external: ['plain'] }],
    ['a list of packages with a wildcard', 'module.exports = require("@scope/two-ver-11")', 'two', { external: ['@scope/*-ver-??'] }],
    ['a list of packages with a wildcard for a scope', 'module.exports = require("@scope/one")', 'scoped one', { external: ['@scope/*'] }],
    ['an object of packages', 'module.exports = require("plain")', 'plain', { external: { modules: ['plain'] } }],
    ['transitive', 'module.exports = require("peer")', 'peer plain', { external: { modules: ['peer'], transitive: true } }],
    ['a package with an allowed builtin', 'module.exports = require("usesfs")', 'function', { builtin: ['fs'] }],
  ], ['sandbox']),
  ...refuses('types: VMRequire.external', [
    ['a package that is not in the list', 'require("plain")', 'ENOTFOUND', (root) => ({ external: ['pack'], root, context: 'sandbox' })],
    ['a package whose name only begins like one in the list', 'require("pack-more")', 'ENOTFOUND', (root) => ({ external: ['pack'], root, context: 'sandbox' })],
    ['a package where none is allowed', 'require("plain")', 'ENOTFOUND', (root) => ({ external: false, builtin: ['fs'], root })],
    ['a package that is not there', 'require("nowhere")', 'ENOTFOUND', (root) => ({ external: true, root })],
    ['a package that is transitive and not asked for', 'require("plain")', 'ENOTFOUND', (root) => ({ external: { modules: ['peer'], transitive: true }, root, context: 'sandbox' })],
    ['a package of a package where it is not transitive', 'require("peer")', 'ENOTFOUND', (root) => ({ external: { modules: ['peer'], transitive: false }, root, context: 'sandbox' })],
    ['a wildcard that does not match', 'require("@scope/one")', 'ENOTFOUND', (root) => ({ external: ['@scope/*-ver-??'], root, context: 'sandbox' })],
  ]),

  // What is refused.
  ...refuses(NODEVM, [
    ['require by default', 'require("fs")', 'ENOTFOUND', undefined],
    ['require: false', 'require("./a")', 'ENOTFOUND', false],
    ['a builtin that is not allowed', 'require("fs")', 'ENOTFOUND', { builtin: ['path'] }],
    ['a builtin where none is named', 'require("fs")', 'ENOTFOUND', (root) => ({ root })],
    ['a file that is not there', 'require("./none")', 'ENOTFOUND', (root) => ({ external: true, root })],
    ['a file outside of the root', 'require("../../run.js")', (e, vm2) => e instanceof vm2.VMError && ['EDENIED', 'ENOTFOUND'].includes(e.code), (root) => ({ external: true, root, context: 'sandbox' })],
    ['a file outside of the root by its absolute name', 'require(__dirname + "/a.js")', 'ENOTFOUND', (root) => ({ external: true, root: path.join(root, 'dir'), context: 'sandbox' })],
    ['a file beside the root whose name begins like it', 'require(__dirname + "/dir2/x.js")', (e) => ['EDENIED', 'ENOTFOUND'].includes(e.code), (root) => ({ external: true, root: path.join(root, 'dir'), context: 'sandbox' })],
    ['a file where only a root is named', 'require("./a")', 'ENOTFOUND', (root) => ({ root })],
    ['a file with require: true', 'require("./a")', 'ENOTFOUND', true],
    ['a builtin with require: true', 'require("path")', 'ENOTFOUND', true],
    ['require of a number', 'require(5)', (e) => e instanceof Error, { builtin: ['path'] }],
    ['require of an empty text', 'require("")', (e) => e instanceof Error, { builtin: ['path'] }],
    ['a file that cannot be compiled', 'require("./bad")', (e) => e instanceof SyntaxError, (root) => ({ external: true, root, context: 'sandbox' })],
    ['a file that throws', 'require("./throws")', (e) => e instanceof TypeError && e.message === 'at load', (root) => ({ external: true, root, context: 'sandbox' })],
  ]),
  { name: 'what is refused is a VMError', source: 'types: VMError', run: (vm2, assert) => assert.ok(thrown(() => new vm2.NodeVM({ require: { builtin: [] } }).run('require("fs")')) instanceof vm2.VMError) },
  { name: 'what is refused names the module', source: 'types: VMError', run: (vm2, assert) => assert.match(thrown(() => new vm2.NodeVM({ require: { builtin: [] } }).run('require("fs")')).message, /'fs'/) },
  { name: 'the code catches what is refused', source: 'types: VMError', run: (vm2, assert) => assert.strictEqual(new vm2.NodeVM({ require: { builtin: [] } }).run('try { require("fs") } catch (e) { module.exports = e.name + e.code }'), 'VMErrorENOTFOUND') },

  // Roots.
  ...beside('types: VMRequire.root', [
    ['a list of roots', 'module.exports = require("./a").name + require("./dir/index")', 'aindex of dir', (place) => ({ root: [path.join(place, 'dir'), place] })],
    ['a root that is relative', 'module.exports = require("./a").name', 'a', (place) => ({ root: path.relative(process.cwd(), place) })],
    ['a root with a stroke', 'module.exports = require("./a").name', 'a', (place) => ({ root: `${place}/` })],
    ['a root within', 'module.exports = require("./dir/index")', 'index of dir', (place) => ({ root: path.join(place, 'dir') })],
  ], ['sandbox']),

  // Builtin modules.
  ...builtins.map((name) => ({ name: `builtin ${name}`, source: 'types: VMRequire.builtin', run: (vm2, assert) => assert.match(new vm2.NodeVM({ require: { builtin: [name] } }).run(`module.exports = typeof require("${name}")`), /object|function/) })),
  ...beside('types: VMRequire.builtin', [
    ['path.join', 'module.exports = require("path").join("a", "..", "b")', 'b', { builtin: ['path'] }],
    ['url', 'module.exports = new (require("url").URL)("http://a.b/c?d=1").pathname', '/c', { builtin: ['url'] }],
    ['util.format', 'module.exports = require("util").format("%s-%d", "a", 3)', 'a-3', { builtin: ['util'] }],
    ['util.inspect', 'module.exports = require("util").inspect({ a: [1] })', (got, assert) => assert.match(got, /a: \[ 1 ?/), { builtin: ['util'] }],
    ['util.inherits', 'const u = require("util"); function A() {} function B() {} u.inherits(B, A); module.exports = new B() instanceof A', true, { builtin: ['util'] }],
    ['util.promisify', 'module.exports = typeof require("util").promisify', 'function', { builtin: ['util'] }],
    ['querystring', 'module.exports = require("querystring").stringify({ a: 1, b: 2 })', 'a=1&b=2', { builtin: ['querystring'] }],
    ['crypto.createHash', 'module.exports = require("crypto").createHash("sha256").update("a").digest("hex").slice(0, 8)', 'ca978112', { builtin: ['crypto'] }],
    ['crypto.randomBytes', 'module.exports = require("crypto").randomBytes(8).length', 8, { builtin: ['crypto'] }],
    ['zlib', 'const z = require("zlib"); module.exports = z.gunzipSync(z.gzipSync(Buffer.from("text"))).toString()', 'text', { builtin: ['zlib'] }],
    ['assert', 'try { require("assert").strictEqual(1, 2) } catch (e) { module.exports = e.name }', (got, assert) => assert.match(got, /AssertionError/), { builtin: ['assert'] }],
    ['string_decoder', 'const { StringDecoder } = require("string_decoder"); module.exports = new StringDecoder("utf8").write(Buffer.from("a"))', 'a', { builtin: ['string_decoder'] }],
    ['buffer', 'module.exports = require("buffer").Buffer === Buffer', true, { builtin: ['buffer'] }],
    ['fs reads a file', 'module.exports = require("fs").readFileSync(__dirname + "/data.json", "utf8")', '{"list": [1, 2], "name": "data"}', { builtin: ['fs'] }],
    ['fs knows what is there', 'const fs = require("fs"); module.exports = [fs.existsSync(__dirname + "/a.js"), fs.existsSync(__dirname + "/none")]', [true, false], { builtin: ['fs'] }],
    ['a builtin by its name with node:', 'module.exports = require("node:path").basename("/a/b")', 'b', { builtin: ['path'] }],
    ['all builtins', 'module.exports = require("path").basename("/a/b") + typeof require("zlib").gzipSync', 'bfunction', { builtin: ['*'] }],
    ['all builtins but one', 'let fs; try { fs = require("fs") } catch (e) { fs = e.code } module.exports = [fs, typeof require("path").join]', ['ENOTFOUND', 'function'], { builtin: ['*', '-fs'] }],
    ['a builtin is the same each time', 'module.exports = require("path") === require("path")', true, { builtin: ['path'] }],
    ['events in the sandbox', 'const E = require("events"); const e = new E(); let n = 0; e.on("x", (m) => { n += m }); e.emit("x", 3); e.emit("x", 4); module.exports = n', 7, { builtin: ['events'] }],
    ['a class that extends the emitter', 'const { EventEmitter } = require("events"); class A extends EventEmitter {} const a = new A(); let n = 0; a.once("x", () => n++); a.emit("x"); a.emit("x"); module.exports = n', 1, { builtin: ['events'] }],
    ['an emitter is instanceof its class', 'const E = require("events"); module.exports = new E() instanceof E', true, { builtin: ['events'] }],
  ], ['sandbox']),
  { name: 'a class of the code extends a stream', source: 'types: VMRequire.builtin', differs: undefined, lacks: 'a class cannot extend one of the host (Known Issues)', run(vm2, assert) {
    assert.strictEqual(new vm2.NodeVM({ require: { builtin: ['stream'] } }).run('const { Transform } = require("stream"); class T extends Transform { _transform(c, e, f) { f(null, c) } } module.exports = new T() instanceof Transform'), true);
  } },
  { name: 'a builtin is that of the host', source: 'types: VMRequire.context', differs: differs.hostModule, run(vm2, assert) {
    assert.ok(new vm2.NodeVM({ require: { builtin: ['path'] } }).run('module.exports = require("path")') === path);
  } },
  { name: 'fs with a callback', source: 'types: VMRequire.builtin', async run(vm2, assert, place) {
    const file = tree(place), vm = new vm2.NodeVM({ require: { builtin: ['fs'], root: place } });
    assert.strictEqual(await new Promise((resolve, reject) => vm.run('module.exports = (done) => require("fs").readFile(__dirname + "/data.json", "utf8", done)', file)((problem, text) => (problem ? reject(problem) : resolve(text.length)))), 32);
  } },
  { name: 'fs with promises', source: 'types: VMRequire.builtin', async run(vm2, assert, place) {
    const file = tree(place), vm = new vm2.NodeVM({ require: { builtin: ['fs'], root: place } });
    assert.strictEqual(String(await vm.run('module.exports = require("fs").promises.readFile(__dirname + "/data.json", "utf8")', file)).length, 32);
  } },
  { name: 'an error of fs has its code', source: 'types: VMRequire.builtin', run(vm2, assert, place) {
    const file = tree(place), vm = new vm2.NodeVM({ require: { builtin: ['fs'], root: place } });
    assert.strictEqual(vm.run('try { require("fs").readFileSync(__dirname + "/none") } catch (e) { module.exports = e.code }', file), 'ENOENT');
  } },

  // Mocks.
  ...beside('types: VMRequire.mock', [
    ['a mock of a builtin', 'module.exports = require("fs").readFileSync()', 'Nice try!', { mock: { fs: { readFileSync: () => 'Nice try!' } } }],
    ['a mock instead of a builtin that is allowed', 'module.exports = require("fs").readFileSync("/etc/hosts")', 'mine', { builtin: ['fs'], mock: { fs: { readFileSync: () => 'mine' } } }],
    ['a mock of a package', 'module.exports = require("nowhere").name', 'mocked', { mock: { nowhere: { name: 'mocked' } } }],
    ['a mock of data', 'module.exports = require("config").list[1]', 2, { mock: { config: { list: [1, 2] } } }],
    ['a mock that is a function', 'module.exports = require("twice")(4)', 8, { mock: { twice: (n) => n * 2 } }],
    ['a mock that is seen by a package', 'module.exports = require("usesfs")', 'function', { mock: { fs: { readFileSync() {} } } }],
    ['a mock is the same each time', 'module.exports = require("m") === require("m")', true, { mock: { m: { a: 1 } } }],
    ['a mock with arguments', 'module.exports = require("m").add(1, { n: 2 })', 3, { mock: { m: { add: (a, b) => a + b.n } } }],
    ['a mock that keeps its state', 'const m = require("m"); m.next(); module.exports = m.next()', 2, { get mock() { let n = 0; return { m: { next: () => ++n } }; } }],
  ], ['sandbox']),
  { name: 'a mock that is a class', source: 'types: VMRequire.mock', differs: differs.hostInstance, run(vm2, assert) {
    class Api { constructor(key) { this.key = key; } }
    assert.strictEqual(new vm2.NodeVM({ require: { mock: { api: Api } } }).run('const A = require("api"); module.exports = new A("k").key'), 'k');
  } },
  { name: 'a mock of promises', source: 'types: VMRequire.mock', run: async (vm2, assert) => assert.strictEqual(await new vm2.NodeVM({ require: { mock: { api: { get: async (n) => n + 1 } } } }).run('module.exports = (async () => await require("api").get(1))()'), 2) },
  { name: 'a mock tells the host', source: 'types: VMRequire.mock', run(vm2, assert) {
    const got = [];
    new vm2.NodeVM({ require: { mock: { log: { info: (text) => got.push(text) } } } }).run('require("log").info("hello")');
    assert.deepStrictEqual(got, ['hello']);
  } },

  // Other lookups.
  ...[['a path', (place) => path.join(place, 'a.js')], ['an object with a directory of packages and a name', (place) => ({ path: place, module: 'a.js' })]].map(([name, gives]) => ({
    name: `resolve gives ${name}`, source: 'types: VMRequire.resolve', differs: differs.noRoot,
    run(vm2, assert, place) {
      const file = tree(place);
      assert.strictEqual(new vm2.NodeVM({ require: { external: true, context: 'sandbox', resolve: (id) => (id === 'other' ? gives(place) : undefined) } }).run('module.exports = require("other").name', file), 'a');
    },
  })),
  { name: 'resolve gives an object with a directory of packages', source: 'types: VMRequire.resolve', differs: differs.noRoot, run(vm2, assert, place) {
    const file = tree(place, { 'more/other/index.js': 'exports.name = "more"' });
    assert.strictEqual(new vm2.NodeVM({ require: { external: true, context: 'sandbox', resolve: () => ({ path: path.join(place, 'more') }) } }).run('module.exports = require("other").name', file), 'more');
  } },
  { name: 'resolve with a list of packages', source: 'types: VMRequire.resolve', run(vm2, assert, place) {
    const file = tree(place);
    assert.strictEqual(new vm2.NodeVM({ require: { external: ['other'], root: place, context: 'sandbox', resolve: () => path.join(place, 'a.js') } }).run('module.exports = require("other").name', file), 'a');
  } },
  ...[['a path', (place) => path.join(place, 'a.js')], ['an object with a directory of packages and a name', (place) => ({ path: place, module: 'a.js' })], ['an object with a directory of packages', (place) => ({ path: path.join(place, 'more') })]].map(([name, gives]) => ({
    name: `resolve beneath a root gives ${name}`, source: 'types: VMRequire.resolve',
    run(vm2, assert, place) {
      const file = tree(place, { 'more/other/index.js': 'exports.name = "a"' });
      assert.strictEqual(new vm2.NodeVM({ require: { external: true, root: place, context: 'sandbox', resolve: (id) => (id === 'other' ? gives(place) : undefined) } }).run('module.exports = require("other").name', file), 'a');
    },
  })),
  { name: 'resolve beneath a root is not asked for what is found', source: 'types: VMRequire.resolve', run(vm2, assert, place) {
    const file = tree(place), asked = [];
    assert.strictEqual(new vm2.NodeVM({ require: { external: true, root: place, context: 'sandbox', resolve: (...args) => void asked.push(args) } }).run('module.exports = require("plain")', file), 'plain');
    assert.deepStrictEqual(asked, []);
  } },
  { name: 'resolve is given name and directory', source: 'types: VMRequire.resolve', run(vm2, assert, place) {
    const file = tree(place), asked = [];
    thrown(() => new vm2.NodeVM({ require: { external: true, context: 'sandbox', resolve: (...args) => void asked.push(args) } }).run('require("other")', file));
    assert.deepStrictEqual(asked[0].slice(0, 2), ['other', place]);
  } },
  { name: 'resolve is not asked for what is found', source: 'types: VMRequire.resolve', differs: differs.noRoot, run(vm2, assert, place) {
    const file = tree(place), asked = [];
    assert.strictEqual(new vm2.NodeVM({ require: { external: true, context: 'sandbox', resolve: (...args) => void asked.push(args) } }).run('module.exports = require("plain")', file), 'plain');
    assert.deepStrictEqual(asked, []);
  } },
  { name: 'customRequire loads a package', source: 'types: VMRequire.customRequire', differs: differs.contextHost, run(vm2, assert, place) {
    const file = tree(place), asked = [];
    const got = new vm2.NodeVM({ require: { external: true, context: 'host', customRequire: (id) => (asked.push(id), { mine: 5 }) } }).run('module.exports = require("plain").mine', file);
    assert.deepStrictEqual([got, asked.length], [5, 1]);
  } },
  { name: 'customRequire loads a builtin', source: 'types: VMRequire.customRequire', run(vm2, assert) {
    const asked = [];
    assert.strictEqual(new vm2.NodeVM({ require: { builtin: ['path'], customRequire: (id) => (asked.push(id), { join: () => 'mine' }) } }).run('module.exports = require("path").join()'), 'mine');
    assert.deepStrictEqual(asked, ['path']);
  } },
  { name: 'context by a function', source: 'types: PathContextCallback', run(vm2, assert, place) {
    const file = tree(place), asked = [];
    assert.strictEqual(new vm2.NodeVM({ require: { external: true, root: place, context: (name) => (asked.push(path.basename(name)), 'sandbox') } }).run('module.exports = require("./a").name', file), 'a');
    assert.ok(asked.includes('a.js'));
  } },
  { name: 'context by a function that gives nothing', source: 'types: PathContextCallback', run(vm2, assert, place) {
    const file = tree(place);
    assert.strictEqual(new vm2.NodeVM({ require: { external: true, root: place, context: () => undefined } }).run('module.exports = require("./a").name', file), 'a');
  } },
  { name: 'context by a function that gives host', source: 'types: PathContextCallback', differs: differs.contextHost, run(vm2, assert, place) {
    const file = tree(place);
    assert.strictEqual(new vm2.NodeVM({ require: { external: true, root: place, context: () => 'host' } }).run('module.exports = require("./a").name', file), 'a');
  } },
  { name: 'import loads modules at the start', source: 'types: VMRequire.import', run(vm2, assert, place) {
    tree(place, { 'start.js': 'global.started = 5;' });
    assert.strictEqual(new vm2.NodeVM({ require: { external: true, root: place, context: 'sandbox', import: [path.join(place, 'start.js')] } }).run('module.exports = started'), 5);
  } },
  { name: 'import of a builtin', source: 'types: VMRequire.import', run: (vm2, assert) => assert.strictEqual(new vm2.NodeVM({ require: { builtin: ['path'], import: ['path'] } }).run('module.exports = 1'), 1) },
  { name: 'import of one name', source: 'types: VMRequire.import', run: (vm2, assert) => assert.strictEqual(new vm2.NodeVM({ require: { builtin: ['path'], import: 'path' } }).run('module.exports = 1'), 1) },
  { name: 'import of what is refused throws', source: 'types: VMRequire.import', run: (vm2, assert) => assert.throws(() => new vm2.NodeVM({ require: { builtin: ['path'], import: ['fs'] } }), (e) => e.code === 'ENOTFOUND') },
  { name: 'NodeVM.require of a builtin', source: 'types: NodeVM.require', run: (vm2, assert) => assert.strictEqual(new vm2.NodeVM({ require: { builtin: ['path'] } }).require('path').join('a', 'b'), 'a/b') },
  { name: 'NodeVM.require of a file', source: 'types: NodeVM.require', run(vm2, assert, place) {
    tree(place);
    assert.strictEqual(new vm2.NodeVM({ require: { external: true, root: place, context: 'sandbox' } }).require(path.join(place, 'a.js')).name, 'a');
  } },
  { name: 'NodeVM.require of a mock', source: 'types: NodeVM.require', run: (vm2, assert) => assert.strictEqual(new vm2.NodeVM({ require: { mock: { m: { a: 1 } } } }).require('m').a, 1) },
  { name: 'NodeVM.require of what is refused throws', source: 'types: NodeVM.require', run: (vm2, assert) => assert.throws(() => new vm2.NodeVM({ require: { builtin: [] } }).require('fs'), (e) => e.code === 'ENOTFOUND') },
  ...[[['js', 'mine'], 'by extension'], [['mine'], 'by extension']].map(([sourceExtensions, want]) => ({
    name: `sourceExtensions ${sourceExtensions}`, source: 'types: NodeVMOptions.sourceExtensions',
    run(vm2, assert, place) {
      const file = tree(place);
      assert.strictEqual(new vm2.NodeVM({ sourceExtensions, require: { external: true, root: place, context: 'sandbox' } }).run('module.exports = require("./text.mine")', file), want);
    },
  })),
  { name: 'sourceExtensions finds a file without its extension', source: 'types: NodeVMOptions.sourceExtensions', run(vm2, assert, place) {
    const file = tree(place);
    assert.strictEqual(new vm2.NodeVM({ sourceExtensions: ['js', 'mine'], require: { external: true, root: place, context: 'sandbox' } }).run('module.exports = require("./text")', file), 'by extension');
  } },
  ...beside('README: NodeVM (require in the same way as in Node)', [
    ['require.resolve of a file', 'module.exports = require.resolve("./a")', (got, assert, place) => assert.strictEqual(got, path.join(place, 'a.js'))],
    ['require.resolve of a package', 'module.exports = require.resolve("pack")', (got, assert, place) => assert.strictEqual(got, path.join(place, 'node_modules/pack/lib/main.js'))],
    ['require.resolve of a builtin', 'module.exports = require.resolve("path")', 'path', { builtin: ['path'] }],
    ['require.resolve of what is not there', 'try { require.resolve("./none") } catch (e) { module.exports = e.code }', 'ENOTFOUND'],
    ['require.resolve.paths', 'module.exports = require.resolve.paths("x")[0]', (got, assert, place) => assert.strictEqual(got, path.join(place, 'node_modules'))],
    ['require.cache has what was loaded', 'require("./a"); module.exports = Object.keys(require.cache).some((name) => name.endsWith("/a.js"))', true],
    ['module.require', 'module.exports = module.require("./a").name', 'a'],
    ['module.paths', 'module.exports = module.paths[0]', (got, assert, place) => assert.strictEqual(got, path.join(place, 'node_modules'))],
    ['module.parent of a file', 'module.exports = require("./self").parent', 'object'],
    ['a directory with a package.json', 'module.exports = require("./node_modules/pack").name', 'pack'],
    ['a global of a file is seen', 'global.given = 1; module.exports = require("./global")', 'number'],
  ], ['sandbox']),
  { name: 'a module of one NodeVM is not that of another', source: NODEVM, run(vm2, assert, place) {
    const file = tree(place), make = () => new vm2.NodeVM({ require: { external: true, root: place, context: 'sandbox' } });
    assert.deepStrictEqual([make(), make()].map((vm) => vm.run('module.exports = require("./count")()', file)), [1, 1]);
  } },
  { name: 'a module stays from run to run', source: NODEVM, run(vm2, assert, place) {
    const file = tree(place), vm = new vm2.NodeVM({ require: { external: true, root: place, context: 'sandbox' } });
    assert.deepStrictEqual([1, 2].map(() => vm.run('module.exports = require("./count")()', file)), [1, 2]);
  } },
  { name: 'a file that is a script of NodeVM.file requires beside it', source: 'types: NodeVM.file', run(vm2, assert, place) {
    tree(place, { 'main.js': 'module.exports = require("./a").name' });
    assert.strictEqual(vm2.NodeVM.file(path.join(place, 'main.js'), { require: { external: true, root: place, context: 'sandbox' } }), 'a');
  } },
  { name: 'eighty NodeVMs with roots of their own, one after the other', source: NODEVM, limit: 60_000, run(vm2, assert, place) {
    for (let i = 0; i < 80; i++) {
      write(place, { [`${i}/a.js`]: `module.exports = ${i}` });
      const root = path.join(place, String(i));
      assert.strictEqual(new vm2.NodeVM({ require: { external: true, root, context: 'sandbox' } }).run('module.exports = require("./a")', path.join(root, 'x.js')), i);
    }
  } },
  { name: 'events of a module of a timer', source: NODEVM, async run(vm2, assert, place) {
    const file = tree(place), vm = new vm2.NodeVM({ console: 'redirect', require: { external: true, root: place, context: 'sandbox' } }), log = event(vm, 'console.log');
    vm.run('setTimeout(() => console.log(require("./a").name), 1)', file);
    assert.deepStrictEqual(await log, ['a']);
  } },
];
