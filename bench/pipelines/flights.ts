import type { BenchCase, Run } from '../harness/bench-case.ts';
import { FLIGHTS, flightsPath } from './flights-file.ts';
import { type Airport, type Route, flightsChecksum } from './flights-results.ts';

const path = flightsPath();

const startSage = (parallelism: number) => async (): Promise<Run> => {
  const { flights, results } = await import('./flights-pipeline.ts');
  return async () => {
    results.airports = [];
    results.routes = [];
    await flights.run({ path }, { parallelism });
    return { checksum: flightsChecksum(results.airports, results.routes) };
  };
};

const startDuckDb = (threads: number) => async (): Promise<Run> => {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:', { threads: String(threads) });
  const connection = await instance.connect();
  const file = path.replaceAll("'", "''");
  const read = async (sql: string) => (await connection.runAndReadAll(sql)).getRowObjectsJS();
  return async () => {
    const airports = await read(
      `SELECT origin AS airport, count(*)::DOUBLE AS flights, avg(delay) AS mean, max(delay)::DOUBLE AS worst FROM '${file}' GROUP BY origin`,
    );
    const routes = await read(
      `SELECT origin || ' -> ' || destination AS route, count(*)::DOUBLE AS flights, avg((delay >= 15)::INTEGER) AS share FROM '${file}' GROUP BY 1`,
    );
    return { checksum: flightsChecksum(airports as unknown as Airport[], routes as unknown as Route[]) };
  };
};

const startPolars = async (): Promise<Run> => {
  const { default: pl } = await import('nodejs-polars');
  return async () => {
    const all = pl.scanParquet(path).select('delay', 'origin', 'destination');
    const airports = await all
      .groupBy('origin')
      .agg(pl.col('delay').count().alias('flights'), pl.col('delay').mean().alias('mean'), pl.col('delay').max().alias('worst'))
      .rename({ origin: 'airport' })
      .collect();
    const routes = await all
      .withColumn(pl.concatString([pl.col('origin'), pl.col('destination')], ' -> ').alias('route'))
      .groupBy('route')
      .agg(pl.col('delay').count().alias('flights'), pl.col('delay').gtEq(15).mean().alias('share'))
      .collect();
    return { checksum: flightsChecksum(airports.toRecords() as unknown as Airport[], routes.toRecords() as unknown as Route[]) };
  };
};

export const benchCase: BenchCase = {
  row: 'flights',
  title: 'flights from Parquet, two keyed aggregates (the main job without its files)',
  records: FLIGHTS,
  quickRecords: FLIGHTS,
  per: 'record',
  rounds: 3,
  variants: [
    { name: 'sage', ours: true, warmups: 1, start: startSage(1) },
    { name: 'sage, parallelism 2', ours: true, warmups: 1, start: startSage(2) },
    { name: 'DuckDB, 1 thread', warmups: 1, start: startDuckDb(1) },
    { name: 'DuckDB, 2 threads', warmups: 1, start: startDuckDb(2) },
    { name: 'Polars', warmups: 1, start: startPolars },
  ],
  goals: [],
  informative: [
    ['sage', 'DuckDB, 1 thread'],
    ['sage', 'DuckDB, 2 threads'],
    ['sage', 'Polars'],
    ['sage, parallelism 2', 'sage'],
  ],
};
