// What MIGRATING.md says of each option: the check says the same, since it reads it there.
'use strict';
const fs = require('fs');
const path = require('path');

const rows = new Map();
const text = fs.readFileSync(path.join(__dirname, '../../MIGRATING.md'), 'utf8');
for (const [, id, what, how, why] of text.matchAll(/^\| `([\w-]+)` \| (.*?) \| (same|stronger|different|refused) \| (.*) \|$/gm)) rows.set(id, { id, what, how, why });
for (const [, id, how, what, todo] of text.matchAll(/^\| `([\w-]+)` \| (same|stronger|different|refused) \| (.*?) \| (.*) \|$/gm)) rows.set(id, { id, what: '', how, why: `${what} ${todo}` });

module.exports = { rows };
