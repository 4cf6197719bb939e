import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import type { BenchCase, Run, VariantContext } from '../harness/bench-case.ts';

const ROWS = 3_000_000;
// The package exports its script only; its data lies beside that.
const path = join(dirname(createRequire(import.meta.url).resolve('vega-datasets')), '../data/flights-3m.parquet');

const startSage = (parallelism: number) => async ({ folder }: VariantContext): Promise<Run> => {
  const { chainChecksum, lateFlights, readResults } = await import('./native-chain-pipeline.ts');
  const to = join(folder, `late-flights-${parallelism}.jsonl`);
  return async () => {
    const { isolates } = await lateFlights.run({ path, to }, { parallelism });
    if (isolates !== 0) throw new Error(`the chain is not native: ${isolates} isolates ran JavaScript`);
    return { checksum: chainChecksum(readResults(to)) };
  };
};

const startPolars = async (): Promise<Run> => {
  const { default: pl } = await import('nodejs-polars');
  const { chainChecksum } = await import('./native-chain-pipeline.ts');
  return async () => {
    const results = await pl
      .scanParquet(path)
      .filter(pl.col('delay').gtEq(15))
      .select(pl.col('origin'), pl.col('distance').mul(1.609344).alias('km'), pl.col('delay'))
      .groupBy('origin')
      .agg(pl.col('delay').count().alias('n'), pl.col('km').sum().alias('total'), pl.col('delay').mean().alias('mean'))
      .rename({ origin: 'key' })
      .collect({ streaming: true });
    return { checksum: chainChecksum(results.toRecords() as never) };
  };
};

export const benchCase: BenchCase = {
  row: 'native-parquet',
  title: 'filter, select and keyed aggregate by expressions from Parquet to JSON lines, without JavaScript',
  records: ROWS,
  quickRecords: ROWS,
  per: 'record',
  rounds: 3,
  variants: [
    { name: 'sage', ours: true, warmups: 1, start: startSage(1) },
    { name: 'sage, parallelism 2', ours: true, warmups: 1, start: startSage(2) },
    { name: 'Polars', warmups: 1, start: startPolars },
  ],
  goals: [{ ours: 'sage, parallelism 2', peers: ['Polars'], atMost: 2 }],
  informative: [['sage', 'Polars']],
};
