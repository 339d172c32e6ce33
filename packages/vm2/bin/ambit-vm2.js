#!/usr/bin/env node
'use strict';
const fs = require('fs');

const HELP = `ambit-vm2 check [--json] [DIRECTORY|FILE...]

Looks through a project (default: the current directory) for uses of vm2, and says what will differ with @ambit/vm2: same, stronger, different
or refused, and what to do. It reads code and runs none; node_modules and links are left out. MIGRATING.md has the whole table.

  --json   as JSON
  --help   this text

Exit status: 0 nothing will be refused, 1 something will be or could not be read, 2 wrong usage.
`;

function misused(message) {
  process.stderr.write(`ambit-vm2: ${message}\n  hint: ambit-vm2 --help\n`);
  return 2;
}

function main(words) {
  const places = [];
  let json = false;
  if (words.includes('--help') || words.includes('-h')) {
    process.stdout.write(HELP);
    return 0;
  }
  if (words[0] !== 'check') return misused(words.length === 0 ? 'say what to do: check' : `there is no '${words[0]}'`);
  for (const word of words.slice(1)) {
    if (word === '--json') json = true;
    else if (word.startsWith('-')) return misused(`there is no option ${word}`);
    else if (!fs.existsSync(word)) return misused(`there is no ${word}`);
    else places.push(word);
  }
  let checker;
  try {
    checker = require('../src/check.js');
  } catch (problem) {
    if (problem.code !== 'MODULE_NOT_FOUND') throw problem;
    return misused('the packages acorn and acorn-walk are not installed');
  }
  const result = checker.check(places.length === 0 ? ['.'] : places), status = result.unread.length > 0 || result.found.some((it) => it.kind === 'refused') ? 1 : 0;
  if (json) {
    process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    return status;
  }
  for (const { file, line, column, kind, what, todo } of result.found) process.stdout.write(`${file}:${line}:${column}: ${kind}: ${what}\n${todo === 'nothing' ? '' : `  hint: ${todo}\n`}`);
  for (const { file, why } of result.unread) process.stdout.write(`${file}: could not be read: ${why}\n  hint: look at it by MIGRATING.md\n`);
  for (const name of result.dependents) process.stdout.write(`package-lock.json: ${name} depends on vm2\n  hint: "overrides": { "vm2": "npm:@ambit/vm2" } in package.json\n`);
  const count = (kind) => result.found.filter((it) => it.kind === kind).length;
  process.stdout.write(`${result.files} files: ${count('refused')} refused, ${count('different')} different, ${count('stronger')} stronger, ${count('same')} same\n`);
  return status;
}

process.exitCode = main(process.argv.slice(2));
