#!/usr/bin/env node
// Runs one attack against one implementation in a process of its own, and says on one line, as JSON, what it reached.
//
//   node run.js NAME MODULE-PATH [MILLISECONDS]     NAME is CLASS/NAME; MODULE-PATH is what `require` takes
//   node run.js --list                              all attacks: { name, advisory, kind, against, reaches }
//
// The process that is attacked (the host) has what must not be reached: a secret in its environment, in a file and in its memory, a file that must not come into being, and objects that must not change. It
// has a time to be done in. What it says last is believed only as far as this process sees the same: a canary is looked for, and an end or a hang is seen, from here.
'use strict';
const fs = require('fs');
const os = require('os');
const path = require('path');
const { spawn } = require('child_process');
const { randomBytes } = require('crypto');

const DEADLINE_MS = 20_000, SETTLE_MS = 250, MARK = '\u0001attack ';
const classes = () => fs.readdirSync(__dirname).filter((file) => file.endsWith('.js') && !['run.js', 'host.js', 'words.js', 'open.js'].includes(file)).map((file) => path.basename(file, '.js'));

/** All attacks, by the name of their class and their own. */
function attacks() {
  const found = new Map();
  for (const of of classes()) for (const it of require(`./${of}.js`)) {
    const name = `${of}/${it.name}`;
    if (found.has(name)) throw new Error(`two attacks are called ${name}`);
    found.set(name, it);
  }
  return found;
}

/** Runs it; a promise of { name, reached, alive, ... }. */
function run(name, modulePath, deadline) {
  const attack = attacks().get(name);
  if (attack === undefined) throw new Error(`no attack is called ${name}`);
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'attack-')), secrets = { env: randomBytes(12).toString('hex'), file: randomBytes(12).toString('hex'), memory: randomBytes(12).toString('hex') };
  fs.mkdirSync(path.join(directory, 'app'));
  fs.writeFileSync(path.join(directory, 'secret.txt'), secrets.file);
  const begun = Date.now(), ms = deadline ?? attack.deadline ?? DEADLINE_MS;
  const env = { ...process.env, ATTACK_SECRET: secrets.env, NODE_OPTIONS: '' };
  const child = spawn(process.execPath, [...(attack.flags ?? []), path.join(__dirname, 'host.js'), name, path.resolve(modulePath), directory], { cwd: directory, env, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(JSON.stringify(secrets));
  let out = '', err = '', hung = false;
  const most = 1 << 20, timer = setTimeout(() => {
    hung = true;
    child.kill('SIGKILL');
  }, ms);
  child.stdout.on('data', (data) => { if (out.length < most) out += data; });
  child.stderr.on('data', (data) => { if (err.length < most) err += data; });
  return new Promise((resolve) => { child.on('close', (code, signal) => {
    clearTimeout(timer);
    const at = out.lastIndexOf(MARK), said = at < 0 ? null : JSON.parse(out.slice(at + MARK.length).split('\n')[0]);
    const reached = new Set(said?.reached ?? []);
    if (hung) reached.add('hung');
    else if (said === null || !said.done) reached.add('ended');
    if (fs.existsSync(path.join(directory, 'canary'))) reached.add('canary');
    for (const text of [out.slice(0, at < 0 ? undefined : at), err]) for (const [kind, secret] of Object.entries(secrets)) if (text.includes(secret)) reached.add(`secret of its ${kind}`);
    fs.rmSync(directory, { recursive: true, force: true });
    resolve({ name, reached: [...reached], alive: !hung && said?.done === true, took: Date.now() - begun, ended: hung ? 'deadline' : signal ?? code, skipped: said?.skipped, came: said?.came, host: said?.host,
      ...(reached.has('ended') ? { error: err.slice(-400) } : {}) });
  }); });
}

module.exports = { attacks, MARK, SETTLE_MS };

if (require.main === module) {
  const [name, modulePath, deadline] = process.argv.slice(2);
  if (name === '--list') {
    process.stdout.write(`${JSON.stringify([...attacks()].map(([full, it]) => ({ name: full, advisory: it.advisory, kind: it.kind, against: it.against, reaches: it.reaches ?? 'canary' })))}\n`);
  } else if (name === undefined || modulePath === undefined) {
    process.stderr.write('usage: node run.js CLASS/NAME MODULE-PATH [MILLISECONDS] | --list\n');
    process.exitCode = 2;
  } else {
    run(name, modulePath, deadline === undefined ? undefined : +deadline).then((it) => process.stdout.write(`${JSON.stringify(it)}\n`));
  }
}
