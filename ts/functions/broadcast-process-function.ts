import { CollectingFunction } from './collecting-function.ts';
import type { FunctionContext } from './function-context.ts';
import type { BroadcastState } from './state/broadcast-state.ts';

/** The context of a function with a broadcast side. */
export interface BroadcastFunctionContext extends FunctionContext {
  /** What `executeBroadcast` has kept in this instance: written there, and only read elsewhere. */
  readonly broadcast: BroadcastState;
}

/**
 * A function of a stream and of a second one, every record of which goes to all parallel instances: rules, settings, prices. `executeBroadcast`
 * keeps them in `ctx.broadcast`, and `execute` works on the records of the stream with what is there. Each emits with `collect`; what
 * `executeBroadcast` emits, every instance does.
 *
 * Each instance is given all broadcast records; those of one upstream instance in their order. When, in relation to the records of the stream,
 * and to other instances, is not said: what is kept should not depend on it.
 *
 * ```ts
 * type Rule = { word: string; level: number };
 * class Check extends BroadcastProcessFunction<string, Rule, string> {
 *   executeBroadcast({ word, level }: Rule) {
 *     this.ctx.broadcast.map<string, number>('levels').set(word, level);
 *   }
 *   execute(word: string) {
 *     this.collect(`${word}: ${this.ctx.broadcast.map<string, number>('levels').get(word) ?? 'no rule'}`);
 *   }
 * }
 * const rules = env.fromCollection([{ word: 'a', level: 3 }]);
 * env.fromCollection(['a', 'b']).connect(rules.broadcast()).process(Check).print();
 * ```
 */
export abstract class BroadcastProcessFunction<In, Broadcast, Out> extends CollectingFunction<Out> {
  /** As of all functions, with `broadcast`. */
  override get ctx(): BroadcastFunctionContext {
    return super.ctx as BroadcastFunctionContext;
  }

  /** Works on one record of the stream; what it returns is awaited and otherwise ignored. Cannot write to `ctx.broadcast`. */
  abstract execute(record: In): unknown;

  /** Works on one broadcast record, in every instance; what it returns is awaited and otherwise ignored. */
  abstract executeBroadcast(record: Broadcast): unknown;

  /**
   * Called once behind the last record of both streams, before `close`; may collect, and may be async. Not called when the job was stopped
   * without `drain`, was cancelled or has failed.
   */
  finish(): void | Promise<void> {}
}
