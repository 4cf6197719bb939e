import { BaseFunction } from './base-function.ts';

/**
 * A key selector with constructor arguments, or `open` and `close`.
 *
 * ```ts
 * class Bucket extends KeyByFunction<number, number> {
 *   readonly #size: number;
 *   constructor(size: number) {
 *     super();
 *     this.#size = size;
 *   }
 *   execute(n: number) {
 *     return Math.floor(n / this.#size);
 *   }
 * }
 * env.fromCollection([1, 2, 11]).keyBy(Bucket, { args: [10] }).aggregate({ numbers: count() }).print();
 * ```
 */
export abstract class KeyByFunction<In, Key> extends BaseFunction {
  /** The key of a record: any value that can be compared by value, `null` and `undefined` too. May be async. */
  abstract execute(record: In): Key | Promise<Key>;
}
