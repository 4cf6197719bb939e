import type { SourceLocation } from '../../common/source-location.ts';
import type { MixedEventTime } from '../../compiler/logical/mixed-event-time.ts';
import type { Clock } from '../../common/clock.ts';
import type { TimerKind } from '../../functions/state/timers.ts';
import type { Core } from '../native/core.ts';
import { KeyTimers } from '../state/key-timers.ts';
import { TimerQueue } from '../state/timer-queue.ts';
import { justBefore } from './just-before.ts';

/** `setTimeout` takes no more. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** The timers of one key in a checkpoint: of which clock, when, and in which place among all of the instance. */
export type SavedTimers = readonly (readonly [kind: TimerKind, time: number, place: number])[];

/** How far event time is for the timers of one instance, in a checkpoint. */
export interface SavedProgress {
  readonly watermark: number;
  readonly moment: number;
}

/** What the timers of an operator need of it. */
export interface ProcessTimersOwner {
  readonly core: Core;
  readonly job: number;
  readonly operator: string;
  readonly declaredAt: SourceLocation;
  /** Why its records have no event time, though those of some of its streams have one. */
  readonly mixedTime: MixedEventTime | undefined;
  readonly clock: Clock;
  /** Whether its records have an event time. */
  readonly isTimed: boolean;
  /** @throws SageError SAGE_ENV_CONTEXT when no key is in hand. */
  checkInHand(): void;
}

/** A timer that is to fire now. */
export interface DueTimer {
  readonly kind: TimerKind;
  readonly time: number;
  /** Stands for its key. */
  readonly owner: number;
}

/** The timers of a function with state in one task, of event time and of the clock: which of them is due next, and how far both times are. */
export class ProcessTimers {
  /** `ctx.timers` of the function: what the call at work asks for. */
  readonly requests: KeyTimers;
  readonly #clock: Clock;
  readonly #isTimed: boolean;
  readonly #event: TimerQueue;
  readonly #processing: TimerQueue;
  #watermark = Number.NEGATIVE_INFINITY;
  /** The last watermark that was not the end. */
  #moment = Number.NEGATIVE_INFINITY;
  #isOver = false;
  #mayBeDue = false;

  constructor({ core, job, operator, declaredAt, mixedTime, clock, isTimed, checkInHand }: ProcessTimersOwner) {
    this.#clock = clock;
    this.#isTimed = isTimed;
    this.#event = new TimerQueue(core, job);
    this.#processing = new TimerQueue(core, job);
    const watermark = (): number => this.#watermark;
    this.requests = new KeyTimers({
      operator,
      declaredAt,
      hasEventTime: isTimed,
      mixedTime,
      get watermark() {
        return watermark();
      },
      checkInHand,
    });
  }

  /** Whether a timer may be due. */
  get mayBeDue(): boolean {
    return this.#mayBeDue;
  }

  /** Whether the input has ended, so that all timers are due. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** How many there are. */
  get size(): number {
    return this.#event.size + this.#processing.size;
  }

  queueOf(kind: TimerKind): TimerQueue {
    return kind === 'event' ? this.#event : this.#processing;
  }

  /** Event time has come so far. The end of event time is that of the input: what timers of the clock give must come before it is said below. */
  advance(watermark: number): void {
    // In a loop a watermark may come behind the flush, when all timers are due already.
    this.#watermark = Math.max(this.#watermark, watermark);
    if (watermark === Number.POSITIVE_INFINITY) this.#isOver = true;
    else this.#moment = Math.max(this.#moment, watermark);
    this.#mayBeDue = true;
  }

  /** The input has ended. Whether that was not known yet. */
  end(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    if (this.#isTimed) this.advance(Number.POSITIVE_INFINITY);
    this.#mayBeDue = true;
    return true;
  }

  /** Timers of the clock may have become due. */
  lookAtClock(): void {
    const { earliestMs } = this.#processing;
    // In a loop records come also when all timers are due: what has been held back goes around.
    if (earliestMs !== Number.POSITIVE_INFINITY && (this.#isOver || earliestMs <= this.#clock.now())) this.#mayBeDue = true;
  }

  /** Timers have been registered: some may be due already. */
  registered(): void {
    if (this.#event.earliestMs < this.#watermark) this.#mayBeDue = true;
    this.lookAtClock();
  }

  /** Takes the next timer that is due: of event time first, then of the clock. */
  takeDue(): DueTimer | undefined {
    const due = this.#event.take(justBefore(this.#watermark));
    if (due !== undefined) return { kind: 'event', time: due.time, owner: due.slot };
    const dueByClock = this.#processing.take(this.#isOver ? Number.POSITIVE_INFINITY : this.#clock.now());
    if (dueByClock !== undefined) return { kind: 'processing', time: dueByClock.time, owner: dueByClock.slot };
    this.#mayBeDue = false;
    return undefined;
  }

  /** Event time of what a timer gives. One of the clock is of no record: it gets the first moment that is not late. */
  resultTime({ kind, time }: DueTimer): number | undefined {
    if (kind === 'event') return time;
    if (!this.#isTimed) return undefined;
    return Number.isFinite(this.#moment) ? this.#moment : this.#clock.now();
  }

  /** Those of these owners that have no timer. */
  without(owners: readonly number[]): readonly number[] {
    return this.#processing.without(this.#event.without(owners));
  }

  /** Milliseconds until the next timer of the clock. */
  dueInMs(): number | undefined {
    const { earliestMs } = this.#processing;
    return earliestMs === Number.POSITIVE_INFINITY ? undefined : Math.min(MAX_DELAY_MS, Math.max(0, earliestMs - this.#clock.now()));
  }

  /** The timers by owner, of these or of all. */
  save(owners?: ReadonlySet<number>): ReadonlyMap<number, SavedTimers> {
    const byOwner = new Map<number, [TimerKind, number, number][]>();
    for (const kind of ['event', 'processing'] as const) {
      for (const { time, slot: owner, place } of this.queueOf(kind).all()) {
        if (owners !== undefined && !owners.has(owner)) continue;
        let own = byOwner.get(owner);
        if (own === undefined) byOwner.set(owner, (own = []));
        own.push([kind, time, place]);
      }
    }
    return byOwner;
  }

  /** Registers what was saved, those of one time in the order in which they would have fired. */
  restore(saved: readonly { readonly owner: number; readonly timers: SavedTimers }[]): void {
    const all = saved.flatMap(({ owner, timers }) => timers.map(([kind, time, place]) => ({ owner, kind, time, place })));
    all.sort((a, b) => a.time - b.time || a.place - b.place);
    for (const { owner, kind, time } of all) this.queueOf(kind).register(owner, time);
    this.flush();
    this.registered();
  }

  get progress(): SavedProgress {
    return { watermark: this.#watermark, moment: this.#moment };
  }

  /** Event time is as far as it was for all of these instances. */
  restoreProgress(saved: readonly SavedProgress[]): void {
    this.#watermark = Math.min(...saved.map(({ watermark }) => watermark));
    this.#moment = Math.min(...saved.map(({ moment }) => moment));
  }

  /** Ends a batch: the core is given what was collected. */
  flush(): void {
    this.#event.flush();
    this.#processing.flush();
  }

  close(): void {
    this.#event.close();
    this.#processing.close();
  }
}
