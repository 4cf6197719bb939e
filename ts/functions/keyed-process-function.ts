import { CollectingFunction } from './collecting-function.ts';
import type { FunctionContext } from './function-context.ts';
import type { TimerKind } from './state/timers.ts';

/** The context of a function on a keyed stream. */
export interface KeyedFunctionContext<out K> extends FunctionContext {
  /** Key of the record or timer in hand. */
  readonly key: K;
}

/**
 * A function with state and timers for each key of a keyed stream: `ctx.state`, `ctx.timers`. It emits with `collect`. Results
 * keep the key and have the event time of their record; those of a timer of event time have the time of the timer, those of a timer of the
 * clock the time that event time has come to.
 *
 * ```ts
 * class Silence extends KeyedProcessFunction<string, { host: string; at: number }, string> {
 *   #deadline!: ValueState<number>;
 *   override open() {
 *     this.#deadline = this.ctx.state.value('deadline');
 *   }
 *   execute({ at }: { host: string; at: number }) {
 *     const before = this.#deadline.get();
 *     if (before !== undefined) this.ctx.timers.cancelEventTime(before);
 *     this.#deadline.set(at + 10_000);
 *     this.ctx.timers.eventTime(at + 10_000);
 *   }
 *   override onTimer(time: number) {
 *     this.collect(`${this.ctx.key} was silent from ${time - 10_000}`);
 *     this.#deadline.clear();
 *   }
 * }
 * env
 *   .fromCollection([{ host: 'a', at: 0 }, { host: 'a', at: 30_000 }])
 *   .assignTimestamps('at', { outOfOrdernessMs: 0 })
 *   .keyBy('host')
 *   .process(Silence)
 *   .print();
 * ```
 */
export abstract class KeyedProcessFunction<K, In, Out> extends CollectingFunction<Out> {
  /** Only for the type; never set: a function for all texts fits keys that are some of them. */
  declare readonly acceptsKey?: (key: K) => void;

  /** As of all functions; `key` has the type of the stream's key. */
  override get ctx(): KeyedFunctionContext<K> {
    return super.ctx as KeyedFunctionContext<K>;
  }

  /** Works on one record; what it returns is awaited, while no other record or timer is worked on, and otherwise ignored. */
  abstract execute(record: In): unknown;

  /**
   * A timer has fired; may collect, and may be async. An error here follows the operator's error policy, as one in `execute` does: a dead
   * letter then has the `timer`, and `undefined` as its record.
   *
   * @param _time the time for which it was registered, in epoch milliseconds
   */
  onTimer(_time: number, _kind: TimerKind): unknown {
    return undefined;
  }
}
