import { performance } from 'node:perf_hooks';

/** Where all time comes from, so that a test can drive it. */
export interface Clock {
  /** Milliseconds since 1970-01-01 UTC. */
  now(): number;
  /** Milliseconds from any fixed start; never goes back. */
  monotonicMs(): number;
  /**
   * Calls `wake` once so many milliseconds have passed, and gives a function that takes that back. Where a clock has no such
   * function, the machine's timers do it.
   */
  after?(delayMs: number, wake: () => void): () => void;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
};

/** A timer of Node with a longer delay fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Calls `wake` once so many milliseconds have passed on this clock, however many; gives a function that takes that back. */
export function startTimer(clock: Clock, delayMs: number, wake: () => void): () => void {
  if (clock.after !== undefined) return clock.after(delayMs, wake);
  let timer: NodeJS.Timeout;
  const wait = (leftMs: number): void => {
    timer = leftMs > LONGEST_TIMER_MS ? setTimeout(() => wait(leftMs - LONGEST_TIMER_MS), LONGEST_TIMER_MS) : setTimeout(wake, leftMs);
  };
  wait(delayMs);
  return () => clearTimeout(timer);
}
