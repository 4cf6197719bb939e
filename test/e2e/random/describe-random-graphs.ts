import { describe, expect, it } from 'vitest';

import { LocalEnvironment } from '../../../ts/index.ts';
import { buildSeeds, randomGraphs, sinksOf } from '../pipelines/random-graphs.ts';
import { checkCounts, checkNothingLost, compareWithOracle } from './compare.ts';

const RUNS = Number(process.env['SAGE_PROPERTY_RUNS'] ?? 100);
const SEED = process.env['SAGE_PROPERTY_SEED'];
/** Random pipelines of one job. */
const PER_JOB = 10;

/** Seeds in groups of one job each; `SAGE_PROPERTY_SEED` replays one, `SAGE_PROPERTY_RUNS` says how many there are. */
function jobs(runs: number): number[][] {
  if (SEED !== undefined) return [[Number(SEED)]];
  const seeds = Array.from({ length: runs }, (_, n) => n + 1);
  return Array.from({ length: Math.ceil(runs / PER_JOB) }, (_, n) => seeds.slice(n * PER_JOB, (n + 1) * PER_JOB));
}

/** Random pipelines against a naive interpreter: with one instance each, with several in one isolate, and in worker threads. */
export function describeRandomGraphs(label: string): void {
  describe(`random pipelines, ${label}`, () => {
    const inMain = async (seeds: readonly number[], serial: boolean): Promise<void> => {
      const env = new LocalEnvironment(`seeds ${seeds.join(' ')}`);
      buildSeeds(env, seeds, serial);
      const result = await env.submit({ autostop: true });
      for (const seed of seeds) {
        compareWithOracle(seed, sinksOf.get(seed)!, result, serial);
        checkNothingLost(seed, result);
      }
      checkCounts(result);
    };

    it.each(jobs(RUNS).map((seeds) => ({ seeds })))('one instance each: seeds $seeds', ({ seeds }) => inMain(seeds, true), 60_000);

    it.each(jobs(RUNS).map((seeds) => ({ seeds })))('several instances in one isolate: seeds $seeds', ({ seeds }) => inMain(seeds, false), 60_000);

    it.each(jobs(Math.ceil(RUNS / 2)).map((seeds) => ({ seeds })))(
      'in worker threads: seeds $seeds',
      async ({ seeds }) => {
        const result = await randomGraphs.run({ seeds });
        for (const seed of seeds) {
          compareWithOracle(seed, sinksOf.get(seed)!, result, false);
          checkNothingLost(seed, result);
        }
        checkCounts(result);
        if (SEED === undefined) expect(result.isolates).toBeGreaterThanOrEqual(2);
      },
      60_000,
    );
  });
}
