// Each line that is marked must be a mistake.
import { VM, NodeVM, VMScript, defaults } from '@ambit/vm2';
import type { VMRequire } from '@ambit/vm2';

new VM({ timeout: '100' }); // wrong
new VM({ ambit: { reed: './data' } }); // wrong
new VM({ ambit: { jit: 1 } }); // wrong
new VM({ ambit: { read: 5 } }); // wrong
new VM({ nesting: true }); // wrong
new NodeVM({ console: 'loud' }); // wrong
const builtin: VMRequire = { builtin: 'fs' }; // wrong
const context: VMRequire = { context: 'guest' }; // wrong
new VMScript(5); // wrong
new VM().run(5); // wrong
new VM().dispose(1); // wrong
new VM().sandbox = {}; // wrong
defaults.ambit = { ready: 'two' }; // wrong
void [builtin, context];
