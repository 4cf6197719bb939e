import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { loadCore } from '../../../../ts/runtime/native/load-core.ts';
import { TimerQueue } from '../../../../ts/runtime/state/timer-queue.ts';
import { shareOfRuns } from '../../../property-runs.ts';
import { tinyGraph } from '../../../native/support/tiny-job.ts';

const core = loadCore();
let job: number;
beforeAll(() => {
  job = core.createJob(tinyGraph());
});
afterAll(() => core.dropJob(job));

/** Timers in a list, looked through each time. */
class NaiveTimers {
  timers: { readonly slot: number; readonly time: number }[] = [];

  register(slot: number, time: number): void {
    if (!this.timers.some((timer) => timer.slot === slot && timer.time === time)) this.timers.push({ slot, time });
  }

  cancel(slot: number, time: number): void {
    this.timers = this.timers.filter((timer) => timer.slot !== slot || timer.time !== time);
  }

  take(upToMs: number): { readonly slot: number; readonly time: number } | undefined {
    const [next] = this.timers.filter(({ time }) => time <= upToMs).toSorted((a, b) => a.time - b.time);
    this.timers = this.timers.filter((timer) => timer !== next);
    return next;
  }
}

const slot = fc.integer({ min: 0, max: 3 });
const time = fc.integer({ min: -5, max: 40 });
const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('register' as const), slot, time }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('cancel' as const), slot, time }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('take' as const), stepMs: fc.constantFrom(0, 0, 0, 3) }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'flush' as const }) },
    // More than are taken of the core at a time.
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('many' as const), time }) },
  ),
  { maxLength: 80 },
);

describe('timers of one clock', () => {
  it('are those of a plain list, whatever is collected, with the core, or taken already', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const queue = new TimerQueue(core, job);
        const naive = new NaiveTimers();
        let upToMs = 0;
        for (const step of all) {
          if (step.kind === 'take') {
            upToMs += step.stepMs;
            expect(queue.take(upToMs)).toEqual(naive.take(upToMs));
          } else if (step.kind === 'flush') queue.flush();
          else if (step.kind === 'many') {
            for (let n = 4; n < 300; n++) for (const timers of [queue, naive]) timers.register(n, step.time + (n % 3));
          } else for (const timers of [queue, naive]) timers[step.kind](step.slot, step.time);
          const slots = [0, 1, 2, 3, 4, 5];
          if (step.kind === 'flush') expect(queue.without(slots)).toEqual(slots.filter((one) => !naive.timers.some((timer) => timer.slot === one)));
          const earliest = Math.min(...naive.timers.map((timer) => timer.time));
          expect(queue.earliestMs).toBeLessThanOrEqual(earliest);
        }
        for (let left = naive.timers.length; left >= 0; left--) expect(queue.take(Number.MAX_VALUE)).toEqual(naive.take(Number.MAX_VALUE));
        expect([queue.earliestMs, queue.size]).toEqual([Number.POSITIVE_INFINITY, 0]);
        queue.close();
      }),
      { numRuns: shareOfRuns(1) },
    );
  });
});
