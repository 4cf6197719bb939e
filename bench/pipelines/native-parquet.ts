import type { BenchCase } from '../harness/bench-case.ts';
import { FLIGHTS, flightsPath } from './flights-file.ts';
import { nativeChainCase } from './native-chain-case.ts';

export const benchCase: BenchCase = nativeChainCase({
  row: 'native-parquet',
  format: 'Parquet',
  pipeline: 'lateFlights',
  records: FLIGHTS,
  quickRecords: FLIGHTS,
  path: flightsPath,
  selected: (pl, path) =>
    pl
      .scanParquet(path)
      .filter(pl.col('delay').gtEq(15))
      .select(pl.col('origin').alias('key'), pl.col('distance').mul(1.609344).alias('total'), pl.col('delay').alias('mean')),
});
