import { captureSourceLocation } from '../common/source-location.ts';
import type { Sink } from '../transformations/connector.ts';
import type { NativeSink, NativeSinkSpec } from '../transformations/sink-descriptor.ts';
import { checkPath, checkSettings, FLAG } from './connector-arguments.ts';

/** Options of a `JsonSink`. */
export interface JsonSinkOptions {
  /** Create the folder, with its parents, if it is not there; otherwise that is an error. */
  readonly mkdir?: boolean;
}

/**
 * Writes all records as one JSON array, each on a line of its own. Without records it is `[]`.
 *
 * It writes to a temporary name and renames at the end, so that the path never holds half a result. A directory (ending
 * in `/`), or `{part}` in the path, is a part for each instance, each an array.
 */
export class JsonSink<in T = unknown> implements Sink<T> {
  /** Only for the type; never set. */
  declare readonly accepts?: (record: T) => void;
  readonly #spec: NativeSinkSpec;

  constructor(path: string | URL, options: JsonSinkOptions = {}) {
    const declaredAt = captureSourceLocation(JsonSink);
    const call = 'new JsonSink';
    this.#spec = { type: 'json', path: checkPath(path, call, declaredAt), ...checkSettings(options, { mkdir: FLAG }, call, declaredAt) };
  }

  /** What the compiler needs to know of it. Nothing is opened. */
  describe(): NativeSink {
    return { form: 'native', spec: this.#spec };
  }
}
