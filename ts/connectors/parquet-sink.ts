import { captureSourceLocation } from '../common/source-location.ts';
import type { Sink } from '../transformations/connector.ts';
import type { NativeSink, NativeSinkSpec } from '../transformations/sink-descriptor.ts';
import { type AllowedSetting, checkPath, checkSettings, FLAG, oneOf, WHOLE_NUMBER } from './connector-arguments.ts';

/** Types of columns that a file can be told to have; with `?` a column may be null. */
export type ParquetColumnType = `${'f64' | 'i32' | 'bool' | 'str' | 'date' | 'json'}${'' | '?'}`;

/** Types of fields by their names; an object declares the fields of an object. */
export interface ParquetSchema {
  readonly [field: string]: ParquetColumnType | ParquetSchema;
}

/** Options of a `ParquetSink`. */
export interface ParquetSinkOptions {
  /** Create the folder, with its parents, if it is not there; otherwise that is an error. */
  readonly mkdir?: boolean;
  /** What happens to a string with an unpaired surrogate, which UTF-8 cannot hold: an error (when left away), or U+FFFD in its place. */
  readonly invalidStrings?: 'error' | 'replace';
  /** Columns that the first 16,384 records do not have, or have with a narrower type. Those records decide all others. */
  readonly schema?: ParquetSchema;
  /** Of the pages; `zstd` when left away. */
  readonly compression?: 'zstd' | 'snappy' | 'none';
  /** Rows of a row group, which is what parallel readers share; 262,144 when left away. */
  readonly rowGroupRows?: number;
}

/** Deeper than any record should be; an object that contains itself is. */
const MAX_SCHEMA_DEPTH = 64;

function isSchema(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || depth > MAX_SCHEMA_DEPTH) return false;
  return Object.values(value).every((type) => (typeof type === 'string' ? /^(f64|i32|bool|str|date|json)\??$/.test(type) : isSchema(type, depth + 1)));
}

const SCHEMA: AllowedSetting = {
  accepts: isSchema,
  expected: "an object of column types, such as { note: 'str?', place: { x: 'f64?' } }; types are f64, i32, bool, str, date and json",
};
const SETTINGS: Readonly<Record<keyof ParquetSinkOptions, AllowedSetting>> = {
  mkdir: FLAG,
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
    const declaredAt = captureSourceLocation(ParquetSink);
    const call = 'new ParquetSink';
    this.#spec = { type: 'parquet', path: checkPath(path, call, declaredAt), ...checkSettings(options, SETTINGS, call, declaredAt) };
  }

  /** What the compiler needs to know of it. Nothing is opened. */
  describe(): NativeSink {
    return { form: 'native', spec: this.#spec };
  }
}
