import { ArrowSink, definePipeline, JsonLinesSink, type JsonLinesSinkOptions, type LocalEnvironment, ParquetSink } from '../../../ts/index.ts';

/** What is written, where, and how. */
export interface OutputArgs {
  readonly format: 'jsonLines' | 'parquet' | 'arrow';
  readonly path: string;
  readonly records: number;
  readonly options: JsonLinesSinkOptions;
}

/** Record `n`: a few values of `k`, and of `day`, which not every record has. */
export function partitionedRecord(n: number): { n: number; k: string; day?: number | null } {
  const record = { n, k: `k${n % 4}` };
  return n % 3 === 0 ? record : { ...record, day: n % 3 === 1 ? n % 2 : null };
}

/** Writes records from several instances. */
export const writeOutput = definePipeline(import.meta.url, (env: LocalEnvironment, { format, path, records, options }: OutputArgs) => {
  const stream = env.fromCollection(Array.from({ length: records }, (_, n) => n)).map(partitionedRecord);
  stream.sink(format === 'jsonLines' ? new JsonLinesSink(path, options) : format === 'parquet' ? new ParquetSink(path, options as never) : new ArrowSink(path, options as never));
});
