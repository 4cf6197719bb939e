import { captureSourceLocation } from '../common/source-location.ts';
import type { Sink } from '../transformations/connector.ts';
import type { NativeSink } from '../transformations/sink-descriptor.ts';
import { checkPath } from './connector-arguments.ts';

/**
 * Writes each record as one line of JSON.
 *
 * It writes to a temporary name and renames at the end, so that the path never holds half a result. A directory (ending
 * in `/`), or `{part}` in the path, is a part for each instance.
 */
export class JsonLinesSink<in T = unknown> implements Sink<T> {
  /** Only for the type; never set. */
  declare readonly accepts?: (record: T) => void;
  readonly #path: string;

  constructor(path: string | URL) {
    this.#path = checkPath(path, 'new JsonLinesSink', captureSourceLocation(JsonLinesSink));
  }

  /** What the compiler needs to know of it. Nothing is opened. */
  describe(): NativeSink {
    return { form: 'native', spec: { type: 'jsonLines', path: this.#path } };
  }
}
