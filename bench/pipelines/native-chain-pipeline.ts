import { readFileSync } from 'node:fs';

import { FileSource, JsonLinesSink, type LocalEnvironment, avg, col, count, definePipeline, sum } from 'sage-kernel';

import type { PageView } from './page-views.ts';

interface Flight {
  readonly delay: number;
  readonly distance: number;
  readonly origin: string;
}

/** One result of either chain. */
export interface ChainResult {
  readonly key: string;
  readonly n: number;
  readonly total: number;
  readonly mean: number;
}

/** Where the files are. */
export interface ChainPaths {
  readonly path: string;
  readonly to: string;
}

/** Filter, select and keyed aggregate of a Parquet file, without any JavaScript. */
export const lateFlights = definePipeline(import.meta.url, (env: LocalEnvironment, { path, to }: ChainPaths) => {
  env
    .fromSource(FileSource.parquet<Flight>(path))
    .filter(col('delay').ge(15))
    .select({ origin: col('origin'), km: col('distance').mul(1.609344), delay: col('delay') })
    .keyBy('origin')
    .aggregate({ n: count(), total: sum('km'), mean: avg('delay') })
    .sink(new JsonLinesSink(to));
});

/** The same of JSON lines. */
export const slowPages = definePipeline(import.meta.url, (env: LocalEnvironment, { path, to }: ChainPaths) => {
  env
    .fromSource(FileSource.jsonLines<PageView>(path))
    .filter(col('ok').and(col('ms').gt(1000)))
    .select({ page: col('page'), s: col('ms').div(1000), ms: col('ms') })
    .keyBy('page')
    .aggregate({ n: count(), total: sum('s'), mean: avg('ms') })
    .sink(new JsonLinesSink(to));
});

/** The results that a chain has written. */
export function readResults(path: string): ChainResult[] {
  return readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as ChainResult);
}

/** Of results in any order; sums may differ in their last digits by the order of the records. */
export function chainChecksum(results: readonly ChainResult[]): string {
  const sumOf = (of: (result: ChainResult) => number): number => Math.round(results.reduce((sum, result) => sum + of(result), 0));
  return `${results.length} keys, ${sumOf(({ n }) => n)} records, ${sumOf(({ total }) => total)} in total, means ${sumOf(({ mean }) => mean)}`;
}
