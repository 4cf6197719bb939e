import { BaseFunction } from './base-function.ts';

/**
 * A function of several streams, with a handler for each: `map0` for the records of the first stream of `connect`, `map1` for
 * those of the second, and so on. All handlers of one parallel instance share its fields, and work on one record at a time. Each
 * gives a result as the function of `map` does: `undefined` drops the record (counted), promises are awaited.
 *
 * ```ts
 * class Priced extends BaseCoMapFunction {
 *   #prices = new Map<string, number>();
 *   map0(price: { item: string; euro: number }) {
 *     this.#prices.set(price.item, price.euro);
 *   }
 *   map1(order: { item: string; pieces: number }) {
 *     return `${order.item}: ${(this.#prices.get(order.item) ?? 0) * order.pieces}`;
 *   }
 * }
 * const prices = env.fromCollection([{ item: 'pen', euro: 2 }]);
 * const orders = env.fromCollection([{ item: 'pen', pieces: 3 }]);
 * prices.connect(orders).comap(Priced).print();
 * ```
 *
 * That a handler is missing, or that there are more of them than streams, is found when the pipeline is built.
 */
export abstract class BaseCoMapFunction extends BaseFunction {
  /** Gives a record to the handler of an input. The runtime calls the handlers themselves. */
  execute(record: unknown, input: number): unknown {
    const handlers = this as unknown as Readonly<Record<string, (record: unknown) => unknown>>;
    return handlers[`map${input}`]!(record);
  }
}
