import { planError } from '../common/errors.ts';
import type { SourceLocation } from '../common/source-location.ts';
import { type AllowedSetting, COLUMN_NAMES, FLAG, LINE_BYTES, oneOf, WHOLE_NUMBER } from './connector-arguments.ts';
import { type FileStreamOptions, STREAM } from './file-set.ts';
import { TIMESTAMPS, type TimestampsOption } from './source-timestamps.ts';

/** What the cells of a CSV column become. */
export type CsvColumnType = 'string' | 'number' | 'boolean' | 'date' | 'json';

/** Options of `FileSource.csv`. */
export interface CsvOptions<T> extends FileStreamOptions, TimestampsOption {
  /** The columns to read; the others are skipped while parsing. All when left away. */
  readonly columns?: readonly (keyof T & string)[];
  /**
   * Where names of columns come from: the first record (`true`, when left away); nowhere (`false`), then they are `column0`,
   * `column1` and so on; or these names, for a file without a header.
   */
  readonly header?: boolean | readonly string[];
  /** Lines at the beginning of the file that are no part of the table; 0 when left away. */
  readonly skipLines?: number;
  /** Between cells, one ASCII character; a comma when left away. */
  readonly delimiter?: string;
  /** Around cells that hold delimiters, line ends or quotes, one ASCII character; `"` when left away. `false`: quotes are text. */
  readonly quote?: string | false;
  /** Before a quote inside quotes, one ASCII character; the quote itself when left away, so that it is doubled. */
  readonly escape?: string;
  /** At the start of lines to skip, one ASCII character. No line is a comment when left away. */
  readonly comment?: string;
  /** Cut spaces and tabs off around cells that are not in quotes, and around quotes. */
  readonly trim?: boolean;
  /**
   * What cells become. `'infer'` (when left away): numbers and booleans where all of the first records allow it, strings
   * otherwise. `'string'`: strings. An object gives types by column, and the others are inferred.
   */
  readonly types?: 'infer' | 'string' | { readonly [column in keyof T & string]?: CsvColumnType };
  /** Records that decide the types which are not given, within the first MiB; 1,000 when left away. */
  readonly inferRows?: number;
  /**
   * Texts that stand for `null`, in columns of strings only where they are not in quotes. When left away an empty cell is `null` in all
   * columns but those of strings, where it is `''`.
   */
  readonly nulls?: readonly string[];
  /** A record with too few or too many cells is bad (`exact`, when left away), or missing cells are `null` and surplus ones must be empty (`pad`). */
  readonly width?: 'exact' | 'pad';
  /** A record that cannot be read, or has a value that is none of its column's given type, ends the job (`fail`, when left away) or is left out and counted in `recordsSkipped` (`skip`). */
  readonly onError?: 'fail' | 'skip';
  /** What happens to bytes that are not UTF-8: the record is bad (`error`, when left away), or U+FFFD stands in their place. */
  readonly invalidUtf8?: 'error' | 'replace';
  /** A longer record is an error; 256 MiB when left away, 1 GiB at most. */
  readonly maxRecordBytes?: number;
}

const TYPES: readonly unknown[] = ['string', 'number', 'boolean', 'date', 'json'] satisfies CsvColumnType[];

/** One character that cannot be part of a number, a word or a line end. */
export const SEPARATOR: AllowedSetting = {
  accepts: (value) => typeof value === 'string' && /^[\t !-*,/:-@[-`{-~]$/.test(value),
  expected: "one ASCII character that is no letter, digit, sign, point or line end, such as ',' or '\\t'",
};

function isRecordOf(value: unknown, accepts: (field: unknown) => boolean): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(accepts);
}

/**
 * Refuses structure that cannot be told apart: each character has one meaning.
 *
 * @throws SageError SAGE_PLAN_ARGUMENT
 */
export function checkSeparators(options: unknown, call: string, declaredAt: SourceLocation): void {
  const { delimiter = ',', quote = '"', escape, comment } = options as CsvOptions<never>;
  const pairs: readonly (readonly [name: string, one: unknown, other: string, two: unknown])[] = [
    ['quote', quote, 'delimiter', delimiter],
    ['escape', escape, 'delimiter', delimiter],
    ['comment', comment, 'delimiter', delimiter],
    ['comment', comment, 'quote', quote],
  ];
  for (const [name, one, other, two] of pairs) {
    if (one === undefined || one !== two) continue;
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: `${name} and ${other} of ${call} are both ${JSON.stringify(one)}`,
      expected: `two different characters; when they are left away delimiter is ',' and quote is '"'`,
      found: JSON.stringify(one),
      fix: `Give ${name} or ${other} another character.`,
      declaredAt,
    });
  }
}

const TEXTS: AllowedSetting = {
  accepts: (value) => Array.isArray(value) && value.every((text) => typeof text === 'string' && text.isWellFormed()),
  expected: "an array of texts, such as ['', 'NA']",
};

/** What the options of `FileSource.csv` may be. */
export const CSV_SETTINGS: Readonly<Record<keyof CsvOptions<unknown>, AllowedSetting>> = {
  ...STREAM,
  columns: COLUMN_NAMES,
  timestamps: TIMESTAMPS,
  header: {
    accepts: (value) => FLAG.accepts(value) || COLUMN_NAMES.accepts(value),
    expected: "true, false, or the names of the columns, such as ['id', 'price']",
  },
  skipLines: { accepts: (value) => value === 0 || WHOLE_NUMBER.accepts(value), expected: 'a whole number from 0' },
  delimiter: SEPARATOR,
  quote: { accepts: (value) => value === false || SEPARATOR.accepts(value), expected: `false, or ${SEPARATOR.expected}` },
  escape: SEPARATOR,
  comment: SEPARATOR,
  trim: FLAG,
  types: {
    accepts: (value) => value === 'infer' || value === 'string' || isRecordOf(value, (type) => TYPES.includes(type)),
    expected: "'infer', 'string', or an object of types, such as { price: 'number', sold: 'date' }; types are string, number, boolean, date and json",
  },
  inferRows: WHOLE_NUMBER,
  nulls: TEXTS,
  width: oneOf('exact', 'pad'),
  onError: oneOf('fail', 'skip'),
  invalidUtf8: oneOf('error', 'replace'),
  maxRecordBytes: LINE_BYTES,
};
