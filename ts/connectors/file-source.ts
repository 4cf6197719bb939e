import { captureSourceLocation, type SourceLocation } from '../common/source-location.ts';
import type { SchemaInput, SchemaOutput, StandardSchema } from '../common/standard-schema.ts';
import type { Source } from '../transformations/connector.ts';
import { isStandardInput, type NativeSource, type NativeSourceSpec } from '../transformations/source-descriptor.ts';
import type { SourceTimestamps } from '../transformations/source-descriptor.ts';
import { type AllowedSetting, checkSettings, COLUMN_NAMES, LINE_BYTES, oneOf, SCHEMA } from './connector-arguments.ts';
import { TIMESTAMPS, type TimestampsOption, toSourceTimestamps } from './source-timestamps.ts';
import { CSV_SETTINGS, checkSeparators, type CsvOptions } from './csv-options.ts';
import { FILE_SET, type FilePath, type FileSetOptions, fileSetSpec, STREAM, type FileStreamOptions } from './file-set.ts';
import { JSON_SETTINGS, type JsonOptions, pathTo } from './json-options.ts';

/** Options of sources with named columns. */
export interface ColumnOptions<T> extends TimestampsOption {
  /** The fields to read; the others are skipped while parsing. All when left away. */
  readonly columns?: readonly (keyof T & string)[];
}

/** Options of sources of lines. */
export interface LineOptions extends FileStreamOptions {
  /** What happens to bytes that are not UTF-8: an error (when left away), or U+FFFD in their place. */
  readonly invalidUtf8?: 'error' | 'replace';
  /** A longer line is an error; 256 MiB when left away, 1 GiB at most. */
  readonly maxLineBytes?: number;
}

/** A schema that each record has to match. */
export interface SchemaOption<S extends StandardSchema> {
  /** A schema of zod, valibot, arktype, or another library with Standard Schema. Its output is the record. */
  readonly schema: S;
}

/** Options of `FileSource.jsonLines`. */
export interface JsonLinesOptions<T> extends ColumnOptions<T>, LineOptions {}

/** Options of sources of typed columns. */
export interface TypedColumnOptions<T> extends ColumnOptions<T>, FileSetOptions {
  /** Whole numbers of 64 bits: numbers, where one beyond 2^53 is an error (`exact`, when left away), the nearest numbers, or digits as strings. */
  readonly int64?: 'exact' | 'f64' | 'string';
  /** Decimals: numbers up to 15 digits and strings beyond (`auto`, when left away), always the nearest numbers, or always strings. */
  readonly decimal?: 'auto' | 'f64' | 'string';
  /** Bytes that are not marked as text: an error (when left away), base64, or text in UTF-8. */
  readonly binary?: 'error' | 'base64' | 'utf8';
}

/** Options of `FileSource.parquet`. */
export interface ParquetOptions<T> extends TypedColumnOptions<T> {}

/** Options of `FileSource.arrow`. */
export interface ArrowOptions<T> extends TypedColumnOptions<T> {}

const LINES: Readonly<Record<keyof LineOptions, AllowedSetting>> = { ...STREAM, invalidUtf8: oneOf('error', 'replace'), maxLineBytes: LINE_BYTES };
const TYPED_COLUMNS: Readonly<Record<keyof TypedColumnOptions<unknown>, AllowedSetting>> = {
  ...FILE_SET,
  columns: COLUMN_NAMES,
  timestamps: TIMESTAMPS,
  int64: oneOf('exact', 'f64', 'string'),
  decimal: oneOf('auto', 'f64', 'string'),
  binary: oneOf('error', 'base64', 'utf8'),
};

/**
 * Files, read and parsed in the core off the main thread.
 *
 * A path is a file, a directory (all files in it, at any depth), a pattern (`*`, `?`, `[a-z]`, `{a,b}`, `**` for any number
 * of directories), an array of these, or `'-'` for the standard input. A path that exists is taken literally, whatever
 * characters it has. Files are listed once, when the job starts, in the order of their paths; hidden ones (names that begin
 * with `.` or `_`) and temporary ones (`.tmp` at the end) are left out where the pattern does not name them. A pattern
 * without a file is `SAGE_IO_NOT_FOUND`.
 *
 * Several instances share the files by their bytes: text by byte ranges, Parquet by row groups, compressed text and JSON documents by
 * whole files. Text that is compressed by gzip or zstd is unpacked while reading.
 *
 * ```ts
 * env
 *   .fromSource(FileSource.jsonLines<{ id: number; price: number }>('orders.jsonl'))
 *   .filter((order) => order.price > 100)
 *   .print();
 * ```
 *
 * ```ts
 * env.fromSource(FileSource.textLines(['poem.txt', 'logs/*.jsonl'])).print();
 * ```
 */
export class FileSource<out T> implements Source<T> {
  /** Only for the type; never set. */
  declare readonly record?: T;
  readonly #spec: NativeSourceSpec;
  readonly #schema: StandardSchema | undefined;
  readonly #timestamps: SourceTimestamps | undefined;

  private constructor(
    type: NativeSourceSpec['type'],
    path: unknown,
    options: object,
    allowed: Readonly<Record<string, AllowedSetting>>,
    declaredAt: SourceLocation,
  ) {
    const call = `FileSource.${type}`;
    const checked: Partial<FileSetOptions & Record<string, unknown>> & { schema?: unknown } = checkSettings(options, { ...allowed, schema: SCHEMA }, call, declaredAt);
    const { schema, watch, timestamps, ...settings } = checked;
    const at = settings['at'] === undefined ? {} : { at: pathTo(settings['at'] as string) };
    this.#spec = { type, ...fileSetSpec(path, { watch, isStream: 'compression' in allowed }, call, declaredAt), ...settings, ...at };
    this.#schema = schema as StandardSchema | undefined;
    this.#timestamps = timestamps === undefined ? undefined : toSourceTimestamps(timestamps, { call, hasSchema: schema !== undefined, columns: settings['columns'] as readonly string[] | undefined }, declaredAt);
  }

  /** One record for each line of JSON. `T` is what you say it is: lines are checked only against a `schema`, whose output is the record. */
  static jsonLines<S extends StandardSchema>(path: FilePath, options: JsonLinesOptions<SchemaInput<S>> & SchemaOption<S>): FileSource<SchemaOutput<S>>;
  static jsonLines<T = unknown>(path: FilePath, options?: JsonLinesOptions<T>): FileSource<T>;
  static jsonLines(path: FilePath, options: JsonLinesOptions<never> = {}): FileSource<unknown> {
    return new FileSource('jsonLines', path, options, { columns: COLUMN_NAMES, timestamps: TIMESTAMPS, ...LINES }, captureSourceLocation(FileSource.jsonLines));
  }

  /** One record for each line, without its line end (`\n` or `\r\n`). UTF-8. */
  static textLines<S extends StandardSchema>(path: FilePath, options: LineOptions & SchemaOption<S>): FileSource<SchemaOutput<S>>;
  static textLines(path: FilePath, options?: LineOptions): FileSource<string>;
  static textLines(path: FilePath, options: LineOptions = {}): FileSource<unknown> {
    return new FileSource('textLines', path, options, LINES, captureSourceLocation(FileSource.textLines));
  }

  /**
   * One record for each record of CSV files, with a field for each column: a number, boolean or string as the first records of its
   * file suggest, or what `types` says. Each file has a header of its own. With a `schema`, what that makes of it.
   *
   * ```ts
   * env
   *   .fromSource(FileSource.csv<{ id: number; name: string }>('stock.csv', { types: { id: 'number', name: 'string' }, onError: 'skip' }))
   *   .filter((item) => item.id > 100)
   *   .print();
   * ```
   */
  static csv<S extends StandardSchema>(path: FilePath, options: CsvOptions<SchemaInput<S>> & SchemaOption<S>): FileSource<SchemaOutput<S>>;
  static csv<T = Record<string, unknown>>(path: FilePath, options?: CsvOptions<T>): FileSource<T>;
  static csv(path: FilePath, options: CsvOptions<never> = {}): FileSource<unknown> {
    const declaredAt = captureSourceLocation(FileSource.csv);
    const source = new FileSource<unknown>('csv', path, options, CSV_SETTINGS, declaredAt);
    checkSeparators(options, 'FileSource.csv', declaredAt);
    return source;
  }

  /**
   * One record for each element of the array that a JSON document is, or that `at` leads to in it; a document, or value, that is no
   * array is one record. The array may be larger than memory. Several documents may follow one another in a file. With a
   * `schema`, what that makes of each record.
   */
  static json<S extends StandardSchema>(path: FilePath, options: JsonOptions<SchemaInput<S>> & SchemaOption<S>): FileSource<SchemaOutput<S>>;
  static json<T = unknown>(path: FilePath, options?: JsonOptions<T>): FileSource<T>;
  static json(path: FilePath, options: JsonOptions<never> = {}): FileSource<unknown> {
    return new FileSource('json', path, options, JSON_SETTINGS, captureSourceLocation(FileSource.json));
  }

  /** One record for each row of Parquet files; with a `schema`, what that makes of it. Not from the standard input: a Parquet file is read from its end. */
  static parquet<S extends StandardSchema>(path: FilePath, options: ParquetOptions<SchemaInput<S>> & SchemaOption<S>): FileSource<SchemaOutput<S>>;
  static parquet<T = unknown>(path: FilePath, options?: ParquetOptions<T>): FileSource<T>;
  static parquet(path: FilePath, options: ParquetOptions<never> = {}): FileSource<unknown> {
    return new FileSource('parquet', path, options, TYPED_COLUMNS, captureSourceLocation(FileSource.parquet));
  }

  /**
   * One record for each row of files or streams of Arrow IPC (`.arrow`, `.arrows`, Feather 2), with the types that `parquet` gives.
   * Instances share the record batches of a file; a stream is read by one.
   */
  static arrow<S extends StandardSchema>(path: FilePath, options: ArrowOptions<SchemaInput<S>> & SchemaOption<S>): FileSource<SchemaOutput<S>>;
  static arrow<T = unknown>(path: FilePath, options?: ArrowOptions<T>): FileSource<T>;
  static arrow(path: FilePath, options: ArrowOptions<never> = {}): FileSource<unknown> {
    return new FileSource('arrow', path, options, TYPED_COLUMNS, captureSourceLocation(FileSource.arrow));
  }

  /** What the compiler needs to know of it. Nothing is opened. */
  describe(): NativeSource {
    const { type, path, watch } = this.#spec;
    const schema = this.#schema === undefined ? {} : { schema: this.#schema };
    return { form: 'native', spec: this.#spec, bounded: watch === undefined, splittable: type === 'json' ? mayBeMany(path) : !isStandardInput(path), ...schema, ...(this.#timestamps === undefined ? {} : { timestamps: this.#timestamps }) };
  }
}

/** Whether a path names several files, as far as it can be known without looking: a document is read by one instance. */
function mayBeMany(path: NativeSourceSpec['path']): boolean {
  return typeof path !== 'string' || path.endsWith('/') || /[*?[{]/.test(path);
}
