// typescript-json-schema 0.67: JSON schemas of TypeScript's types, with the defaults that classes give to their members.
//
// A fresh VM without options for each default: `new VM().run('sandboxvar=' + TEXT)`. Out: texts, numbers, booleans, null and arrays; of an object its text is told.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import * as tjs from 'typescript-json-schema';
import { cases } from './cases.mjs';

const CODE = `
export enum Level { low = 1, high = 2 }
export class Settings {
  name: string = 'a "quoted" name';
  port: number = 8080;
  ratio: number = 2.5e-3;
  mask: number = 0xff;
  on: boolean = true;
  off: boolean = false;
  nothing: string | null = null;
  tags: string[] = ['a', 'b', 'c'];
  nested: number[][] = [[1, 2], [3], []];
  mixed: any[] = [1, 'two', null, true];
  /** @minimum 3 */
  plain: number;
}
export class Odd {
  box: object = { a: 1 };
  gone: string = undefined;
  wrong: number = missing;
}
${Array.from({ length: 4 }, (_, i) => `export class Many${i} { ${Array.from({ length: 5 }, (_, j) => `m${j}: number = ${i * 10 + j};`).join(' ')} }`).join('\n')}
`;

const top = fs.mkdtempSync(path.join(os.tmpdir(), 'schema-')), file = path.join(top, 'settings.ts');
fs.writeFileSync(file, CODE);
process.on('exit', () => fs.rmSync(top, { recursive: true }));

const { default: library = tjs } = tjs;
const warned = [];
console.warn = (text) => warned.push(text);
const program = library.getProgramFromFiles([file], { strictNullChecks: false });
const schema = (name) => library.generateSchema(program, name, { required: true, ignoreErrors: true });

await cases({
  'defaults of each kind'() {
    const { properties } = schema('Settings'), found = {};
    for (const [name, of] of Object.entries(properties)) if ('default' in of) found[name] = of.default;
    assert.deepEqual(JSON.parse(JSON.stringify(found)), {
      name: 'a "quoted" name', port: 8080, ratio: 0.0025, mask: 255, on: true, off: false, nothing: null,
      tags: ['a', 'b', 'c'], nested: [[1, 2], [3], []], mixed: [1, 'two', null, true],
    });
    assert.equal(properties.plain.minimum, 3);
  },
  'what is no default is told'() {
    warned.length = 0;
    const { properties } = schema('Odd');
    for (const name of ['box', 'gone', 'wrong']) assert.equal('default' in properties[name], false, name);
    assert.deepEqual(warned, ['unknown initializer for property box: [object Object]', 'exception evaluating initializer for property wrong']);
  },
  'many of them'() {
    for (let i = 0; i < 4; i++) {
      const { properties } = schema(`Many${i}`);
      for (let j = 0; j < 5; j++) assert.equal(properties[`m${j}`].default, i * 10 + j);
    }
  },
  'its command line'() {
    const command = createRequire(import.meta.url).resolve('typescript-json-schema/bin/typescript-json-schema');
    const text = execFileSync(process.execPath, [command, file, 'Settings', '--required', '--ignoreErrors'], { encoding: 'utf8' });
    assert.deepEqual(JSON.parse(text).properties.nested.default, [[1, 2], [3], []]);
  },
});
