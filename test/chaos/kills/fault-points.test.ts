// Processes that end at a named moment of writing a checkpoint (SAGE_FAULT_POINT), and are started again.
import { describe, expect, it } from 'vitest';

import { heavy } from '../support/heavy.ts';
import { KillGround } from './kill-run.ts';
import { readLife } from './process-log.ts';
import { resultsOf } from './results.ts';
import { shapes } from './shapes.ts';

/** In their order, with what a new process finds when one ended there in epoch 3: that epoch, or the one before. */
const points: readonly (readonly [name: string, newest: 2 | 3])[] = [
  ['before-parts', 2],
  // The first part is the position of the source.
  ['during-parts', 2],
  ['before-index', 2],
  ['before-flush', 2],
  ['after-flush', 2],
  ['before-rename', 2],
  ['after-rename', 3],
  ['before-directory-sync', 3],
  ['after-directory-sync', 3],
  // Nothing is removed while epochs are on top of each other: retention-points.test.ts ends processes around retention and merges.
];
/** Those between which the answer changes. */
const SOME = new Set(['during-parts', 'before-rename', 'after-rename', 'after-directory-sync']);
const SHAPE = 'calls';
const TIMEOUT_MS = 120_000;

describe('a process that ends while it writes a checkpoint', () => {
  it.each(points.filter(([name]) => heavy || SOME.has(name)))('given %s of epoch 3, when another one goes on, then it does so from epoch %i, and the results are the undisturbed ones', async (point, newest) => {
    using ground = new KillGround();
    const out = ground.path('out');
    const args = { shape: SHAPE, out, dir: ground.path('checkpoints'), parallelism: 1, retained: 1, pauseMs: 1 };
    const first = await ground.process({ ...args, log: ground.path('first') }, { SAGE_FAULT_POINT: `${point}:3` });
    expect([first.signal, first.stderr]).toEqual(['SIGABRT', `SAGE_FAULT_POINT=${point}:3 ends the process here\n`]);
    const second = await ground.process({ ...args, log: ground.path('second') });
    expect([second.code, second.stderr]).toEqual([0, '']);
    const life = readLife(ground.path('second'));
    expect([life.restored, life.status]).toEqual([newest, 'finished']);
    expect(life.records.length).toBeLessThan(shapes[SHAPE]!.records);
    expect(resultsOf(out)).toEqual(await ground.whole(SHAPE));
  }, TIMEOUT_MS);

  it('given a name that no point has, when a job with checkpoints is submitted, then it is refused with the names', async () => {
    using ground = new KillGround();
    const args = { shape: SHAPE, out: ground.path('out'), dir: ground.path('checkpoints'), log: ground.path('log'), parallelism: 1, retained: 1, pauseMs: 1 };
    const { code, stderr } = await ground.process(args, { SAGE_FAULT_POINT: 'sometime' });
    expect(code).toBe(1);
    expect(stderr).toContain("SAGE_PLAN_CONFIG");
    expect(stderr).toContain('before-directory-sync');
  }, TIMEOUT_MS);
});
