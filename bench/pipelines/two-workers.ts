import { Worker } from 'node:worker_threads';

import type { BenchCase, Run, VariantContext } from '../harness/bench-case.ts';
import { type Total, totalsChecksum } from './purchases.ts';

function runHalf(from: number, to: number): Promise<Total[]> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('two-workers-hand.ts', import.meta.url), { workerData: { from, to } });
    worker.on('message', resolve);
    worker.on('error', reject);
  });
}

/** Joins the results of both workers: a key is in both. */
function join(halves: readonly (readonly Total[])[]): Iterable<Total> {
  const byKey = new Map<string, { key: string; count: number; total: number }>();
  for (const { key, count, total } of halves.flat()) {
    const found = byKey.get(key);
    if (found === undefined) byKey.set(key, { key, count, total });
    else {
      found.count += count;
      found.total += total;
    }
  }
  return byKey.values();
}

const startSage = (tolerant: boolean) => async ({ records }: VariantContext): Promise<Run> => {
  const { heavy, results } = await import('./two-workers-pipeline.ts');
  return async () => {
    results.totals = [];
    const { isolates } = await heavy.run({ records, tolerant }, { parallelism: 2 });
    if (isolates < 2) throw new Error(`it ran in ${isolates} isolates`);
    return { checksum: totalsChecksum(results.totals), figures: { isolates } };
  };
};

export const benchCase: BenchCase = {
  row: 'two-workers',
  title: 'keyed count and sum over two worker isolates, lambda of about 2 us; threads started and results joined in the time',
  records: 2_000_000,
  quickRecords: 500_000,
  per: 'record',
  variants: [
    {
      name: 'two hand-written loops in two workers',
      warmups: 1,
      async start({ records }) {
        const half = records >> 1;
        return async () => ({ checksum: totalsChecksum(join(await Promise.all([runHalf(0, half), runHalf(half, records)]))) });
      },
    },
    { name: 'sage, parallelism 2', ours: true, warmups: 1, start: startSage(false) },
    { name: 'sage, parallelism 2, with error policies', ours: true, warmups: 1, start: startSage(true) },
    {
      name: 'one hand-written loop in one worker',
      warmups: 1,
      async start({ records }) {
        return async () => ({ checksum: totalsChecksum(await runHalf(0, records)) });
      },
    },
  ],
  goals: [
    { ours: 'sage, parallelism 2', peers: ['two hand-written loops in two workers'], atLeast: 0.9 },
    { ours: 'sage, parallelism 2, with error policies', peers: ['two hand-written loops in two workers'], atLeast: 0.9 },
  ],
  informative: [['sage, parallelism 2', 'one hand-written loop in one worker']],
};
