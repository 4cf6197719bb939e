import { FileSource, type LocalEnvironment, count, definePipeline, sum } from 'sage-kernel';

import { skipFailures } from '../harness/tolerant-engine.ts';
import type { PageTotal, PageView } from './page-views.ts';

/** Results of the run at hand, in the main thread. */
export const results: { totals: PageTotal[] } = { totals: [] };

export const pages = definePipeline(import.meta.url, (env: LocalEnvironment, { path, tolerant }: { path: string; tolerant: boolean }) => {
  env
    .fromSource(FileSource.jsonLines<PageView>(path))
    .filter((view) => view.ok && view.ms > 1000)
    .keyBy((view) => view.page)
    .aggregate({ views: count(), ms: sum((view) => view.ms) })
    .sink((total) => {
      results.totals.push(total);
    });
  if (tolerant) skipFailures(env);
});
