import { captureSourceLocation } from '../common/source-location.ts';
import type { Sink } from '../transformations/connector.ts';
import type { NativeSink, NativeSinkSpec } from '../transformations/sink-descriptor.ts';
import { type ColumnSchema, refuseAppend, SCHEMA } from './column-schema.ts';
import { type AllowedSetting, oneOf } from './connector-arguments.ts';
import { checkOutput, OUTPUT_SETTINGS, type OutputOptions, PARTITION_SETTINGS, type PartitionOptions } from './output-options.ts';

/** Options of an `ArrowSink`. */
export interface ArrowSinkOptions extends OutputOptions, PartitionOptions {
  /** `file` (when left away) ends with a footer that says where each record batch is, so that readers can share it; `stream` does not. */
  readonly format?: 'file' | 'stream';
  /** Of the buffers; `none` when left away. */
  readonly compression?: 'none' | 'lz4' | 'zstd';
  /** What happens to a string with an unpaired surrogate, which UTF-8 cannot hold: an error (when left away), or U+FFFD in its place. */
  readonly invalidStrings?: 'error' | 'replace';
  /** Columns that the first 16,384 records do not have, or have with a narrower type. Those records decide all others. */
  readonly schema?: ColumnSchema;
}

const SETTINGS: Readonly<Record<keyof ArrowSinkOptions, AllowedSetting>> = {
  ...OUTPUT_SETTINGS,
  ...PARTITION_SETTINGS,
  format: oneOf('file', 'stream'),
  compression: oneOf('none', 'lz4', 'zstd'),
  invalidStrings: oneOf('error', 'replace'),
  schema: SCHEMA,
};

/**
 * Writes records, objects of one shape, as the rows of a file or stream of Arrow IPC, which `apache-arrow`, pandas, Polars and
 * DuckDB read without parsing. The columns are those that a `ParquetSink` makes.
 *
 * It writes to a temporary name and renames at the end, so that the path never holds half a result. A directory (ending
 * in `/`), or `{part}` in the path, is a part for each instance.
 *
 * ```ts
 * env.fromCollection([{ id: 1, price: 10 }, { id: 2, price: 25 }]).sink(new ArrowSink('orders.arrow', { compression: 'zstd' }));
 * ```
 */
export class ArrowSink<in T extends object = object> implements Sink<T> {
  /** Only for the type; never set. */
  declare readonly accepts?: (record: T) => void;
  readonly #spec: NativeSinkSpec;

  constructor(path: string | URL, options: ArrowSinkOptions = {}) {
    const sink = { type: 'arrow', call: 'new ArrowSink', declaredAt: captureSourceLocation(ArrowSink) } as const;
    refuseAppend(sink, options);
    this.#spec = checkOutput(sink, path, options, SETTINGS);
  }

  /** What the compiler needs to know of it. Nothing is opened. */
  describe(): NativeSink {
    return { form: 'native', spec: this.#spec };
  }
}
