import { CollectingFunction } from './collecting-function.ts';
import type { KeyedFunctionContext } from './keyed-process-function.ts';
import type { TimerKind } from './state/timers.ts';

/**
 * A function of several keyed streams with one state and one set of timers for each key, whichever stream a record comes from: `ctx.state`,
 * `ctx.timers`. It has a handler for each stream: `execute0` for the records of the first stream of `connect`, `execute1` for those of the
 * second, and so on, and emits with `collect`. One record or timer is worked on at a time; between streams there is no order. Results keep the
 * key. Event time is that of the stream that is least far.
 *
 * ```ts
 * type Order = { id: number; item: string };
 * type Payment = { order: number; euro: number };
 * class Paid extends KeyedCoProcessFunction<number, [Order, Payment], string> {
 *   #item!: ValueState<string>;
 *   #euro!: ValueState<number>;
 *   override open() {
 *     this.#item = this.ctx.state.value('item');
 *     this.#euro = this.ctx.state.value('euro');
 *   }
 *   execute0({ item }: Order) {
 *     this.#item.set(item);
 *     this.#look();
 *   }
 *   execute1({ euro }: Payment) {
 *     this.#euro.set(euro);
 *     this.#look();
 *   }
 *   #look() {
 *     const [item, euro] = [this.#item.get(), this.#euro.get()];
 *     if (item !== undefined && euro !== undefined) this.collect(`${item}: ${euro}`);
 *   }
 * }
 * const orders = env.fromCollection([{ id: 1, item: 'pen' }, { id: 2, item: 'cup' }]);
 * const payments = env.fromCollection([{ order: 1, euro: 3 }]);
 * orders.keyBy('id').connect(payments.keyBy('order')).process(Paid).print();
 * ```
 *
 * That a handler is missing, or that there are more of them than streams, is found when the pipeline is built.
 */
export abstract class KeyedCoProcessFunction<K, Ins extends readonly unknown[], Out> extends CollectingFunction<Out> {
  /** Only for the type; never set: a function for all texts fits keys that are some of them. */
  declare readonly acceptsKey?: (key: K) => void;
  /** Only for the type; never set. */
  declare readonly acceptsRecords?: (records: Ins) => void;

  /** As of all functions; `key` has the type of the streams' key. */
  override get ctx(): KeyedFunctionContext<K> {
    return super.ctx as KeyedFunctionContext<K>;
  }

  /** Gives a record to the handler of an input. The runtime calls the handlers themselves. */
  execute(record: unknown, input: number): unknown {
    const handlers = this as unknown as Readonly<Record<string, (record: unknown) => unknown>>;
    return handlers[`execute${input}`]!(record);
  }

  /**
   * A timer has fired; may collect, and may be async.
   *
   * @param _time the time for which it was registered, in epoch milliseconds
   */
  onTimer(_time: number, _kind: TimerKind): unknown {
    return undefined;
  }
}
