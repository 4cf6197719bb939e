import type { WindowBounds } from './window-bounds.ts';

/**
 * What a trigger says becomes of its window:
 *
 * - `'continue'`: nothing
 * - `'fire'`: it gives its result
 * - `'purge'`: what it holds is forgotten, and no result shows it
 * - `'fireAndPurge'`: its result, and then it is emptied
 */
export type TriggerDecision = 'continue' | 'fire' | 'purge' | 'fireAndPurge';

/** Timers of the window in hand. They go with their window when it closes, and to the merged one when sessions merge. */
export interface TriggerTimers {
  /**
   * Has `onEventTime(t)` called as soon as the watermark has reached `t`, at once if it has. A timer behind the time at which its window closes, its
   * end and the allowed lateness, never fires.
   *
   * @param t epoch milliseconds
   * @throws SageError SAGE_ENV_CONTEXT where windows do not go by event time; SAGE_USER_WRONG_TYPE unless it is a finite number, and where the trigger has no `onEventTime`
   */
  eventTime(t: number): void;
  /**
   * Has `onProcessingTime(t)` called when the clock shows `t`, as long as the window is open. The end of the input does not wait for it.
   *
   * @param t epoch milliseconds
   * @throws SageError SAGE_USER_WRONG_TYPE unless it is a finite number, and where the trigger has no `onProcessingTime`
   */
  processingTime(t: number): void;
  /**
   * A timer at the end of the window, wherever that is: it moves along when a session grows. `onEventTime(end)` is called, or
   * `onProcessingTime(end)` where windows go by the clock; for a global window when the input ends, with `Infinity`. In that call it does nothing: the end comes once.
   *
   * @throws SageError SAGE_USER_WRONG_TYPE where the trigger does not have that method
   */
  atEnd(): void;
  /** Takes a timer of event time back; one that is not there is ignored. */
  cancelEventTime(t: number): void;
  /** Takes a timer of the clock back; one that is not there is ignored. */
  cancelProcessingTime(t: number): void;
}

/** What a trigger knows, and can do, while one of its methods runs. */
export interface TriggerContext<S> {
  /**
   * The state of the window, which `init` has made. Assign a new value rather than change an object: an assignment is taken back when the method
   * throws.
   */
  state: S;
  /** Key of the window; `undefined` on a stream without one. */
  readonly key: unknown;
  /** How far event time has come, in epoch milliseconds; negative infinity before the first record and where there is none. */
  readonly watermark: number;
  /** What the clock shows, in epoch milliseconds. It stays while a batch is worked on, and never goes back. */
  readonly now: number;
  /** Timers of the window. */
  readonly timers: TriggerTimers;
}

/** One of the sessions that become one, as `onMerge` is told. */
export interface MergedWindow<out S> extends WindowBounds {
  /** Its state. */
  readonly state: S;
}

/**
 * When windows give results, in code of your own: an object with these methods, or a class that has them. Each window of each key has a state
 * and timers of its own; the trigger itself should keep nothing.
 *
 * Nothing fires by itself, also not at the end of a window: ask for it with `ctx.timers.atEnd()`. Methods return their decision, and no promise.
 *
 * ```ts
 * class EveryJump implements CustomTrigger<{ at: number; price: number }, number | undefined> {
 *   readonly #least: number;
 *   constructor(least: number) {
 *     this.#least = least;
 *   }
 *   init(): number | undefined {
 *     return undefined;
 *   }
 *   onElement({ price }: { price: number }, _: WindowBounds, ctx: TriggerContext<number | undefined>): TriggerDecision {
 *     const before = ctx.state ?? price;
 *     if (ctx.state !== undefined && Math.abs(price - before) < this.#least) return 'continue';
 *     ctx.state = price;
 *     return 'fire';
 *   }
 * }
 * env
 *   .fromCollection([{ at: 1, price: 10 }, { at: 2, price: 11 }, { at: 3, price: 15 }])
 *   .assignTimestamps('at', { outOfOrdernessMs: 0 })
 *   .window(tumbling('1h'))
 *   .trigger(EveryJump, 3)
 *   .aggregate({ highest: max('price') })
 *   .print();
 * ```
 *
 * @typeParam T the records of the windows
 * @typeParam S the state of a window
 */
export interface CustomTrigger<T, S = undefined> {
  /** The state of a new window; left away, there is none. With sessions a trigger that has it needs `onMerge`. */
  init?(): S;
  /** For each record, in front of its being added to the window: a result that it asks for has the record. */
  onElement(element: T, window: WindowBounds, ctx: TriggerContext<S>): TriggerDecision;
  /** For each timer of event time that is due. */
  onEventTime?(time: number, window: WindowBounds, ctx: TriggerContext<S>): TriggerDecision;
  /** For each timer of the clock that is due. */
  onProcessingTime?(time: number, window: WindowBounds, ctx: TriggerContext<S>): TriggerDecision;
  /**
   * When sessions become one, in front of `onElement` for the record that joins them. `ctx.state` is a new one, which takes over what
   * matters of theirs; they come by their starts.
   */
  onMerge?(windows: readonly MergedWindow<S>[], into: WindowBounds, ctx: TriggerContext<S>): void;
}
