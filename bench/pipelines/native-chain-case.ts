import { join } from 'node:path';

import type { LazyDataFrame, default as Polars } from 'nodejs-polars';

import type { BenchCase, Run, VariantContext } from '../harness/bench-case.ts';
import type * as Pipelines from './native-chain-pipeline.ts';

/** In what the rows of chains without JavaScript differ. */
export interface NativeChain extends Pick<BenchCase, 'row' | 'records' | 'quickRecords' | 'prepare'> {
  /** What the file that is read has in it, for the title. */
  readonly format: string;
  /** Which of the pipelines runs. */
  readonly pipeline: 'lateFlights' | 'slowPages';
  path(context: VariantContext): string;
  /** Filter and select by Polars: the key, and the columns of which there are the sum `total` and the mean `mean`. */
  selected(pl: typeof Polars, path: string): LazyDataFrame;
}

/** A row that reads a file, filters, selects, and aggregates each key, and writes lines of JSON: all of it by expressions. */
export function nativeChainCase({ format, pipeline, path, selected, ...row }: NativeChain): BenchCase {
  const startSage = (parallelism: number) => async (context: VariantContext): Promise<Run> => {
    const pipelines: typeof Pipelines = await import('./native-chain-pipeline.ts');
    const files = { path: path(context), to: join(context.folder, `${row.row}-${parallelism}.jsonl`) };
    return async () => {
      const { isolates } = await pipelines[pipeline].run(files, { parallelism });
      if (isolates !== 0) throw new Error(`the chain is not native: ${isolates} isolates ran JavaScript`);
      return { checksum: pipelines.chainChecksum(pipelines.readResults(files.to)) };
    };
  };
  const startPolars = async (context: VariantContext): Promise<Run> => {
    const { default: pl } = await import('nodejs-polars');
    const { chainChecksum } = await import('./native-chain-pipeline.ts');
    const file = path(context);
    return async () => {
      const results = await selected(pl, file)
        .groupBy('key')
        .agg(pl.col('mean').count().alias('n'), pl.col('total').sum(), pl.col('mean').mean())
        .collect({ streaming: true });
      return { checksum: chainChecksum(results.toRecords() as never) };
    };
  };
  return {
    ...row,
    title: `filter, select and keyed aggregate by expressions from ${format} to JSON lines, without JavaScript`,
    per: 'record',
    rounds: 3,
    variants: [
      { name: 'sage', ours: true, native: true, warmups: 1, start: startSage(1) },
      { name: 'sage, parallelism 2', ours: true, native: true, warmups: 1, start: startSage(2) },
      { name: 'Polars', warmups: 1, start: startPolars },
    ],
    goals: [{ ours: 'sage, parallelism 2', peers: ['Polars'], atMost: 2 }],
    informative: [['sage', 'Polars']],
  };
}
