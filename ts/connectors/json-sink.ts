import { captureSourceLocation } from '../common/source-location.ts';
import type { Sink } from '../transformations/connector.ts';
import type { NativeSink, NativeSinkSpec } from '../transformations/sink-descriptor.ts';
import { checkLineOutput, LINE_OUTPUT_SETTINGS, type LineOutputOptions } from './line-output-options.ts';
import { OUTPUT_SETTINGS, PARTITION_SETTINGS, type PartitionOptions } from './output-options.ts';

/** Options of a `JsonSink`. */
export interface JsonSinkOptions extends Omit<LineOutputOptions, 'append'>, PartitionOptions {}

const SETTINGS = { ...OUTPUT_SETTINGS, ...PARTITION_SETTINGS, ...LINE_OUTPUT_SETTINGS };

/**
 * Writes all records as one JSON array, each on a line of its own. Without records it is `[]`.
 *
 * It writes to a temporary name and renames at the end, so that the path never holds half a result. A directory (ending
 * in `/`), or `{part}` in the path, is a part for each instance, each an array; `-` is standard output. Nothing can be
 * appended to an array: lines of JSON are for that.
 *
 * ```ts
 * env.fromCollection([{ id: 7, tags: ['red', 'blue'] }]).sink(new JsonSink('tags.json'));
 * ```
 */
export class JsonSink<in T = unknown> implements Sink<T> {
  /** Only for the type; never set. */
  declare readonly accepts?: (record: T) => void;
  readonly #spec: NativeSinkSpec;

  constructor(path: string | URL, options: JsonSinkOptions = {}) {
    const declaredAt = captureSourceLocation(JsonSink);
    this.#spec = checkLineOutput({ type: 'json', call: 'new JsonSink', declaredAt }, path, options, SETTINGS);
  }

  /** What the compiler needs to know of it. Nothing is opened. */
  describe(): NativeSink {
    return { form: 'native', spec: this.#spec };
  }
}
