import type { SourceLocation } from '../../common/source-location.ts';
import { SageError } from '../../common/errors.ts';
import type { TimerKind } from '../../functions/state/timers.ts';
import type { MergedWindow, TriggerDecision } from '../../functions/windows/custom-trigger.ts';
import type { WindowBounds } from '../../functions/windows/window-bounds.ts';
import type { Core } from '../native/core.ts';
import { TimerQueue } from '../state/timer-queue.ts';
import { type RestoredTrigger, type SavedTrigger, type TriggerProgress, leastProgress } from './saved-triggers.ts';
import { SlotColumn } from './slot-column.ts';
import { type AnyTrigger, TriggerCalls, type TriggerSurroundings, type WindowInHand } from './trigger-calls.ts';
import type { WindowValues } from './window-values.ts';

/** What triggers need of the operator of their windows. */
export interface TriggerHost {
  readonly trigger: AnyTrigger;
  readonly operator: string;
  readonly declaredAt: SourceLocation;
  readonly hasEventTime: boolean;
  /** A window forgets what it has shown. */
  readonly discards: boolean;
  readonly allowedLatenessMs: number;
  emit(acc: number, slot: number, window: WindowBounds): void;
  keyOf(slot: number): unknown;
  /** Counts what would go unsaid otherwise. */
  count(name: 'timers after the end' | 'records never fired', by: number): void;
  /** The error of the job for what failed where no record can be left out. */
  failed(error: unknown): Error;
}

/** A window that is open, by its accumulator. */
interface OpenWindow extends WindowInHand {
  bounds: WindowBounds;
  state: unknown;
  readonly slot: number;
  /** Timers of the time that windows go by, and of the clock where that is another one. */
  main: Set<number> | undefined;
  clock: Set<number> | undefined;
  /** Its end is in the queue with the others. */
  awaitsEnd: boolean;
  /** Records that came behind its last result. */
  unfired: number;
  /** Since it was merged with others: what all were before. */
  merged: MergedWindow<unknown>[] | undefined;
}

/** A timer that has become due. */
export interface DueTrigger {
  readonly acc: number;
  readonly kind: TimerKind;
  readonly time: number;
}

/**
 * Has a trigger of the user decide when the windows of one task give results. The core says which windows there are; timers lie in the
 * core too, by the accumulators of their windows. A call has two halves, so that a record can still be left out: `element` and `timer` ask the
 * trigger, and `act` does what it has said.
 */
export class WindowTriggers implements TriggerSurroundings {
  readonly operator: string;
  readonly declaredAt: SourceLocation;
  readonly hasEventTime: boolean;
  watermark: number = Number.NEGATIVE_INFINITY;
  nowMs: number = Number.NEGATIVE_INFINITY;
  readonly #host: TriggerHost;
  readonly #values: WindowValues;
  readonly #calls: TriggerCalls;
  readonly #windows = new SlotColumn<OpenWindow | undefined>();
  /** Of the time that windows go by. */
  readonly #main: TimerQueue;
  /** Of the clock, where windows go by event time. */
  readonly #clock: TimerQueue | undefined;
  /** Timers of the main queue up to this are due. */
  #progress = Number.NEGATIVE_INFINITY;
  /** So far the clock was told. */
  #toldMs = Number.NEGATIVE_INFINITY;
  #finished = false;
  #mayBeDue = false;
  /** What `act` is about. */
  #acc = 0;
  #decision: TriggerDecision = 'continue';
  /** The timer that it is said of, of the time that windows go by. */
  #timerMs: number | undefined;

  constructor(core: Core, job: number, values: WindowValues, host: TriggerHost) {
    this.#host = host;
    this.#values = values;
    this.operator = host.operator;
    this.declaredAt = host.declaredAt;
    this.hasEventTime = host.hasEventTime;
    this.#calls = new TriggerCalls(host.trigger, this);
    this.#main = new TimerQueue(core, job);
    this.#clock = host.hasEventTime ? new TimerQueue(core, job) : undefined;
  }

  /** A timer may be due, which has to fire before anything else happens. */
  get isDue(): boolean {
    return this.#mayBeDue;
  }

  /** When the clock should be told, in epoch milliseconds; infinity when nothing waits for it. */
  get nextClockMs(): number {
    return this.#finished ? Number.POSITIVE_INFINITY : (this.#clock ?? this.#main).earliestMs;
  }

  /** Rows come, at this time of the clock. */
  rowsAt(nowMs: number): void {
    this.nowMs = Math.max(this.nowMs, nowMs);
  }

  /** Time has come this far. */
  advance(watermark: number, nowMs: number): void {
    this.rowsAt(nowMs);
    this.watermark = Math.max(this.watermark, watermark);
    this.#toldMs = this.nowMs;
    this.#progress = Math.max(this.#progress, this.hasEventTime ? watermark : this.nowMs);
    this.#mayBeDue = true;
  }

  /** The input has ended: what waits for the end of a window is due. */
  finish(): void {
    this.#finished = true;
    if (this.hasEventTime) this.watermark = Number.POSITIVE_INFINITY;
    this.#progress = Number.POSITIVE_INFINITY;
    this.#mayBeDue = true;
  }

  /** An accumulator stands for a window; again when a session has grown. */
  open(acc: number, slot: number, start: number, end: number): void {
    const bounds = { start, end };
    const window = this.#windows.get(acc);
    if (window !== undefined) {
      this.#move(acc, window, bounds);
      return;
    }
    const state = this.#orFail(() => this.#calls.makeState());
    this.#windows.set(acc, { key: this.#host.keyOf(slot), slot, bounds, state, main: undefined, clock: undefined, awaitsEnd: false, unfired: 0, merged: undefined });
  }

  #move(acc: number, window: OpenWindow, bounds: WindowBounds): void {
    const { end } = window.bounds;
    window.bounds = bounds;
    if (window.awaitsEnd) {
      if (window.main?.has(end) !== true) this.#main.cancel(acc, end);
      this.#main.register(acc, bounds.end);
    }
    const { merged } = window;
    if (merged === undefined) return;
    window.merged = undefined;
    if (this.#calls.hasState) window.state = this.#orFail(() => this.#calls.makeState());
    if (!this.#calls.merges) {
      if (!this.#calls.hasState) return;
      throw this.#host.failed(new SageError('SAGE_USER_WRONG_TYPE', `the trigger of '${this.operator}' has init and no onMerge, while sessions merge`, { operator: this.operator, help: 'Add onMerge(windows, into, ctx).' }));
    }
    this.#orFail(() => this.#calls.merge(merged, window));
    this.#commit(acc, window, undefined);
  }

  /** A session takes over what another one has, which goes. */
  merge(into: number, from: number): void {
    const window = this.#windows.get(into)!;
    const other = this.#windows.get(from)!;
    window.merged ??= [mergedOf(window)];
    window.merged.push(mergedOf(other));
    window.unfired += other.unfired;
    other.unfired = 0;
    for (const [queue, name] of this.#queues()) {
      for (const time of other[name] ?? []) {
        (window[name] ??= new Set()).add(time);
        queue.register(into, time);
      }
    }
    // Its place in the queue is that of the merged window, which is said next.
    window.awaitsEnd ||= other.awaitsEnd;
  }

  /** A window closes, or was merged into another one. */
  free(acc: number): void {
    const window = this.#windows.get(acc);
    if (window === undefined) return;
    for (const [queue, name] of this.#queues()) for (const time of window[name] ?? []) queue.cancel(acc, time);
    if (window.awaitsEnd) this.#main.cancel(acc, window.bounds.end);
    if (window.unfired > 0) this.#host.count('records never fired', window.unfired);
    this.#windows.set(acc, undefined);
  }

  #queues(): readonly (readonly [TimerQueue, 'main' | 'clock'])[] {
    return this.#clock === undefined ? [[this.#main, 'main']] : [[this.#main, 'main'], [this.#clock, 'clock']];
  }

  /** Asks the trigger about a record, and adds that to its window. When it throws, nothing has changed. */
  element(acc: number, record: unknown): void {
    const window = this.#windows.get(acc)!;
    const decision = this.#calls.element(record, window);
    try {
      this.#values.add(acc, record);
    } catch (error) {
      this.#calls.forget();
      throw error;
    }
    window.unfired++;
    this.#decided(acc, decision, undefined);
  }

  /** Takes the next timer that is due; it is no longer there. */
  takeDue(): DueTrigger | undefined {
    for (;;) {
      const clock = this.#clock?.take(this.#toldMs);
      if (clock !== undefined) {
        this.#windows.get(clock.slot)!.clock!.delete(clock.time);
        return { acc: clock.slot, kind: 'processing', time: clock.time };
      }
      const due = this.#main.take(this.#progress);
      if (due === undefined) {
        this.#mayBeDue = false;
        return undefined;
      }
      const { slot: acc, time } = due;
      const window = this.#windows.get(acc)!;
      const isEnd = window.awaitsEnd && time === window.bounds.end;
      if (isEnd) window.awaitsEnd = false;
      const isAsked = window.main?.delete(time) === true;
      // The end of the input is none of the clock.
      if (!isEnd && (!isAsked || (this.#finished && !this.hasEventTime))) continue;
      // Had watermarks come one by one, the window would have closed before.
      if (time > window.bounds.end + this.#host.allowedLatenessMs) continue;
      return { acc, kind: this.hasEventTime ? 'event' : 'processing', time };
    }
  }

  keyOf({ acc }: DueTrigger): unknown {
    return this.#windows.get(acc)!.key;
  }

  /** Asks the trigger about a timer that was taken. */
  timer({ acc, kind, time }: DueTrigger): void {
    const decision = this.#calls.timer(kind === 'event' ? 'onEventTime' : 'onProcessingTime', time, this.#windows.get(acc)!);
    this.#decided(acc, decision, this.hasEventTime && kind === 'processing' ? undefined : time);
  }

  #decided(acc: number, decision: TriggerDecision, timerMs: number | undefined): void {
    this.#acc = acc;
    this.#decision = decision;
    this.#timerMs = timerMs;
  }

  /** Does what the trigger has said last. */
  act(): undefined {
    const acc = this.#acc;
    const decision = this.#decision;
    const window = this.#windows.get(acc)!;
    this.#commit(acc, window, this.#timerMs);
    if (decision === 'continue') return undefined;
    const fires = decision !== 'purge';
    if (fires) this.#host.emit(acc, window.slot, window.bounds);
    window.unfired = 0;
    if (decision !== 'fire' || this.#host.discards) this.#values.init(acc);
    return undefined;
  }

  /** What the call has written stays. */
  #commit(acc: number, window: OpenWindow, timerMs: number | undefined): void {
    window.state = this.#calls.state;
    const { timers } = this.#calls;
    for (const { kind, time, isCancelled } of timers.takeRequests()) {
      const name = kind === 'event' || this.#clock === undefined ? 'main' : 'clock';
      const queue = name === 'main' ? this.#main : this.#clock!;
      if (isCancelled) {
        const isEnd = name === 'main' && window.awaitsEnd && time === window.bounds.end;
        if (window[name]?.delete(time) === true && !isEnd) queue.cancel(acc, time);
      } else if (timerMs !== undefined && name === 'main' && this.#progress === Number.POSITIVE_INFINITY && window.bounds.end === Number.POSITIVE_INFINITY) {
        // They might go on for ever, each registering the next one.
        this.#host.count('timers after the end', 1);
      } else {
        (window[name] ??= new Set()).add(time);
        queue.register(acc, time);
      }
    }
    const { end } = window.bounds;
    if (timers.takeEnd() && !window.awaitsEnd && !(timerMs !== undefined && timerMs >= end)) {
      window.awaitsEnd = true;
      this.#main.register(acc, end);
    }
    if (this.#main.earliestMs <= this.#progress) this.#mayBeDue = true;
  }

  /** @throws SageError that of the job: what fails belongs to no record. */
  #orFail<R>(call: () => R): R {
    try {
      return call();
    } catch (error) {
      throw this.#host.failed(error);
    }
  }

  /** What is kept of each window, by its accumulator. */
  save(): (acc: number) => SavedTrigger {
    const queued = new Map<number, SavedTrigger['queued'][number][]>();
    for (const [queue, name] of this.#queues()) {
      for (const { time, slot: acc, place } of queue.all()) {
        let own = queued.get(acc);
        if (own === undefined) queued.set(acc, (own = []));
        own.push([name, time, place]);
      }
    }
    return (acc) => {
      const { state, main, clock, awaitsEnd, unfired } = this.#windows.get(acc)!;
      return { state, main: [...(main ?? [])], clock: [...(clock ?? [])], awaitsEnd, unfired, queued: queued.get(acc) ?? [] };
    };
  }

  restore(windows: readonly RestoredTrigger[]): void {
    const queued = windows.flatMap(({ acc, saved }) => saved.queued.map(([name, time, place]) => ({ acc, name, time, place })));
    for (const { acc, slot, bounds, saved } of windows) {
      const { state, main, clock, awaitsEnd, unfired } = saved;
      this.#windows.set(acc, { key: this.#host.keyOf(slot), slot, bounds, state, main: new Set(main), clock: new Set(clock), awaitsEnd, unfired, merged: undefined });
    }
    queued.sort((a, b) => a.time - b.time || a.place - b.place);
    for (const { acc, name, time } of queued) (name === 'main' ? this.#main : this.#clock!).register(acc, time);
    this.flush();
    if (this.#main.earliestMs <= this.#progress) this.#mayBeDue = true;
  }

  get progress(): TriggerProgress {
    return { watermark: this.watermark, nowMs: this.nowMs, toldMs: this.#toldMs, progress: this.#progress };
  }

  restoreProgress(saved: readonly TriggerProgress[]): void {
    const { watermark, nowMs, toldMs, progress } = leastProgress(saved);
    this.watermark = watermark;
    this.nowMs = nowMs;
    this.#toldMs = toldMs;
    this.#progress = progress;
  }

  /** A batch is done. */
  flush(): void {
    this.#main.flush();
    this.#clock?.flush();
  }

  close(): void {
    this.#main.close();
    this.#clock?.close();
  }
}

function mergedOf({ bounds, state }: OpenWindow): MergedWindow<unknown> {
  return { ...bounds, state };
}
