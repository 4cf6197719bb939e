import { beforeEach, describe, expect, it } from 'vitest';

import type { JobResult } from '../../../ts/index.ts';
import { connectedLoops, given } from '../pipelines/connected-loops.ts';
import { ALWAYS_ON_DISK } from '../state/state-environment.ts';
import { numbers } from '../support/run-to-array.ts';

beforeEach(() => {
  given.laps.length = 0;
  given.onLap = () => undefined;
});

function expectWhole({ edges, operators }: JobResult): void {
  for (const { sent, received } of edges) expect(sent).toBe(received);
  expect(operators.find(({ name }) => name === 'process')!.recordsOut).toBe(given.laps.length);
}

describe('a loop through a co-process function over worker threads', () => {
  it.each([[2, 'memory'], [3, ALWAYS_ON_DISK]] as const)('has all rounds of all records, with %i instances and state in %j', async (parallelism, state) => {
    const result = await connectedLoops.run({ walkers: 120, rounds: 7, parallelism }, { state });
    expect(result.isolates).toBeGreaterThanOrEqual(2);
    const sorted = given.laps.toSorted((a, b) => a.id - b.id || b.left - a.left);
    expect(sorted).toEqual(numbers(120).flatMap((id) => numbers(8).map((n) => ({ id, left: 7 - n }))));
    expectWhole(result);
  });

  it.each([['stop', 'memory'], ['drain', 'memory'], ['stop', ALWAYS_ON_DISK], ['drain', ALWAYS_ON_DISK]] as const)('ends in the middle by %s, with state in %j, and its counts add up', async (how, state) => {
    const enough = new Promise<void>((resolve) => {
      given.onLap = (laps) => void (laps >= 500 && resolve());
    });
    const job = await connectedLoops.submit({ walkers: 'endless', rounds: 5, parallelism: 2 }, { state });
    await enough;
    await job.stop({ drain: how === 'drain' });
    const result = await job.completion;
    expectWhole(result);
    if (how === 'drain') {
      // then nobody is left in the loop
      const walkers = new Set(given.laps.map(({ id }) => id));
      expect(given.laps.length).toBe(walkers.size * 6);
      expect(result.recordsIn).toBe(walkers.size);
    }
  });

  it('is cancelled in the middle', async () => {
    const enough = new Promise<void>((resolve) => {
      given.onLap = (laps) => void (laps >= 200 && resolve());
    });
    const job = await connectedLoops.submit({ walkers: 'endless', rounds: 1e9, parallelism: 2 }, { state: ALWAYS_ON_DISK });
    await enough;
    await job.cancel();
    expect(job.status).toBe('canceled');
  });
});
