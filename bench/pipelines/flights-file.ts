import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Records of the file. */
export const FLIGHTS = 3_000_000;

/** Where the Parquet file of flights lies: its package exports its script only, and has its data beside that. */
export function flightsPath(): string {
  return join(dirname(createRequire(import.meta.url).resolve('vega-datasets')), '../data/flights-3m.parquet');
}
