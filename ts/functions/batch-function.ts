import { BaseFunction } from './base-function.ts';

/**
 * A finite source that is asked for one record after another.
 *
 * ```ts
 * class Countdown extends BatchFunction<number> {
 *   #left: number;
 *   constructor(from: number) {
 *     super();
 *     this.#left = from;
 *   }
 *   execute() {
 *     return this.#left > 0 ? this.#left-- : null;
 *   }
 * }
 * env.fromBatch(Countdown, 3).print();
 * ```
 */
export abstract class BatchFunction<Out> extends BaseFunction {
  /** The next record; `null` or `undefined` is the end. May be async. */
  abstract execute(): Out | null | undefined | Promise<Out | null | undefined>;
}
