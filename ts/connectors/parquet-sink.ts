import { captureSourceLocation } from '../common/source-location.ts';
import type { Sink } from '../transformations/connector.ts';
import type { NativeSink, NativeSinkSpec } from '../transformations/sink-descriptor.ts';
import { type ColumnSchema, refuseAppend, SCHEMA } from './column-schema.ts';
import { type AllowedSetting, oneOf, WHOLE_NUMBER } from './connector-arguments.ts';
import { checkOutput, OUTPUT_SETTINGS, type OutputOptions, PARTITION_SETTINGS, type PartitionOptions } from './output-options.ts';

/** Options of a `ParquetSink`. */
export interface ParquetSinkOptions extends OutputOptions, PartitionOptions {
  /** What happens to a string with an unpaired surrogate, which UTF-8 cannot hold: an error (when left away), or U+FFFD in its place. */
  readonly invalidStrings?: 'error' | 'replace';
  /** Columns that the first 16,384 records do not have, or have with a narrower type. Those records decide all others. */
  readonly schema?: ColumnSchema;
  /** Of the pages; `zstd` when left away. */
  readonly compression?: 'zstd' | 'snappy' | 'none';
  /** Rows of a row group, which is what parallel readers share; 262,144 when left away. */
  readonly rowGroupRows?: number;
}

const SETTINGS: Readonly<Record<keyof ParquetSinkOptions, AllowedSetting>> = {
  ...OUTPUT_SETTINGS,
  ...PARTITION_SETTINGS,
  invalidStrings: oneOf('error', 'replace'),
  schema: SCHEMA,
  compression: oneOf('zstd', 'snappy', 'none'),
  rowGroupRows: WHOLE_NUMBER,
};

/**
 * Writes records, objects of one shape, as the rows of a Parquet file.
 *
 * It writes to a temporary name and renames at the end, so that the path never holds half a result. A directory (ending
 * in `/`), or `{part}` in the path, is a part for each instance.
 */
export class ParquetSink<in T extends object = object> implements Sink<T> {
  /** Only for the type; never set. */
  declare readonly accepts?: (record: T) => void;
  readonly #spec: NativeSinkSpec;

  constructor(path: string | URL, options: ParquetSinkOptions = {}) {
    const sink = { type: 'parquet', call: 'new ParquetSink', declaredAt: captureSourceLocation(ParquetSink) } as const;
    refuseAppend(sink, options);
    this.#spec = checkOutput(sink, path, options, SETTINGS);
  }

  /** What the compiler needs to know of it. Nothing is opened. */
  describe(): NativeSink {
    return { form: 'native', spec: this.#spec };
  }
}
