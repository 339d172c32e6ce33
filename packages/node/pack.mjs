// Makes the packages (tar, gzip), with the same bytes each time and without anything but Node. With AMBIT_BUILD naming a build directory of Ambit also the one that carries the
// programs for this platform; else the `ambit` that is installed is used. PACKAGE is another than this one: ../vm2. usage: node pack.mjs [DIRECTORY [PACKAGE]]
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const HERE = path.resolve(process.argv[3] ?? path.dirname(fileURLToPath(import.meta.url)));
const WHEN = Date.UTC(2020, 0, 1) / 1000;
const BLOCK = 512;

/** One file of an archive, as POSIX has it (ustar). */
function entry(name, data, executable) {
  const head = Buffer.alloc(BLOCK);
  if (Buffer.byteLength(name) > 100) throw new Error(`${name}: too long a name`);
  const put = (text, at) => head.write(text, at, 'ascii');
  const octal = (number, digits) => `${number.toString(8).padStart(digits, '0')}\0`;
  put(name, 0);
  put(octal(executable ? 0o755 : 0o644, 7) + octal(0, 7) + octal(0, 7) + octal(data.length, 11) + octal(WHEN, 11), 100);
  put('        0', 148);
  put('ustar\x0000', 257);
  put(`${octal(head.reduce((sum, byte) => sum + byte, 0), 6)} `, 148);
  return [head, data, Buffer.alloc((BLOCK - (data.length % BLOCK)) % BLOCK)];
}

/** `files`: by their names, data and whether they can be executed. */
function pack(directory, about, files) {
  const all = [['package.json', Buffer.from(`${JSON.stringify(about, null, 2)}\n`), false], ...files];
  const blocks = all.flatMap(([name, data, executable]) => entry(`package/${name}`, data, executable));
  const to = path.join(directory, `${about.name.replace('@', '').replace('/', '-')}-${about.version}.tgz`);
  writeFileSync(to, gzipSync(Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)])));
  return to;
}

/** Name and data of each file of the client. */
function* sources(about) {
  for (const name of about.files) {
    const place = path.join(HERE, name);
    const names = statSync(place).isDirectory() ? readdirSync(place).sort().map((file) => path.join(name, file)) : [name];
    for (const file of names) yield [file, readFileSync(path.join(HERE, file)), file.startsWith('bin/')];
  }
}

/** `ambit`, and its roles beside it. */
function programs(build) {
  const isProgram = (name) => /^ambit(-[a-z]+(\.so)?)?$/.test(name) && statSync(path.join(build, name)).isFile() && (statSync(path.join(build, name)).mode & 0o111) !== 0;
  const names = readdirSync(build).filter(isProgram).sort();
  if (!names.includes('ambit')) throw new Error(`AMBIT_BUILD: there is no program \`ambit\` in ${build}`);
  return names.map((name) => [name === 'ambit' ? 'bin/ambit' : `libexec/ambit/${name}`, readFileSync(path.join(build, name)), true]);
}

const to = process.argv[2] ?? '.';
const about = JSON.parse(readFileSync(path.join(HERE, 'package.json'), 'utf8'));
const { version, description, license, engines } = about;
const platform = `ambit-${process.platform}-${process.arch}`;
delete about.scripts;
mkdirSync(to, { recursive: true });
// Named only where both come from here: else whoever has that name at a registry would be asked for programs.
const carried = process.env.AMBIT_BUILD ? { optionalDependencies: { ...about.optionalDependencies, [platform]: version } } : {};
console.log(pack(to, { ...about, ...carried }, [...sources(about)]));
if (process.env.AMBIT_BUILD) {
  const carries = { name: platform, version, description: `${description}: the programs`, license, engines, os: [process.platform], cpu: [process.arch], files: ['bin',
    'libexec'] };
  console.log(pack(to, carries, programs(process.env.AMBIT_BUILD)));
}
