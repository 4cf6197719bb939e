import { Quota } from './quota.ts';

/** Runs the rows `start .. end` of a source and returns the first row that it has not taken. */
export type SegmentFunction = (source: unknown, start: number, end: number, keys?: readonly unknown[], times?: readonly number[]) => number;

/** From so many rows on, code of its own pays for the milliseconds in which V8 has to get to know it. */
const HOT_ROWS = 300_000;

/** One function of a stage, with what its records cost. */
export class Segment {
  run: SegmentFunction;
  readonly quota: Quota = new Quota();
  #rows = 0;
  #makeOwn: (() => SegmentFunction) | undefined;

  /** @param makeOwn makes the same function anew when `run` shares its code with other tasks. */
  constructor(run: SegmentFunction, makeOwn?: () => SegmentFunction) {
    this.run = run;
    this.#makeOwn = makeOwn;
  }

  /**
   * Learns from a call that took `rows` rows. V8 treats what a function has bound as constants as long as there is one
   * closure of its code, and then inlines the user's functions without a check: half the time of a short pipeline. Shared
   * code starts warm but is never that fast, so a task with many rows changes over between two calls.
   */
  measured(elapsedMs: number, rows: number): void {
    this.quota.measured(elapsedMs, rows);
    if (this.#makeOwn === undefined) return;
    this.#rows += rows;
    if (this.#rows < HOT_ROWS) return;
    this.run = this.#makeOwn();
    this.#makeOwn = undefined;
  }
}
