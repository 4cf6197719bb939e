import { threadId } from 'node:worker_threads';

import {
  type DataStream,
  FileSource,
  JsonLinesSink,
  type LocalEnvironment,
  MapFunction,
  ParquetSink,
  TextLinesSink,
  definePipeline,
} from '../../../ts/index.ts';

/** A format of files that can be read and written. */
export type FileFormat = 'textLines' | 'jsonLines' | 'parquet';

/** A file to read. */
export interface FileLane {
  readonly format: FileFormat;
  readonly path: string;
  readonly columns?: readonly string[];
}

/** A record with the reader that gave it. */
export interface Arrival {
  /** Index of the file in the arguments. */
  readonly lane: number;
  readonly instance: number;
  readonly thread: number;
  readonly record: unknown;
}

class Stamp extends MapFunction<unknown, Arrival> {
  readonly #lane: number;

  constructor(lane: number) {
    super();
    this.#lane = lane;
  }

  execute(record: unknown): Arrival {
    return { lane: this.#lane, instance: this.ctx.parallelIndex, thread: threadId, record };
  }
}

function sourceOf({ format, path, columns }: FileLane): FileSource<unknown> {
  const options = columns === undefined ? {} : { columns };
  if (format === 'textLines') return FileSource.textLines(path);
  return format === 'jsonLines' ? FileSource.jsonLines<Record<string, unknown>>(path, options) : FileSource.parquet<Record<string, unknown>>(path, options);
}

/** What came out, in the main thread. */
export const arrivals: Arrival[] = [];

/** Reads files side by side in one job: starting threads is what takes time. */
export const readFiles = definePipeline(import.meta.url, (env: LocalEnvironment, lanes: readonly FileLane[]) => {
  lanes.forEach((lane, index) => {
    env.fromSource(sourceOf(lane)).map(Stamp, index).sink(arrivals);
  });
});

/** A number of records to write. */
export interface WriteArgs {
  readonly format: FileFormat;
  readonly path: string;
  readonly records: number;
  /** Instances of the sink; those of the job when it is left away. */
  readonly sinks?: number;
}

/** What record `n` is in each of the formats. */
export const recordOf = {
  textLines: (n: number): string => `record ${n} é😀`,
  jsonLines: (n: number): unknown => ({ n, text: `é😀\n${n}`, list: [n, null] }),
  parquet: (n: number): object => ({ n, text: `é😀\n${n}`, list: [n, null] }),
} satisfies Record<FileFormat, (n: number) => unknown>;

/** Writes records from several instances. */
export const writeFile = definePipeline(import.meta.url, (env: LocalEnvironment, { format, path, records, sinks }: WriteArgs) => {
  const source = env.fromCollection(Array.from({ length: records }, (_, n) => n)).map((n) => recordOf[format](n));
  const sink = format === 'textLines' ? new TextLinesSink(path) : format === 'jsonLines' ? new JsonLinesSink(path) : new ParquetSink(path);
  (source as DataStream<never>).sink(sink, sinks === undefined ? {} : { parallelism: sinks });
});
