import { type LocalEnvironment, count, definePipeline, sum } from 'sage-kernel';

import { skipFailures } from '../harness/tolerant-engine.ts';
import { makeJobs, work } from './heavy-work.ts';
import type { Total } from './purchases.ts';

/** Results of the run at hand, in the main thread. */
export const results: { totals: Total[] } = { totals: [] };

/** Two instances, each with half of the records; the keys are then divided between them. */
export const heavy = definePipeline(import.meta.url, (env: LocalEnvironment, { records, tolerant }: { records: number; tolerant: boolean }) => {
  env
    .fromCollection(makeJobs(0, records))
    .map(work)
    .keyBy((worked) => worked.key)
    .aggregate({ count: count(), total: sum((worked: { value: number }) => worked.value) })
    .sink((total) => {
      results.totals.push(total);
    });
  if (tolerant) skipFailures(env);
});
