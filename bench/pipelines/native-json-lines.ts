import type { BenchCase } from '../harness/bench-case.ts';
import { nativeChainCase } from './native-chain-case.ts';
import { pageViewsPath, writePageViews } from './page-views.ts';

export const benchCase: BenchCase = nativeChainCase({
  row: 'native-json-lines',
  format: 'JSON lines',
  pipeline: 'slowPages',
  records: 2_000_000,
  quickRecords: 300_000,
  prepare: ({ folder, records }) => writePageViews(folder, records),
  path: ({ folder, records }) => pageViewsPath(folder, records),
  selected: (pl, path) =>
    pl
      .scanJson(path)
      .filter(pl.col('ok').and(pl.col('ms').gt(1000)))
      .select(pl.col('page').alias('key'), pl.col('ms').div(1000).alias('total'), pl.col('ms').alias('mean')),
});
