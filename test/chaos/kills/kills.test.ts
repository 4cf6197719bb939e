// Processes that are killed with SIGKILL at random moments and started again: the result is that of a process that nobody kills.
import { describe, expect, it } from 'vitest';

import { heavy } from '../support/heavy.ts';
import { KillGround, type KillRun } from './kill-run.ts';
import { statisticsOf } from './kill-statistics.ts';

/** Each has four kills and is of another pipeline; `npm run chaos` runs as many as one likes. */
const SEEDS = heavy ? Array.from({ length: 15 }, (_, seed) => seed) : [5, 6];
/** Processes that start one after the other, on a busy machine. */
const TIMEOUT_MS = 300_000;

describe('a process that is killed at random moments', () => {
  it(`given cases of the seeds ${SEEDS.join(', ')}, when each has gone on from its newest checkpoint to the end, then the results are the undisturbed ones and little is read again`, async () => {
    using ground = new KillGround();
    const runs: KillRun[] = [];
    for (const seed of SEEDS) runs.push(await ground.run(seed));
    // What each kill has to hold was looked at by `run`: nothing that is in a checkpoint was read again.
    const { kills, afterEpoch, recovered } = statisticsOf(runs);
    expect(kills).toBeGreaterThan(2 * SEEDS.length);
    expect(afterEpoch / kills).toBeGreaterThanOrEqual(0.8);
    expect(recovered / kills).toBeGreaterThanOrEqual(0.8);
  }, TIMEOUT_MS);
});
