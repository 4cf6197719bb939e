import type { Clock } from '../common/clock.ts';

interface Alarm {
  readonly atMs: number;
  readonly wake: () => void;
}

/**
 * A clock that stands still until it is told to go on. Everything in a job that waits for processing time waits for it.
 *
 * A `TestEnvironment` has one of its own, which `advanceTime` moves. In any other environment it is a setting:
 *
 * ```ts
 * import { VirtualClock } from 'sage-kernel/testing';
 *
 * const clock = new VirtualClock(Date.UTC(2026, 0, 1));
 * const env = new LocalEnvironment('by the clock', { clock });
 * env.fromCollection([1, 2]).batch({ max: 10, waitMs: 1_000 }).print();
 * await env.submit({ autostop: true });
 * ```
 */
export class VirtualClock implements Clock {
  #nowMs = 0;
  readonly #startedMs: number;
  #alarms: Alarm[] = [];

  /** @param startMs what `now` gives at first, in epoch milliseconds; 0 when left away */
  constructor(startMs = 0) {
    this.#startedMs = startMs;
  }

  /** Epoch milliseconds. */
  now(): number {
    return this.#startedMs + this.#nowMs;
  }

  /** Milliseconds since the clock was made. */
  monotonicMs(): number {
    return this.#nowMs;
  }

  /** Calls `wake` once so many milliseconds have passed on this clock; the function that it gives takes that back. */
  after(delayMs: number, wake: () => void): () => void {
    const alarm = { atMs: this.#nowMs + Math.max(0, delayMs), wake };
    this.#alarms.push(alarm);
    return () => {
      this.#alarms = this.#alarms.filter((other) => other !== alarm);
    };
  }

  /** Milliseconds until the next thing is due that waits for this clock; `undefined` when nothing does. */
  get dueInMs(): number | undefined {
    const next = this.#next(Number.POSITIVE_INFINITY);
    return next === undefined ? undefined : next.atMs - this.#nowMs;
  }

  /** Lets so many milliseconds pass: what is due by then is woken in the order of its time. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (let next = this.#next(untilMs); next !== undefined; next = this.#next(untilMs)) {
      const due = next;
      this.#alarms = this.#alarms.filter((alarm) => alarm !== due);
      this.#nowMs = Math.max(this.#nowMs, due.atMs);
      due.wake();
    }
    this.#nowMs = untilMs;
  }

  /** Of those that are due first, the one that has waited longest. */
  #next(untilMs: number): Alarm | undefined {
    let first: Alarm | undefined;
    for (const alarm of this.#alarms) if (alarm.atMs <= untilMs && (first === undefined || alarm.atMs < first.atMs)) first = alarm;
    return first;
  }
}
