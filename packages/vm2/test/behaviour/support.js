// What the cases share: files that they need, programs of their own, and why some of them must differ.
'use strict';
const fs = require('fs');
const path = require('path');
const { spawnSync } = require('child_process');

/** Writes files beneath a directory: name -> text. Gives the directory. */
function write(place, files) {
  for (const name of Object.keys(files)) {
    const file = path.join(place, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, files[name]);
  }
  return place;
}

/** Runs a program of its own, in which `vm2` is the module: what it printed on each stream, and how it ended. */
function program(place, source) {
  const file = path.join(place, 'program.js');
  fs.writeFileSync(file, `'use strict';\nconst vm2 = require(${JSON.stringify(process.env.AMBIT_TEST_MODULE)});\n${source}\n`);
  const done = spawnSync(process.execPath, [file], { cwd: place, encoding: 'utf8', timeout: 9000 });
  return { out: done.stdout, err: done.stderr, status: done.status };
}

/** What is thrown. */
function thrown(work) {
  try {
    work();
  } catch (problem) {
    return problem;
  }
  throw new Error('nothing was thrown');
}

/** The next event of that name. */
const event = (emitter, name) => new Promise((resolve) => emitter.once(name, (...args) => resolve(args)));

/** One case for each row { name, code, gives }, where `code` runs in a new VM with these options. */
function evaluates(source, rows, options = {}) {
  return rows.map((row) => ({
    name: row.name, source: row.source ?? source, differs: row.differs, lacks: row.lacks,
    run(vm2, assert) {
      const vm = new vm2.VM({ ...options, ...row.options, sandbox: typeof row.sandbox === 'function' ? row.sandbox() : row.sandbox ?? {} });
      const got = vm.run(row.code);
      if (typeof row.gives === 'function') row.gives(got, assert);
      else assert.deepStrictEqual(got, row.gives);
    },
  }));
}

// What vm2 3.12.2 lacks of what it documents.
const lacks = {
  stack: 'a stack names no file and no line: its lines are `CallSite {}`',
  site: 'what NodeVM runs is named null in the sites of a stack',
  push: 'a method of an array changes it, since it runs in the host',
};

// Why a process of its own must behave otherwise: MIGRATING.md has these.
const differs = {
  identity: 'An object crosses as a copy, so what comes back is equal to what went in, and not the same object.',
  writeBack: 'The code changes a copy of an object of the host; what it changed is not written back.',
  late: 'An object is copied when it is given, so what the host changes in it later is not seen by the code.',
  lateResult: 'A result is a copy, so what the host changes in it is not seen by the code.',
  hostClass: 'A class of the host is a function that is called over there; `instanceof` does not know instances of it on the other side.',
  hostInstance: 'An instance of a class of the host stays there: what is passed is data and functions. With `live` its members are read by handle.',
  sandboxClass: 'An instance of a class of the sandbox comes as a copy of its data; its methods stay there.',
  prototype: 'Prototypes do not cross; the data of an object does.',
  accessor: 'A getter is read once, when the object crosses.',
  hidden: 'What is not enumerable, and members whose names are symbols, do not cross.',
  proxyTrap: 'A Proxy crosses as a copy of what it shows; its traps run on its own side alone.',
  generator: 'A generator or an iterator is a live object, which does not cross by copy.',
  weak: 'A WeakMap or WeakSet cannot be copied.',
  contextHost: 'Modules are loaded in the cell: there is no way to load one in the process of the host, and to share it.',
  hostModule: 'A builtin module is that of the cell, and not an object of the host.',
  nesting: 'A VM in a VM is a cell of its own, made by the host; no objects are shared between the two.',
  order: 'A promise that crosses is settled by a message, so reactions on the two sides have no common order.',
  ofTheCell: 'A NodeVM has what the Node of its cell has: it reaches what is granted, and nothing of the host.',
  lateError: 'What nobody catches in a cell is an event `error` of its NodeVM, and ends nothing of the program.',
  noRoot: 'Without `require.root` nothing but the directories node_modules of the program is read.',
  attenuated: 'A nested VM has no more than the outer one has, so nesting alone is no danger, and is not refused.',
  shared: 'Arguments and environment are copied into the cell.',
};

module.exports = { write, program, thrown, event, evaluates, differs, lacks };
