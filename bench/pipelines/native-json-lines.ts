import { join } from 'node:path';

import type { BenchCase, Run, VariantContext } from '../harness/bench-case.ts';
import { pageViewsPath, writePageViews } from './page-views.ts';

const startSage = (parallelism: number) => async ({ folder, records }: VariantContext): Promise<Run> => {
  const { chainChecksum, readResults, slowPages } = await import('./native-chain-pipeline.ts');
  const path = pageViewsPath(folder, records);
  const to = join(folder, `slow-pages-${parallelism}.jsonl`);
  return async () => {
    const { isolates } = await slowPages.run({ path, to }, { parallelism });
    if (isolates !== 0) throw new Error(`the chain is not native: ${isolates} isolates ran JavaScript`);
    return { checksum: chainChecksum(readResults(to)) };
  };
};

const startPolars = async ({ folder, records }: VariantContext): Promise<Run> => {
  const { default: pl } = await import('nodejs-polars');
  const { chainChecksum } = await import('./native-chain-pipeline.ts');
  const path = pageViewsPath(folder, records);
  return async () => {
    const results = await pl
      .scanJson(path)
      .filter(pl.col('ok').and(pl.col('ms').gt(1000)))
      .select(pl.col('page'), pl.col('ms').div(1000).alias('s'), pl.col('ms'))
      .groupBy('page')
      .agg(pl.col('ms').count().alias('n'), pl.col('s').sum().alias('total'), pl.col('ms').mean().alias('mean'))
      .rename({ page: 'key' })
      .collect({ streaming: true });
    return { checksum: chainChecksum(results.toRecords() as never) };
  };
};

export const benchCase: BenchCase = {
  row: 'native-json-lines',
  title: 'filter, select and keyed aggregate by expressions from JSON lines to JSON lines, without JavaScript',
  records: 2_000_000,
  quickRecords: 300_000,
  per: 'record',
  rounds: 3,
  prepare: ({ folder, records }) => writePageViews(folder, records),
  variants: [
    { name: 'sage', ours: true, warmups: 1, start: startSage(1) },
    { name: 'sage, parallelism 2', ours: true, warmups: 1, start: startSage(2) },
    { name: 'Polars', warmups: 1, start: startPolars },
  ],
  goals: [{ ours: 'sage, parallelism 2', peers: ['Polars'], atMost: 2 }],
  informative: [['sage', 'Polars']],
};
