// What `ambit-vm2 check` says of source texts: node test/check/run.js (TAP). A case is a row: name, the source, its kind ('js', 'ts', 'tsx'), and what is said: `line id` or `line id what`, in order; what QUIET has
// may be said besides, since most uses have it.
'use strict';
const assert = require('assert');
const fs = require('fs');
const path = require('path');
const { ready } = require('../../bin/check/parse.js');
const { scan } = require('../../bin/check/scan.js');
const { rows } = require('../../bin/check/table.js');

const QUIET = ['vm', 'no-timeout', 'sandbox', 'timeout'];
const files = fs.readdirSync(__dirname).filter((it) => it.endsWith('.js') && it !== 'run.js').sort();
const cases = files.flatMap((file) => require(path.join(__dirname, file)).map((row) => ({ file, ...row })));

async function main() {
  await ready();
  process.stdout.write(`TAP version 13\n1..${cases.length}\n`);
  let failed = 0;
  cases.forEach(({ file, name, source, says, fails, kind, modules, loud = false }, number) => {
    try {
      if (fails) assert.throws(() => scan(source, { kind }), SyntaxError);
      else {
        const uses = scan(source, { kind, modules: modules && new Set(modules) });
        for (const { id } of uses) assert.ok(rows.has(id));
        const wanted = new Set(says.map((it) => it.split(' ')[1]));
        const said = uses.filter(({ id }) => loud || wanted.has(id) || !QUIET.includes(id)).map(({ line, id, what }, at) => (says[at]?.split(' ').length > 2 ? `${line} ${id} ${what}` : `${line} ${id}`));
        assert.deepStrictEqual(said, says);
      }
      process.stdout.write(`ok ${number + 1} - ${file}: ${name}\n`);
    } catch (problem) {
      failed++;
      process.stdout.write(`not ok ${number + 1} - ${file}: ${name}\n${String(problem.message).replace(/^/gm, '# ')}\n`);
    }
  });
  process.exitCode = failed > 0 ? 1 : 0;
}

main();
