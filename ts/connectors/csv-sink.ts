import { planError } from '../common/errors.ts';
import { captureSourceLocation } from '../common/source-location.ts';
import type { Sink } from '../transformations/connector.ts';
import type { NativeSink, NativeSinkSpec } from '../transformations/sink-descriptor.ts';
import { type AllowedSetting, COLUMN_NAMES, FLAG, oneOf } from './connector-arguments.ts';
import { checkSeparators, SEPARATOR } from './csv-options.ts';
import { checkLineOutput, LINE_OUTPUT_SETTINGS, type LineOutputOptions } from './line-output-options.ts';
import { OUTPUT_SETTINGS, PARTITION_SETTINGS, type PartitionOptions } from './output-options.ts';

/** Options of a `CsvSink`. */
export interface CsvSinkOptions extends LineOutputOptions, PartitionOptions {
  /** What happens to a string with an unpaired surrogate, which UTF-8 cannot hold: an error (when left away), or U+FFFD in its place. */
  readonly invalidStrings?: 'error' | 'replace';
  /** Whether the names of the columns are the first line; `true` when left away. With `append` a file that has something has its own already. */
  readonly header?: boolean;
  /** The fields to write, in this order; other fields are left out. When left away: those of the first record, or of the file to append to, and a record with any other is an error. */
  readonly columns?: readonly string[];
  /** Between cells, one ASCII character; a comma when left away. */
  readonly delimiter?: string;
  /** Cells in quotes: those that could not be read without (`needed`, when left away), or all that are not null (`always`). */
  readonly quote?: 'needed' | 'always';
  /** The line end; `\n` when left away. */
  readonly eol?: '\n' | '\r\n';
  /** What stands for `null`, `undefined` and missing fields; nothing when left away. A string of the same text is put in quotes. */
  readonly nullText?: string;
  /** Begin with a byte order mark, for which some spreadsheets ask. */
  readonly bom?: boolean;
}

const NULL_TEXT: AllowedSetting = {
  accepts: (value) => typeof value === 'string' && value.isWellFormed() && !/["\r\n]/.test(value),
  expected: 'a text without quotes and line ends',
};
const SETTINGS: Readonly<Record<keyof CsvSinkOptions, AllowedSetting>> = {
  ...OUTPUT_SETTINGS,
  ...PARTITION_SETTINGS,
  ...LINE_OUTPUT_SETTINGS,
  invalidStrings: oneOf('error', 'replace'),
  header: FLAG,
  columns: COLUMN_NAMES,
  delimiter: SEPARATOR,
  quote: oneOf('needed', 'always'),
  eol: { accepts: (value) => value === '\n' || value === '\r\n', expected: "'\\n' or '\\r\\n'" },
  nullText: NULL_TEXT,
  bom: FLAG,
};

/**
 * Writes records, objects of one shape, as the lines of a CSV file (RFC 4180): dates as ISO 8601, nested values as JSON.
 *
 * It writes to a temporary name and renames at the end, so that the path never holds half a result. A directory (ending
 * in `/`), or `{part}` in the path, is a part for each instance, each with its header; `-` is standard output.
 *
 * ```ts
 * const env = new LocalEnvironment('stock');
 * env.fromCollection([{ id: 7, name: 'lamp, red' }]).sink(new CsvSink('stock.csv'));
 * await env.submit({ autostop: true });
 * ```
 */
export class CsvSink<in T extends object = object> implements Sink<T> {
  /** Only for the type; never set. */
  declare readonly accepts?: (record: T) => void;
  readonly #spec: NativeSinkSpec;

  constructor(path: string | URL, options: CsvSinkOptions = {}) {
    const declaredAt = captureSourceLocation(CsvSink);
    this.#spec = checkLineOutput({ type: 'csv', call: 'new CsvSink', declaredAt }, path, options, SETTINGS);
    checkSeparators({ delimiter: options.delimiter }, 'new CsvSink', declaredAt);
    const { delimiter = ',', nullText = '' } = options;
    if (nullText.includes(delimiter)) {
      throw planError('SAGE_PLAN_ARGUMENT', {
        message: `nullText of new CsvSink is ${JSON.stringify(nullText)}, which has its delimiter`,
        expected: 'a text without delimiters, quotes and line ends',
        found: JSON.stringify(nullText),
        fix: 'Give nullText or delimiter another value.',
        declaredAt,
      });
    }
  }

  /** What the compiler needs to know of it. Nothing is opened. */
  describe(): NativeSink {
    return { form: 'native', spec: this.#spec };
  }
}
