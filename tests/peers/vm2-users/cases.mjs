// What the workloads here share: each tells on standard output, one line of JSON a case, how its cases came out, after which package it has by the name of vm2. vm2_packages.py reads it.
import { createRequire } from 'node:module';

const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

/** Runs them one after the other; those that fail are told, and the others go on. */
export async function cases(rows) {
  const { name: vm2, version } = createRequire(import.meta.url)('vm2/package.json');
  tell({ vm2, version, cases: Object.keys(rows).length });
  for (const [name, work] of Object.entries(rows)) {
    let problem = null;
    try {
      await work();
    } catch (error) {
      problem = String(error?.stack ?? error);
    }
    tell({ name, problem });
  }
}
