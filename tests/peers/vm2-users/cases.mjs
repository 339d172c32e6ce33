// What the workloads here share: each tells on standard output, one JSON line a case, how its cases came out. vm2_packages.py reads it.

/** Runs them one after the other; those that fail are told, and the others go on. */
export async function cases(rows) {
  for (const [name, work] of Object.entries(rows)) {
    let problem = null;
    try {
      await work();
    } catch (error) {
      problem = String(error?.stack ?? error);
    }
    process.stdout.write(`${JSON.stringify({ name, problem })}\n`);
  }
}
