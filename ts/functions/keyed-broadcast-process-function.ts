import type { BroadcastFunctionContext } from './broadcast-process-function.ts';
import { CollectingFunction } from './collecting-function.ts';
import type { TimerKind } from './state/timers.ts';

/** The context of a function of a keyed stream with a broadcast side. */
export interface KeyedBroadcastFunctionContext<out K> extends BroadcastFunctionContext {
  /** Key of the record or timer in hand; `undefined` in `executeBroadcast`. */
  readonly key: K;
}

/**
 * As `BroadcastProcessFunction`, for a keyed stream: `execute` and `onTimer` have state and timers of their key besides what
 * `executeBroadcast` has kept in `ctx.broadcast`. A broadcast record has no key, and so neither `ctx.state` nor `ctx.timers`. Results carry no
 * key.
 *
 * ```ts
 * type Reading = { sensor: string; value: number };
 * class Alarm extends KeyedBroadcastProcessFunction<string, Reading, number, string> {
 *   executeBroadcast(limit: number) {
 *     this.ctx.broadcast.value<number>('limit').set(limit);
 *   }
 *   execute({ value }: Reading) {
 *     const limit = this.ctx.broadcast.value<number>('limit').get() ?? Infinity;
 *     const times = this.ctx.state.value('times', { default: 0 });
 *     if (value > limit) this.collect(`${this.ctx.key} for the ${times.update((n) => n + 1)}. time`);
 *   }
 * }
 * const readings = env.fromCollection([{ sensor: 'a', value: 30 }, { sensor: 'a', value: 50 }]);
 * readings.keyBy('sensor').connect(env.fromCollection([40]).broadcast()).process(Alarm).print();
 * ```
 */
export abstract class KeyedBroadcastProcessFunction<K, In, Broadcast, Out> extends CollectingFunction<Out> {
  /** Only for the type; never set: a function for all texts fits keys that are some of them. */
  declare readonly acceptsKey?: (key: K) => void;

  /** As of all functions, with `broadcast`; `key` has the type of the stream's key. */
  override get ctx(): KeyedBroadcastFunctionContext<K> {
    return super.ctx as KeyedBroadcastFunctionContext<K>;
  }

  /** Works on one record of the keyed stream; what it returns is awaited and otherwise ignored. Cannot write to `ctx.broadcast`. */
  abstract execute(record: In): unknown;

  /** Works on one broadcast record, in every instance; what it returns is awaited and otherwise ignored. */
  abstract executeBroadcast(record: Broadcast): unknown;

  /**
   * A timer has fired; may collect, and may be async. Cannot write to `ctx.broadcast`.
   *
   * @param _time the time for which it was registered, in epoch milliseconds
   */
  onTimer(_time: number, _kind: TimerKind): unknown {
    return undefined;
  }
}
