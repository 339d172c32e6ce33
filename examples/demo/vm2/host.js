// A product that runs what a model wrote, in the box that it trusts: vm2's NodeVM, with `nesting` so that the code can
// make boxes of its own, and not a single module of Node allowed (`builtin: []`).
'use strict';
const fs = require('fs');
const { NodeVM } = require('vm2');

const file = process.argv[2];
const box = new NodeVM({ nesting: true, require: { builtin: [] } });

console.log(`host:      process ${process.pid}, no module allowed in the box`);
try {
	for (const line of box.run(fs.readFileSync(file, 'utf8'), file))
		console.log(line);
} catch (error) {
	console.log(`box:       ${error.message}`);
}
