import type { Clock } from '../common/clock.ts';

interface Alarm {
  readonly atMs: number;
  readonly wake: () => void;
}

/** A clock that stands still until it is told to go on. Everything in a job that waits for processing time waits for it. */
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
    const alarm = { atMs: this.#nowMs + delayMs, wake };
    this.#alarms.push(alarm);
    return () => {
      this.#alarms = this.#alarms.filter((other) => other !== alarm);
    };
  }

  /** Lets so many milliseconds pass: what is due by then is woken in the order of its time. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const [next] = this.#alarms.filter(({ atMs }) => atMs <= untilMs).toSorted((a, b) => a.atMs - b.atMs);
      if (next === undefined) break;
      this.#alarms = this.#alarms.filter((alarm) => alarm !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.wake();
    }
    this.#nowMs = untilMs;
  }
}
