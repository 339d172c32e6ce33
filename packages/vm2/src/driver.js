// The text that a cell's Node is started with.
'use strict';
const fs = require('fs');
const path = require('path');

/** Without what only people read: each cell reads it anew. */
const text = (name) => fs.readFileSync(path.join(__dirname, name), 'utf8').replace(/^\s*\/\/.*\n/gm, '').replace(/^\s*\/\*\*.*\*\/\n/gm, '').replace(/^ +/gm, '');
const asModule = (name) => `(() => { const module = {};\n${text(name)}\nreturn module.exports; })()`;

/** kind: 'vm' or 'node'. */
module.exports = function driver(kind) {
  const source = `(() => { const made = { makeValues: ${asModule('values.js')}, makeReferences: ${asModule('references.js')}, makeCollect: ${asModule('collect.js')}, frames: ${asModule('frames.js')}, makeGuest: ${asModule('inside-guest.js')}, makeNode: ${kind === 'node' ? asModule('inside-node.js') : 'undefined'} };\nreturn [made, ${asModule('inside.js')}]; })()`;
  return `((require,process,Buffer,global)=>{const vm=require("vm"),context=vm.createContext({});const [made,inside]=new vm.Script(${JSON.stringify(source)},{filename:"ambit:cell"}).runInContext(context);inside({...made,require,process,Buffer,global,context,kind:${JSON.stringify(kind)}})})(require,process,Buffer,globalThis)`;
};
