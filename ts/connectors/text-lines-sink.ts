import { captureSourceLocation } from '../common/source-location.ts';
import type { Sink } from '../transformations/connector.ts';
import type { NativeSink, NativeSinkSpec } from '../transformations/sink-descriptor.ts';
import { oneOf } from './connector-arguments.ts';
import { checkLineOutput, LINE_OUTPUT_SETTINGS, type LineOutputOptions } from './line-output-options.ts';
import { OUTPUT_SETTINGS } from './output-options.ts';

/** Options of a `TextLinesSink`. */
export interface TextLinesSinkOptions extends LineOutputOptions {
  /** What happens to a string with an unpaired surrogate, which UTF-8 cannot hold: an error (when left away), or U+FFFD in its place. */
  readonly invalidStrings?: 'error' | 'replace';
}

const SETTINGS = { ...OUTPUT_SETTINGS, ...LINE_OUTPUT_SETTINGS, invalidStrings: oneOf('error', 'replace') };

/**
 * Writes each record, a string, as one line of UTF-8 text.
 *
 * It writes to a temporary name and renames at the end, so that the path never holds half a result. A directory (ending
 * in `/`), or `{part}` in the path, is a part for each instance; `-` is standard output.
 */
export class TextLinesSink implements Sink<string> {
  /** Only for the type; never set. */
  declare readonly accepts?: (record: string) => void;
  readonly #spec: NativeSinkSpec;

  constructor(path: string | URL, options: TextLinesSinkOptions = {}) {
    const declaredAt = captureSourceLocation(TextLinesSink);
    this.#spec = checkLineOutput({ type: 'textLines', call: 'new TextLinesSink', declaredAt }, path, options, SETTINGS);
  }

  /** What the compiler needs to know of it. Nothing is opened. */
  describe(): NativeSink {
    return { form: 'native', spec: this.#spec };
  }
}
