// A project: its files, and its packages that use vm2. No symbolic link is followed.
'use strict';
const fs = require('fs');
const path = require('path');
const { scan } = require('./scan.js');

const PARSED_MAX = 2 << 20, READ_MAX = 64 << 20, FILES_MAX = 100_000, DEPTH_MAX = 64;
const SOURCE = /\.(?:[cm]?js|jsx|[cm]?ts|tsx)$/, DECLARATIONS = /\.d\.[cm]?ts$/;
const kindOf = (file) => (/\.tsx$/.test(file) ? 'tsx' : /ts$/.test(file) ? 'ts' : 'js');
const SKIPPED = ['node_modules', '.git'];

/** The text of a file; throws where it is none, or too large. */
function textOf(file) {
  const opened = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
  try {
    const found = fs.fstatSync(opened);
    if (!found.isFile()) throw new Error('it is no file');
    if (found.size > READ_MAX) throw new Error('it is too large');
    return fs.readFileSync(opened, 'utf8');
  } finally {
    fs.closeSync(opened);
  }
}

/** Gives what `get` gives, and notes in `unread` why there is none; that something is not there is no reason. */
function noting(unread, file, get, none) {
  try {
    return get();
  } catch (problem) {
    if (problem.code !== 'ENOENT' && problem.code !== 'ENOTDIR') unread.push({ file, line: problem.loc?.line, why: String(problem.code ?? problem.message) });
    return none;
  }
}

const jsonOf = (file, unread) => noting(unread, file, () => {
  const it = JSON.parse(textOf(file));
  return it !== null && typeof it === 'object' ? it : {};
}, {});
const entries = (directory, unread) => noting(unread, directory, () => fs.readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1)), []);

function files(top, unread) {
  const found = [], left = [[top, 0]];
  while (left.length > 0) {
    const [directory, depth] = left.pop();
    if (found.length > FILES_MAX || depth > DEPTH_MAX) unread.push({ file: directory, why: 'there are too many files, or directories in each other' });
    else for (const it of entries(directory, unread)) {
      const file = path.join(directory, it.name);
      if (it.isDirectory() && !SKIPPED.includes(it.name)) left.push([file, depth + 1]);
      else if (it.isFile() && SOURCE.test(it.name) && !DECLARATIONS.test(it.name)) found.push(file);
    }
  }
  return found.sort();
}

const dependenciesOf = (it) => ({ ...it?.devDependencies, ...it?.peerDependencies, ...it?.optionalDependencies, ...it?.dependencies });
const isVm2 = (name, range) => (name === 'vm2' ? !String(range).startsWith('npm:@ambit/') : /^npm:vm2(@|$)/.test(String(range)));

/** Packages of others that want vm2: [{ name, version, wants, where }]. */
function packages(top, unread) {
  const found = new Map();
  const look = (where, it, name) => {
    for (const [key, range] of Object.entries({ ...it.optionalDependencies, ...it.peerDependencies, ...it.dependencies })) {
      if (isVm2(key, range)) found.set(where, { name: String(it.name ?? name), version: String(it.version ?? ''), wants: String(range), where });
    }
  };
  const lock = jsonOf(path.join(top, 'package-lock.json'), unread);
  for (const [where, it] of Object.entries(lock.packages ?? {})) if (where !== '' && it !== null && typeof it === 'object') look(where, it, where.slice(where.lastIndexOf('node_modules/') + 13));
  const left = [['node_modules', 0]];
  while (left.length > 0) {
    const [at, depth] = left.pop();
    for (const it of entries(path.join(top, at), unread)) {
      if (!it.isDirectory() || it.name.startsWith('.')) continue;
      const where = `${at}/${it.name}`;
      if (it.name.startsWith('@')) {
        left.push([where, depth]);
        continue;
      }
      look(where, jsonOf(path.join(top, where, 'package.json'), unread), it.name);
      if (depth < 8) left.push([`${where}/node_modules`, depth + 1]);
    }
  }
  return [...found.values()].sort((a, b) => (a.where < b.where ? -1 : 1));
}

/** -> { uses: [{ file, line, column, id, what }], unread: [{ file, line, why }], packages, direct } */
function look(top) {
  const unread = [], uses = [], own = jsonOf(path.join(top, 'package.json'), unread), wanted = dependenciesOf(own), direct = Object.keys(wanted).filter((name) => isVm2(name, wanted[name]));
  const modules = new Set(['vm2', '@ambit/vm2', ...direct]);
  for (const file of files(top, unread)) {
    noting(unread, file, () => {
      const source = textOf(file);
      if (![...modules].some((name) => source.includes(name))) return;
      if (source.length > PARSED_MAX) throw new Error('it is too large');
      for (const use of scan(source, { kind: kindOf(file), modules })) uses.push({ file, ...use });
    });
  }
  for (const [name, text] of Object.entries(own.scripts ?? {})) if (/(^|[;&|]\s*|npx\s+)vm2(\s|$)/.test(text)) uses.push({ file: path.join(top, 'package.json'), line: 1, column: 1, id: 'program', what: `scripts.${name}` });
  return { uses, unread, packages: packages(top, unread), direct };
}

module.exports = { look };
