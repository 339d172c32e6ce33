#!/usr/bin/env node
// What will differ in a project that uses vm2.
'use strict';
const fs = require('fs');
const path = require('path');

const HELP = `usage: ambit-vm2 check [--json] [DIRECTORY...]

Reads the code of a project (this one), and says of each use of vm2 what it is with @ambit/vm2:
same, stronger, different or refused, and what to do. MIGRATING.md has the whole table.
Nothing is executed or changed. Files of JavaScript and TypeScript are read, by the ends of their names;
node_modules is left out, and no symbolic link is followed.

  --json   the same as one JSON value
  --help   this text

Exit status: 0 nothing differs (each use is the same, or stronger), 1 something is different or refused,
2 usage, 3 not all of it could be looked at, whatever was found in the rest.
`;

const DIFFERS = 1, USAGE = 2, INCOMPLETE = 3;
const PARSERS = Object.keys(require('../package.json').optionalDependencies);
const HOW = ['refused', 'different', 'stronger', 'same'];
const isElsewhere = (it) => it.id === 'elsewhere';
const printable = (text) => String(text).replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, '?'); // eslint-disable-line no-control-regex -- a name must not drive the terminal

function wrong(text) {
  process.stderr.write(`ambit-vm2: ${text}; see ambit-vm2 --help\n`);
  process.exitCode = USAGE;
}

function lines(found, rows) {
  const said = [];
  for (const { id, how, what: row, why } of [...rows.values()].sort((a, b) => HOW.indexOf(a.how) - HOW.indexOf(b.how))) {
    const places = found.uses.filter((it) => it.id === id);
    if (places.length > 0) said.push(`${how} [${id}]${row && ` ${row}`}: ${why}`, ...places.map(({ file, line, column, what }) => `  ${file}:${line}:${column}: ${what}`));
  }
  for (const { file, line, why } of found.unread) said.push(`${[file, line].filter(Boolean).join(':')}: not read: ${why}`);
  for (const name of found.direct) said.push(`package.json: ${name}: write "${name}": "npm:@ambit/vm2@^0.1.0" to change no line of code`);
  for (const { name, version, wants, where } of found.packages) said.push(`${where}: ${name} ${version} uses vm2 (${wants}): add to package.json "overrides": { "${name}": { "vm2": "npm:@ambit/vm2@^0.1.0" } }, and see: ambit-vm2 check ${where}`);
  const count = (how) => found.uses.filter((it) => rows.get(it.id).how === how).length;
  said.push(`${HOW.map((how) => `${count(how)} ${how}`).join(', ')}; ${found.uses.filter(isElsewhere).length} made elsewhere, ${found.unread.length} not read, ${found.packages.length} packages of others`);
  return said;
}

/** Ends without having looked: for a mistake of ours too, which must not be taken for something that differs. */
function unable(problem) {
  const missing = /^(ERR_)?MODULE_NOT_FOUND$/.test(problem.code) ? `the packages that read code are not installed: npm install ${PARSERS.join(' ')} (` : '';
  process.stderr.write(`ambit-vm2: ${missing}${printable(problem.message.split('\n')[0])}${missing && ')'}\n`);
  process.exitCode = INCOMPLETE;
}

async function check(directories, json) {
  await require('./check/parse.js').ready();
  const { look } = require('./check/project.js'), { rows } = require('./check/table.js');
  const all = { uses: [], unread: [], direct: [], packages: [] };
  for (const given of directories) {
    const found = look(path.resolve(given)), shown = (file) => path.join(given, path.relative(path.resolve(given), file));
    for (const key of ['uses', 'unread']) all[key].push(...found[key].map((it) => ({ ...it, file: shown(it.file) })));
    all.direct.push(...found.direct);
    all.packages.push(...found.packages.map((it) => ({ ...it, where: path.join(given, it.where) })));
  }
  if (json) process.stdout.write(`${JSON.stringify({ ...all, uses: all.uses.map((it) => ({ ...it, how: rows.get(it.id).how, why: rows.get(it.id).why })) }, null, 1)}\n`);
  else process.stdout.write(`${lines(all, rows).map(printable).join('\n')}\n`);
  if (all.unread.length > 0 || all.uses.some(isElsewhere)) process.exitCode = INCOMPLETE;
  else process.exitCode = all.uses.some((it) => ['different', 'refused'].includes(rows.get(it.id).how)) ? DIFFERS : 0;
}

function main(words) {
  if (words.includes('--help') || words.includes('-h')) return void process.stdout.write(HELP);
  const [command, ...rest] = words, directories = rest.filter((it) => !it.startsWith('-')), unknown = rest.find((it) => it.startsWith('-') && it !== '--json');
  if (command !== 'check') return wrong(command === undefined ? 'what is to be done?' : `there is no command '${command}'`);
  if (unknown !== undefined) return wrong(`there is no option '${unknown}'`);
  const missing = directories.find((it) => !fs.statSync(it, { throwIfNoEntry: false })?.isDirectory());
  if (missing !== undefined) return wrong(`'${missing}' is no directory`);
  return check(directories.length > 0 ? directories : ['.'], rest.includes('--json')).catch(unable);
}

main(process.argv.slice(2));
