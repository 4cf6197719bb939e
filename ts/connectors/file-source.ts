import { captureSourceLocation } from '../common/source-location.ts';
import type { Source } from '../transformations/connector.ts';
import type { NativeSource, NativeSourceSpec } from '../transformations/source-descriptor.ts';
import { checkColumns, checkPath } from './connector-arguments.ts';

/** Options of sources with named columns. */
export interface ColumnOptions<T> {
  /** The fields to read; the others are skipped while parsing. All when left away. */
  readonly columns?: readonly (keyof T & string)[];
}

/**
 * A file, read and parsed in the core off the main thread. Several instances share it: text by byte ranges, Parquet by
 * row groups.
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

  private constructor(spec: NativeSourceSpec) {
    this.#spec = spec;
  }

  /** One record for each line of JSON. `T` is what you say it is: lines are parsed, not checked against it. */
  static jsonLines<T = unknown>(path: string | URL, options: ColumnOptions<T> = {}): FileSource<T> {
    const declaredAt = captureSourceLocation(FileSource.jsonLines);
    const checked = checkPath(path, 'FileSource.jsonLines', declaredAt);
    const columns = checkColumns(options.columns, 'FileSource.jsonLines', declaredAt);
    return new FileSource(columns === undefined ? { type: 'jsonLines', path: checked } : { type: 'jsonLines', path: checked, columns });
  }

  /** One record for each line, without its line end (`\n` or `\r\n`). UTF-8. */
  static textLines(path: string | URL): FileSource<string> {
    const declaredAt = captureSourceLocation(FileSource.textLines);
    return new FileSource({ type: 'textLines', path: checkPath(path, 'FileSource.textLines', declaredAt) });
  }

  /** One record for each row of a Parquet file. */
  static parquet<T = unknown>(path: string | URL, options: ColumnOptions<T> = {}): FileSource<T> {
    const declaredAt = captureSourceLocation(FileSource.parquet);
    const checked = checkPath(path, 'FileSource.parquet', declaredAt);
    const columns = checkColumns(options.columns, 'FileSource.parquet', declaredAt);
    return new FileSource(columns === undefined ? { type: 'parquet', path: checked } : { type: 'parquet', path: checked, columns });
  }

  /** What the compiler needs to know of it. Nothing is opened. */
  describe(): NativeSource {
    return { form: 'native', spec: this.#spec, bounded: true, splittable: true };
  }
}
