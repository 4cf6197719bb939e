import { type AllowedSetting, COLUMN_NAMES, LINE_BYTES } from './connector-arguments.ts';
import { type FileStreamOptions, STREAM } from './file-set.ts';
import { TIMESTAMPS, type TimestampsOption } from './source-timestamps.ts';

/** Options of `FileSource.json`. */
export interface JsonOptions<T> extends FileStreamOptions, TimestampsOption {
  /**
   * Where in the document the records are: `'result.rows'`, or as a JSON pointer, `'/result/rows'`. When left away the document is
   * the array of records, or the record.
   */
  readonly at?: string;
  /** The fields to read; the others are skipped while parsing. All when left away. */
  readonly columns?: readonly (keyof T & string)[];
  /** A longer record is an error; 256 MiB when left away, 1 GiB at most. */
  readonly maxRecordBytes?: number;
}

/** A JSON pointer begins with a slash, in which `~` is written `~0` and `/` is `~1` (RFC 6901). */
function isPlace(value: unknown): boolean {
  if (typeof value !== 'string' || !value.isWellFormed()) return false;
  if (value.startsWith('/')) return !/~(?![01])/.test(value);
  return value !== '' && value.split('.').every((name) => name !== '');
}

/** What the options of `FileSource.json` may be. */
export const JSON_SETTINGS: Readonly<Record<keyof JsonOptions<unknown>, AllowedSetting>> = {
  ...STREAM,
  at: { accepts: isPlace, expected: "field names with points between them, such as 'result.rows', or a JSON pointer, such as '/result/rows'" },
  columns: COLUMN_NAMES,
  timestamps: TIMESTAMPS,
  maxRecordBytes: LINE_BYTES,
};

/** The names on the way to the records, of an `at` that was checked. */
export function pathTo(at: string): readonly string[] {
  if (!at.startsWith('/')) return at.split('.');
  return at
    .slice(1)
    .split('/')
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
}
