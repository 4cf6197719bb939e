import { BaseFunction } from './base-function.ts';

/**
 * A map with state, constructor arguments, or `open` and `close`.
 *
 * ```ts
 * class Convert extends MapFunction<{ price: number }, { price: number; currency: string }> {
 *   readonly #currency: string;
 *   readonly #rate: number;
 *   constructor(currency: string, rate: number) {
 *     super();
 *     this.#currency = currency;
 *     this.#rate = rate;
 *   }
 *   execute(order: { price: number }) {
 *     return { price: order.price * this.#rate, currency: this.#currency };
 *   }
 * }
 * env.fromCollection([{ price: 10 }]).map(Convert, 'EUR', 0.9).print();
 * ```
 */
export abstract class MapFunction<In, Out> extends BaseFunction {
  /** The record to pass on; `undefined` drops it (counted), `null` is a value. May be async. */
  abstract execute(record: In): Out | undefined | Promise<Out | undefined>;
}
