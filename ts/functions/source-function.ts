import { BaseFunction } from './base-function.ts';

/** Returned by a source: there will be no more records. */
export const END: unique symbol = Symbol.for('sage.end');
/** The type of {@link END}. */
export type End = typeof END;

/**
 * A source that is asked for one record after another. More than one instance is only what is asked for at this operator;
 * `ctx.parallelIndex` and `ctx.parallelism` then divide the work.
 *
 * ```ts
 * class Countdown extends SourceFunction<number> {
 *   #left = 3;
 *   execute() {
 *     return this.#left > 0 ? this.#left-- : END;
 *   }
 * }
 * env.fromSource(Countdown).print();
 * ```
 */
export abstract class SourceFunction<Out> extends BaseFunction {
  /** The next record, `undefined` for "nothing now", or {@link END}. `null` is a record. May be async. */
  abstract execute(): Out | undefined | End | Promise<Out | undefined | End>;
}
