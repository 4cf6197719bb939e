import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { startTimer, systemClock } from '../../../ts/common/clock.ts';

const DAY_MS = 86_400_000;

describe('a timer of the machine', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  // Node lets one of more than 24.8 days fire at once.
  it.each([1, DAY_MS, 24 * DAY_MS, 25 * DAY_MS, 60 * DAY_MS])('given a delay of %i ms, when it has passed, then it fires, once, and not before', (delayMs) => {
    const wake = vi.fn();
    startTimer(systemClock, delayMs, wake);
    vi.advanceTimersByTime(delayMs - 1);
    expect(wake).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(wake).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([1, 60 * DAY_MS])('given one of %i ms, when it is taken back, then nothing is left of it', (delayMs) => {
    const wake = vi.fn();
    const stop = startTimer(systemClock, delayMs, wake);
    vi.advanceTimersByTime(delayMs - 1);
    stop();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(DAY_MS);
    expect(wake).not.toHaveBeenCalled();
  });
});
