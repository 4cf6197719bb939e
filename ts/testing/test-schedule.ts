import type { Schedule, ScheduledIsolate, StepPace } from '../runtime/isolate/schedule.ts';
import { SeededRandom } from './seeded-random.ts';

/** Looking at the clock takes so long in one step: with 4 ms a step is over at once, with 1/64 ms it takes hundreds of records. Powers of two add up without an error. */
const LOOKS_MS = [4, 2, 1, 1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 64] as const;

/** A schedule that a seed decides, and who is told when nothing goes on by itself any more. */
export class TestSchedule implements Schedule {
  readonly deferred: (() => void)[] = [];
  readonly #random: SeededRandom;
  readonly #isolates = new Set<ScheduledIsolate>();
  #watchers: (() => void)[] = [];

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  join(isolate: ScheduledIsolate): () => void {
    this.#isolates.add(isolate);
    return () => {
      this.#isolates.delete(isolate);
      this.rested();
    };
  }

  rested(): void {
    const watchers = this.#watchers;
    this.#watchers = [];
    for (const tell of watchers) tell();
  }

  waitsForClock(): void {
    this.rested();
  }

  choose(count: number): number {
    return count === 1 ? 0 : this.#random.below(count);
  }

  /** Each task has numbers of its own, so that how often one looks at its clock changes nothing for the others. */
  pace(): StepPace {
    const random = new SeededRandom(this.#random.below(2 ** 32));
    let nowMs = 0;
    let lookMs: number = LOOKS_MS[0];
    return {
      beginStep: () => {
        lookMs = LOOKS_MS[random.below(LOOKS_MS.length)]!;
      },
      nowMs: () => (nowMs += lookMs),
      random: () => random.below(2 ** 32) / 2 ** 32,
    };
  }

  /** Has a function called when the schedule comes to it. */
  defer(call: () => void): void {
    this.deferred.push(call);
    for (const isolate of this.#isolates) isolate.wake();
  }

  /** Whether a job is at work or waits. */
  get hasJobs(): boolean {
    return this.#isolates.size > 0;
  }

  /** What user code still owes, in words. */
  get pendingWork(): readonly string[] {
    return [...this.#isolates].flatMap((isolate) => isolate.pendingWork());
  }

  /**
   * Waits until all isolates rest, and unless `leavesPending` until user code owes nothing.
   *
   * Gives false when that has not come within `timeoutMs` of the machine's clock
   */
  async untilRest(leavesPending: boolean, timeoutMs: number): Promise<boolean> {
    const late = Promise.withResolvers<'late'>();
    const timer = setTimeout(late.resolve, timeoutMs, 'late');
    try {
      for (;;) {
        // All that has settled so far is through when the event loop has turned.
        await new Promise((resolve) => setImmediate(resolve));
        if (this.#rests(leavesPending)) return true;
        const told = new Promise<void>((resolve) => this.#watchers.push(resolve));
        if ((await Promise.race([told, late.promise])) === 'late') return false;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #rests(leavesPending: boolean): boolean {
    if (this.#isolates.size === 0) return true;
    if (this.deferred.length > 0) return false;
    return [...this.#isolates].every((isolate) => isolate.isRestingNow() && (leavesPending || isolate.pendingWork().length === 0));
  }
}
