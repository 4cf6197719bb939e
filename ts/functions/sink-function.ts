import { BaseFunction } from './base-function.ts';

/**
 * Takes records out of the pipeline.
 *
 * ```ts
 * class Total extends SinkFunction<number> {
 *   #sum = 0;
 *   execute(n: number) {
 *     this.#sum += n;
 *   }
 *   override close() {
 *     console.log('total', this.#sum);
 *   }
 * }
 * env.fromCollection([1, 2, 3]).sink(Total);
 * ```
 */
export abstract class SinkFunction<In> extends BaseFunction {
  /** Takes one record. A returned promise is awaited before the next record comes. */
  abstract execute(record: In): unknown;
}
