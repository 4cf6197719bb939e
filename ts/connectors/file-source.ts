import { captureSourceLocation, type SourceLocation } from '../common/source-location.ts';
import type { Source } from '../transformations/connector.ts';
import type { NativeSource, NativeSourceSpec } from '../transformations/source-descriptor.ts';
import { type AllowedSetting, checkPath, checkSettings, COLUMN_NAMES, LINE_BYTES, oneOf } from './connector-arguments.ts';
import { CSV_SETTINGS, type CsvOptions } from './csv-options.ts';
import { JSON_SETTINGS, type JsonOptions, pathTo } from './json-options.ts';

/** Options of sources with named columns. */
export interface ColumnOptions<T> {
  /** The fields to read; the others are skipped while parsing. All when left away. */
  readonly columns?: readonly (keyof T & string)[];
}

/** Options of sources of lines. */
export interface LineOptions {
  /** What happens to bytes that are not UTF-8: an error (when left away), or U+FFFD in their place. */
  readonly invalidUtf8?: 'error' | 'replace';
  /** A longer line is an error; 256 MiB when left away, 1 GiB at most. */
  readonly maxLineBytes?: number;
}

/** Options of `FileSource.jsonLines`. */
export interface JsonLinesOptions<T> extends ColumnOptions<T>, LineOptions {}

/** Options of `FileSource.parquet`. */
export interface ParquetOptions<T> extends ColumnOptions<T> {
  /** Whole numbers of 64 bits: numbers, where one beyond 2^53 is an error (`exact`, when left away), the nearest numbers, or digits as strings. */
  readonly int64?: 'exact' | 'f64' | 'string';
  /** Decimals: numbers up to 15 digits and strings beyond (`auto`, when left away), always the nearest numbers, or always strings. */
  readonly decimal?: 'auto' | 'f64' | 'string';
  /** Bytes that are not marked as text: an error (when left away), base64, or text in UTF-8. */
  readonly binary?: 'error' | 'base64' | 'utf8';
}

const LINES: Readonly<Record<keyof LineOptions, AllowedSetting>> = { invalidUtf8: oneOf('error', 'replace'), maxLineBytes: LINE_BYTES };
const PARQUET: Readonly<Record<keyof ParquetOptions<unknown>, AllowedSetting>> = {
  columns: COLUMN_NAMES,
  int64: oneOf('exact', 'f64', 'string'),
  decimal: oneOf('auto', 'f64', 'string'),
  binary: oneOf('error', 'base64', 'utf8'),
};

/**
 * A file, read and parsed in the core off the main thread. Several instances share it: text by byte ranges, Parquet by
 * row groups. A JSON document is read by one.
 *
 * ```ts
 * env
 *   .fromSource(FileSource.jsonLines<{ id: number; price: number }>('orders.jsonl'))
 *   .filter((order) => order.price > 100)
 *   .print();
 * ```
 */
export class FileSource<out T> implements Source<T> {
  /** Only for the type; never set. */
  declare readonly record?: T;
  readonly #spec: NativeSourceSpec;

  private constructor(
    type: NativeSourceSpec['type'],
    path: unknown,
    options: object,
    allowed: Readonly<Record<string, AllowedSetting>>,
    declaredAt: SourceLocation,
  ) {
    const call = `FileSource.${type}`;
    const settings: { readonly at?: unknown } = checkSettings(options, allowed, call, declaredAt);
    const at = settings.at === undefined ? {} : { at: pathTo(settings.at as string) };
    this.#spec = { type, path: checkPath(path, call, declaredAt), ...settings, ...at };
  }

  /** One record for each line of JSON. `T` is what you say it is: lines are parsed, not checked against it. */
  static jsonLines<T = unknown>(path: string | URL, options: JsonLinesOptions<T> = {}): FileSource<T> {
    return new FileSource('jsonLines', path, options, { columns: COLUMN_NAMES, ...LINES }, captureSourceLocation(FileSource.jsonLines));
  }

  /** One record for each line, without its line end (`\n` or `\r\n`). UTF-8. */
  static textLines(path: string | URL, options: LineOptions = {}): FileSource<string> {
    return new FileSource('textLines', path, options, LINES, captureSourceLocation(FileSource.textLines));
  }

  /**
   * One record for each record of a CSV file, with a field for each column: a number, boolean or string as the first records
   * suggest, or what `types` says.
   *
   * ```ts
   * env
   *   .fromSource(FileSource.csv<{ id: number; name: string }>('stock.csv', { types: { id: 'number', name: 'string' }, onError: 'skip' }))
   *   .filter((item) => item.id > 100)
   *   .print();
   * ```
   */
  static csv<T = Record<string, unknown>>(path: string | URL, options: CsvOptions<T> = {}): FileSource<T> {
    return new FileSource('csv', path, options, CSV_SETTINGS, captureSourceLocation(FileSource.csv));
  }

  /**
   * One record for each element of the array that a JSON document is, or that `at` leads to in it; a document, or value, that is no
   * array is one record. The array may be larger than memory. Several documents may follow one another.
   */
  static json<T = unknown>(path: string | URL, options: JsonOptions<T> = {}): FileSource<T> {
    return new FileSource('json', path, options, JSON_SETTINGS, captureSourceLocation(FileSource.json));
  }

  /** One record for each row of a Parquet file. */
  static parquet<T = unknown>(path: string | URL, options: ParquetOptions<T> = {}): FileSource<T> {
    return new FileSource('parquet', path, options, PARQUET, captureSourceLocation(FileSource.parquet));
  }

  /** What the compiler needs to know of it. Nothing is opened. */
  describe(): NativeSource {
    return { form: 'native', spec: this.#spec, bounded: true, splittable: this.#spec.type !== 'json' };
  }
}
