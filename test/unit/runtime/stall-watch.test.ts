import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { StallWatch, type StallWatchOptions } from '../../../ts/runtime/worker/stall-watch.ts';

const TIMEOUT_MS = 5_000;
/** Looks are ten in a timeout, and one more may go by before the question. */
const LATEST_MS = TIMEOUT_MS * 1.3;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A thread that answers while `isWell`. */
function watchOf(options: Partial<StallWatchOptions> = {}) {
  const thread = { isWell: true, asked: 0, stalls: [] as number[] };
  const watch: StallWatch = new StallWatch({
    timeoutMs: TIMEOUT_MS,
    clock: { monotonicMs: () => Date.now() },
    mayBeSilent: () => false,
    ask: () => {
      thread.asked++;
      if (thread.isWell) setTimeout(() => watch.heard(), 1);
    },
    onStall: (silentMs) => thread.stalls.push(silentMs),
    ...options,
  });
  return { watch, thread };
}

describe('a watch over a thread', () => {
  it('given a thread that answers, when hours pass, then it is asked at most once a second, and no stall is seen', () => {
    const { watch, thread } = watchOf({ timeoutMs: 30_000 });
    watch.heard();
    vi.advanceTimersByTime(3_600_000);
    expect(thread.stalls).toEqual([]);
    expect(thread.asked).toBeGreaterThan(1_000);
    expect(thread.asked).toBeLessThanOrEqual(3_600);
  });

  it('given a thread that answers no more, when the timeout has passed, then a stall is told once, not before', () => {
    const { watch, thread } = watchOf();
    watch.heard();
    vi.advanceTimersByTime(20_000);
    thread.isWell = false;
    vi.advanceTimersByTime(TIMEOUT_MS - 1);
    expect(thread.stalls).toEqual([]);
    vi.advanceTimersByTime(LATEST_MS - TIMEOUT_MS);
    expect(thread.stalls).toHaveLength(1);
    expect(thread.stalls[0]).toBeGreaterThanOrEqual(TIMEOUT_MS);
    vi.advanceTimersByTime(100_000);
    expect(thread.stalls).toHaveLength(1);
  });

  it('given a silence below the timeout, when the thread answers again, then it begins anew', () => {
    const { watch, thread } = watchOf();
    watch.heard();
    for (let n = 0; n < 5; n++) {
      thread.isWell = false;
      vi.advanceTimersByTime(TIMEOUT_MS - 600);
      thread.isWell = true;
      watch.heard();
      vi.advanceTimersByTime(1_000);
    }
    expect(thread.stalls).toEqual([]);
  });

  it('given a watcher that hangs itself, or a machine that sleeps, when it comes back, then the thread has not been silent for all of that time', () => {
    const { watch, thread } = watchOf();
    watch.heard();
    thread.isWell = false;
    vi.advanceTimersByTime(1_000);
    vi.setSystemTime(Date.now() + 3_600_000);
    vi.advanceTimersByTime(1_000);
    expect(thread.stalls).toEqual([]);
    vi.advanceTimersByTime(TIMEOUT_MS);
    expect(thread.stalls).toHaveLength(1);
  });

  it('given a thread that was never heard of, when time passes, then nothing is asked: it is still being started', () => {
    const { thread } = watchOf();
    vi.advanceTimersByTime(100_000);
    expect([thread.asked, thread.stalls]).toEqual([0, []]);
  });

  it('given a debugger, when the thread stands at a breakpoint, then that is no stall; it is one again without', () => {
    let isDebugged = true;
    const { watch, thread } = watchOf({ mayBeSilent: () => isDebugged });
    watch.heard();
    thread.isWell = false;
    vi.advanceTimersByTime(100_000);
    expect(thread.stalls).toEqual([]);
    isDebugged = false;
    vi.advanceTimersByTime(LATEST_MS);
    expect(thread.stalls).toHaveLength(1);
  });

  it('given a longer timeout at first, when the thread is silent meanwhile, then that one counts, and behind it a silence counts anew', () => {
    let isFirst = true;
    const { watch, thread } = watchOf({ atFirst: { timeoutMs: 60_000, holds: () => isFirst } });
    watch.heard();
    thread.isWell = false;
    vi.advanceTimersByTime(LATEST_MS);
    expect(thread.stalls).toEqual([]);
    isFirst = false;
    vi.advanceTimersByTime(TIMEOUT_MS - 600);
    expect(thread.stalls).toEqual([]);
    vi.advanceTimersByTime(1_200);
    expect(thread.stalls).toHaveLength(1);
  });

  it.each([
    ['that is stopped', {}, (watch: StallWatch) => watch.stop()],
    ['for ever', { timeoutMs: Number.POSITIVE_INFINITY }, () => undefined],
  ] as const)('given a timeout %s, when the thread is silent, then nothing is told', (_, options, end) => {
    const { watch, thread } = watchOf(options);
    watch.heard();
    thread.isWell = false;
    end(watch);
    vi.advanceTimersByTime(10_000_000);
    expect(thread.stalls).toEqual([]);
  });
});
