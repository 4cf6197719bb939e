import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import type { BenchCase, Run } from '../harness/bench-case.ts';

const run = promisify(execFile);
const here = fileURLToPath(new URL('..', import.meta.url));

/** A fresh process for each sample: only the first import of a process is one. */
const importOf = (name: string): Run => async () => {
  const program = `
    const startMs = performance.now();
    const product = await import('${name}');
    const elapsedMs = performance.now() - startMs;
    console.log(JSON.stringify({ elapsedMs, exports: Object.keys(product).length }));`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program], { cwd: here });
  const { elapsedMs, exports } = JSON.parse(stdout) as { elapsedMs: number; exports: number };
  return { checksum: `${exports > 0}`, elapsedMs, figures: { exports } };
};

export const benchCase: BenchCase = {
  row: 'import-time',
  title: 'import of the package, first one of a process',
  records: 1,
  quickRecords: 1,
  per: 'run',
  variants: [
    { name: 'sage', ours: true, samples: 8, start: async () => importOf('sage-kernel') },
    { name: 'sage, not bundled', ours: true, samples: 8, start: async () => importOf('./node_modules/sage-kernel-unbundled/dist/index.js') },
    { name: 'rxjs', samples: 8, start: async () => importOf('rxjs') },
  ],
  goals: [{ ours: 'sage', atMostAbsolute: 40, unit: 'ms' }],
  informative: [['sage', 'rxjs']],
};
