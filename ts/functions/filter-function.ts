import { BaseFunction } from './base-function.ts';

/**
 * A filter with state, constructor arguments, or `open` and `close`.
 *
 * ```ts
 * class FirstOnes extends FilterFunction<string> {
 *   #seen = 0;
 *   execute() {
 *     return ++this.#seen <= 2;
 *   }
 * }
 * env.fromCollection(['a', 'b', 'c']).filter(FirstOnes).print();
 * ```
 */
export abstract class FilterFunction<In> extends BaseFunction {
  /** The record passes when the result is truthy. May be async. */
  abstract execute(record: In): unknown;
}
