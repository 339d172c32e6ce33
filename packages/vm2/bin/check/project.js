// A project: its files, and its packages that use vm2. No symbolic link is followed.
'use strict';
const fs = require('fs');
const path = require('path');
const { scan } = require('./scan.js');

const FILE_MAX = 2 << 20, JSON_MAX = 64 << 20, FILES_MAX = 100_000, DEPTH_MAX = 64;
const SOURCE = /\.[cm]?[jt]sx?$/, TYPES = /\.[cm]?tsx?$/, DECLARATIONS = /\.d\.[cm]?ts$/;
const SKIPPED = ['node_modules', '.git'];

/** The text of a file that is one, and not too large; undefined else. */
function textOf(file, most) {
  let opened;
  try {
    opened = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
    const found = fs.fstatSync(opened);
    return found.isFile() && found.size <= most ? fs.readFileSync(opened, 'utf8') : undefined;
  } catch {
    return undefined;
  } finally {
    if (opened !== undefined) fs.closeSync(opened);
  }
}

function jsonOf(file) {
  try {
    const it = JSON.parse(textOf(file, JSON_MAX));
    return it !== null && typeof it === 'object' ? it : {};
  } catch {
    return {};
  }
}

function entries(directory) {
  try {
    return fs.readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return [];
  }
}

function files(top) {
  const found = [], left = [[top, 0]];
  while (left.length > 0 && found.length < FILES_MAX) {
    const [directory, depth] = left.pop();
    for (const it of entries(directory)) {
      const file = path.join(directory, it.name);
      if (it.isDirectory() && !SKIPPED.includes(it.name) && depth < DEPTH_MAX) left.push([file, depth + 1]);
      else if (it.isFile() && SOURCE.test(it.name) && !DECLARATIONS.test(it.name)) found.push(file);
    }
  }
  return found.sort();
}

const dependenciesOf = (it) => ({ ...it?.devDependencies, ...it?.peerDependencies, ...it?.optionalDependencies, ...it?.dependencies });
const isVm2 = (name, range) => (name === 'vm2' ? !String(range).startsWith('npm:@ambit/') : /^npm:vm2(@|$)/.test(String(range)));

/** Packages of others that want vm2: [{ name, version, wants, where }]. */
function packages(top) {
  const found = new Map();
  const look = (where, it, name) => {
    for (const [key, range] of Object.entries({ ...it.optionalDependencies, ...it.peerDependencies, ...it.dependencies })) {
      if (isVm2(key, range)) found.set(where, { name: String(it.name ?? name), version: String(it.version ?? ''), wants: String(range), where });
    }
  };
  const lock = jsonOf(path.join(top, 'package-lock.json'));
  for (const [where, it] of Object.entries(lock.packages ?? {})) if (where !== '' && it !== null && typeof it === 'object') look(where, it, where.slice(where.lastIndexOf('node_modules/') + 13));
  const left = [['node_modules', 0]];
  while (left.length > 0) {
    const [at, depth] = left.pop();
    for (const it of entries(path.join(top, at))) {
      if (!it.isDirectory() || it.name.startsWith('.')) continue;
      const where = `${at}/${it.name}`;
      if (it.name.startsWith('@')) {
        left.push([where, depth]);
        continue;
      }
      look(where, jsonOf(path.join(top, where, 'package.json')), it.name);
      if (depth < 8) left.push([`${where}/node_modules`, depth + 1]);
    }
  }
  return [...found.values()].sort((a, b) => (a.where < b.where ? -1 : 1));
}

/** -> { uses: [{ file, line, column, id, what }], unread: [{ file, why }], packages, direct } */
function look(top) {
  const own = dependenciesOf(jsonOf(path.join(top, 'package.json'))), direct = Object.keys(own).filter((name) => isVm2(name, own[name]));
  const modules = new Set(['vm2', '@ambit/vm2', ...direct]), uses = [], unread = [];
  for (const file of files(top)) {
    const source = textOf(file, FILE_MAX);
    if (source === undefined) {
      unread.push({ file, why: 'it is too large, or may not be read' });
      continue;
    }
    if (![...modules].some((name) => source.includes(name))) continue;
    try {
      for (const use of scan(source, { typescript: TYPES.test(file), modules })) uses.push({ file, ...use });
    } catch (problem) {
      unread.push({ file, why: String(problem.message) });
    }
  }
  return { uses, unread, packages: packages(top), direct };
}

module.exports = { look };
