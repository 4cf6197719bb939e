import { describe, expect, it } from 'vitest';

import { makeRestarts, mayEndOtherwise } from '../../../ts/runtime/job/restarts.ts';

/** Numbers from 0 to 1 that a seed decides (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const inTheMiddle = (): number => 0.5;

describe('restarts of a job', () => {
  it('given none, when it fails, then there is no other attempt', () => {
    expect(makeRestarts('none', inTheMiddle).failed(0)).toBeUndefined();
  });

  it('given two attempts after a fixed delay, when it fails for the third time, then there is no other', () => {
    const restarts = makeRestarts({ kind: 'fixed', attempts: 2, delayMs: 30 }, inTheMiddle);
    expect([1, 2, 3, 4].map((ms) => restarts.failed(ms))).toEqual([30, 30, undefined, undefined]);
  });

  it('given exponential delays, when it fails again and again, then they grow up to the longest', () => {
    const restarts = makeRestarts({ kind: 'exponential', initialMs: 10, maxMs: 50 }, inTheMiddle);
    expect([1, 2, 3, 4, 5].map((ms) => restarts.failed(ms))).toEqual([10, 20, 40, 50, 50]);
  });

  it('given exponential delays, when an attempt has run for long, then the next one begins with the first delay', () => {
    const restarts = makeRestarts({ kind: 'exponential', initialMs: 10, maxMs: 50, multiplier: 3, resetAfterMs: 100 }, inTheMiddle);
    expect(restarts.failed(0)).toBe(10);
    restarts.started(10);
    expect(restarts.failed(109)).toBe(30);
    restarts.started(200);
    expect(restarts.failed(300)).toBe(10);
  });

  it('given jitter, when delays are drawn, then they lie around the delay, within its share, and a seed gives the same again', () => {
    const draw = (seed: number): number[] => {
      const restarts = makeRestarts({ kind: 'exponential', initialMs: 100, maxMs: 1000, multiplier: 1, jitter: 0.2 }, seeded(seed));
      return Array.from({ length: 200 }, (_, ms) => restarts.failed(ms)!);
    };
    const delays = draw(7);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(80);
    expect(Math.max(...delays)).toBeLessThanOrEqual(120);
    expect(Math.max(...delays) - Math.min(...delays)).toBeGreaterThan(30);
    expect(draw(7)).toEqual(delays);
    expect(draw(8)).not.toEqual(delays);
  });

  it('given jitter, when the delay is the longest, then none is longer', () => {
    const restarts = makeRestarts({ kind: 'exponential', initialMs: 100, maxMs: 100, jitter: 0.5 }, () => 0.99);
    expect(restarts.failed(0)).toBe(100);
  });

  it('given a rate of failures, when there are more within the time, then it gives up, and old ones do not count', () => {
    const restarts = makeRestarts({ kind: 'failureRate', failures: 2, perMs: 100, delayMs: 5 }, inTheMiddle);
    expect([0, 50, 120, 160, 165].map((ms) => restarts.failed(ms))).toEqual([5, 5, 5, 5, undefined]);
    const rare = makeRestarts({ kind: 'failureRate', failures: 1, perMs: 100, delayMs: 5 }, inTheMiddle);
    expect([0, 100, 200, 300].map((ms) => rare.failed(ms))).toEqual([5, 5, 5, 5]);
  });

  it('given errors of the program, when asked, then they would come again; those of functions and threads may not', () => {
    expect(['SAGE_PLAN_CONFIG', 'SAGE_CHECKPOINT_SOURCE', 'SAGE_GRAPH_MISMATCH', 'SAGE_JOB_CANCELED'].map((code) => mayEndOtherwise({ code: code as never }))).toEqual([false, false, false, false]);
    expect(['SAGE_USER_SOURCE', 'SAGE_WORKER_DIED', 'SAGE_INTERNAL', 'SAGE_IO_DISK_FULL'].map((code) => mayEndOtherwise({ code: code as never }))).toEqual([true, true, true, true]);
  });
});
