/**
 * Micro benchmarks, by benchmark.js: what the parts of the data path cost, beside other ways to do the same.
 *
 *     npm run bench:micro -- [--only <suite file>]
 *
 * Each case's result is checked before it is timed and kept while it is.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import Benchmark from 'benchmark';

import { describeMachine } from '../harness/machine.ts';
import { resultsPath } from '../harness/results-file.ts';
import type { MicroSuite } from './micro-suite.ts';

const FILES: Readonly<Record<string, () => Promise<{ readonly suites: readonly MicroSuite[] }>>> = {
  crossing: () => import('./crossing.ts'),
  codec: () => import('./codec.ts'),
};

const { values } = parseArgs({ options: { only: { type: 'string' }, quick: { type: 'boolean', default: false } } });
const names = values.only === undefined ? Object.keys(FILES) : [values.only];
let kept: unknown;
const machine = describeMachine();
const table: { suite: string; name: string; nanoseconds: number; error: string; ratio: number }[] = [];
for (const name of names) {
  const load = FILES[name];
  if (load === undefined) throw new Error(`no file '${name}'; there are ${Object.keys(FILES).join(', ')}`);
  for (const suite of (await load()).suites) table.push(...(await measure(suite)));
}
for (const suite of new Set(table.map((row) => row.suite))) {
  console.log(`\n## ${suite}\n`);
  for (const row of table.filter((candidate) => candidate.suite === suite)) {
    console.log(`${row.name.padEnd(26)} ${row.nanoseconds.toFixed(1).padStart(9)} ns  ${row.error.padStart(8)}  ${row.ratio.toFixed(2).padStart(6)} times ours`);
  }
}
if (!values.quick) writeFileSync(resultsPath('micro.local'), `${JSON.stringify({ machine, table }, undefined, 2)}\n`);
if (kept === undefined) throw new Error('no case gave a result');

/** Nanoseconds a record of each case. */
function measure(suite: MicroSuite): Promise<typeof table> {
  return new Promise((resolve, reject) => {
    const runs = new Benchmark.Suite(suite.name);
    for (const [name, run] of Object.entries(suite.cases)) {
      suite.check(run());
      const options = values.quick ? { maxTime: 0.05, minSamples: 3 } : {};
      runs.add(
        name,
        () => {
          kept = run();
        },
        options,
      );
    }
    runs
      .on('error', ({ target }: Benchmark.Event) => reject((target as unknown as { error: unknown }).error))
      .on('complete', () => {
        const results = runs.map((benchmark: Benchmark) => ({
          suite: suite.name,
          name: benchmark.name!,
          nanoseconds: (benchmark.stats.mean * 1e9) / suite.per,
          error: `±${benchmark.stats.rme.toFixed(1)} %`,
          ratio: 1,
        })) as typeof table;
        resolve(results.map((row) => ({ ...row, ratio: row.nanoseconds / results[0]!.nanoseconds })));
      })
      .run();
  });
}
