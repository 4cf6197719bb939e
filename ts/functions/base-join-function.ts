import { CollectingFunction } from './collecting-function.ts';

/**
 * A join of your own over keyed streams: it is given the records of all streams, each with its key and the number of its stream
 * in `connect`, and emits with `collect`. All records of a key come to the same parallel instance, so that fields can hold what the
 * other stream will ask for. The streams come in no particular order: either may be first.
 *
 * ```ts
 * type User = { id: number; name: string };
 * type Order = { user: number; item: string };
 * class NameOrders extends BaseJoinFunction<User | Order, string, number> {
 *   #names = new Map<number, string>();
 *   #waiting = new Map<number, string[]>();
 *   execute(payload: User | Order, key: number, tag: number) {
 *     if (tag === 0) {
 *       this.#names.set(key, (payload as User).name);
 *       for (const item of this.#waiting.get(key) ?? []) this.collect(`${(payload as User).name}: ${item}`);
 *       this.#waiting.delete(key);
 *       return;
 *     }
 *     const { item } = payload as Order;
 *     const name = this.#names.get(key);
 *     if (name === undefined) this.#waiting.set(key, [...(this.#waiting.get(key) ?? []), item]);
 *     else this.collect(`${name}: ${item}`);
 *   }
 * }
 * const users = env.fromCollection([{ id: 1, name: 'Ada' }]);
 * const orders = env.fromCollection([{ user: 1, item: 'pen' }, { user: 2, item: 'cup' }]);
 * users.keyBy('id').connect(orders.keyBy('user')).join(NameOrders).print();
 * ```
 */
export abstract class BaseJoinFunction<In, Out, K = unknown> extends CollectingFunction<Out> {
  /** Works on one record; what it returns is awaited and otherwise ignored. `tag` is 0 for the first stream, 1 for the second, ... */
  abstract execute(payload: In, key: K, tag: number): unknown;

  /**
   * Called once behind the last record of all streams, before `close`; may collect, and may be async. Not called when the job was
   * stopped without `drain`, was cancelled or has failed.
   */
  finish(): void | Promise<void> {}
}
