import { captureSourceLocation } from '../common/source-location.ts';
import type { Sink } from '../transformations/connector.ts';
import type { NativeSink, NativeSinkSpec } from '../transformations/sink-descriptor.ts';
import { checkLineOutput, LINE_OUTPUT_SETTINGS, type LineOutputOptions } from './line-output-options.ts';
import { OUTPUT_SETTINGS, PARTITION_SETTINGS, type PartitionOptions } from './output-options.ts';

/** Options of a `JsonLinesSink`. */
export interface JsonLinesSinkOptions extends LineOutputOptions, PartitionOptions {}

const SETTINGS = { ...OUTPUT_SETTINGS, ...PARTITION_SETTINGS, ...LINE_OUTPUT_SETTINGS };

/**
 * Writes each record as one line of JSON.
 *
 * It writes to a temporary name and renames at the end, so that the path never holds half a result. A directory (ending
 * in `/`), or `{part}` in the path, is a part for each instance; `-` is standard output.
 *
 * ```ts
 * const orders = [{ id: 1, country: 'NL', price: 10 }, { id: 2, country: 'DE', price: 25 }];
 * env
 *   .fromCollection(orders)
 *   .sink(new JsonLinesSink('orders.jsonl.gz'))
 *   .sink(new JsonLinesSink('by-country/', { partitionBy: ['country'], mkdir: true }));
 * ```
 */
export class JsonLinesSink<in T = unknown> implements Sink<T> {
  /** Only for the type; never set. */
  declare readonly accepts?: (record: T) => void;
  readonly #spec: NativeSinkSpec;

  constructor(path: string | URL, options: JsonLinesSinkOptions = {}) {
    const declaredAt = captureSourceLocation(JsonLinesSink);
    this.#spec = checkLineOutput({ type: 'jsonLines', call: 'new JsonLinesSink', declaredAt }, path, options, SETTINGS);
  }

  /** What the compiler needs to know of it. Nothing is opened. */
  describe(): NativeSink {
    return { form: 'native', spec: this.#spec };
  }
}
