import type { BenchCase } from '../harness/bench-case.ts';
import type { Row } from './rows.ts';

/** Rows by name, each imported when it is needed: a process holds nothing of the others. */
const CASES: Readonly<Record<Row, () => Promise<{ readonly benchCase: BenchCase }>>> = {
  integers: () => import('./integers.ts'),
  objects: () => import('./objects.ts'),
  'flat-map': () => import('./flat-map.ts'),
  'fan-out': () => import('./fan-out.ts'),
  classes: () => import('./classes.ts'),
  'operators-15': () => import('./operators-15.ts'),
  'keyed-final': () => import('./keyed-final.ts'),
  'keyed-update': () => import('./keyed-update.ts'),
  windows: () => import('./windows.ts'),
  'map-async': () => import('./map-async.ts'),
  'two-workers': () => import('./two-workers.ts'),
  exchange: () => import('./exchange.ts'),
  'json-lines': () => import('./json-lines.ts'),
  'json-lines-gzip': () => import('./json-lines-gzip.ts'),
  csv: () => import('./csv.ts'),
  flights: () => import('./flights.ts'),
  'native-parquet': () => import('./native-parquet.ts'),
  'native-json-lines': () => import('./native-json-lines.ts'),
  'native-windows-json-lines': () => import('./native-windows-json-lines.ts'),
  'native-windows-parquet': () => import('./native-windows-parquet.ts'),
  'empty-job': () => import('./empty-job.ts'),
  'import-time': () => import('./import-time.ts'),
  'slow-sink': () => import('./slow-sink.ts'),
};

/** A row. @throws Error for a name that there is not. */
export async function findCase(row: string): Promise<BenchCase> {
  const load = CASES[row as Row] as (() => Promise<{ readonly benchCase: BenchCase }>) | undefined;
  if (load === undefined) throw new Error(`no row '${row}'`);
  return (await load()).benchCase;
}
