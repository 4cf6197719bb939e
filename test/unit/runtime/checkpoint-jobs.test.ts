import { describe, expect, it } from 'vitest';

import { SageError } from '../../../ts/common/errors.ts';
import { checkpointsJson, JobCheckpoints } from '../../../ts/runtime/job/job-checkpoints.ts';

const completed = (epoch: number, bytes = epoch * 10) => ({ event: 'epoch', epoch, state: 'completed', bytes, durationMs: 3, alignmentMs: 1 }) as const;
const failed = (epoch: number) => ({ event: 'epoch', epoch, state: 'failed', error: { code: 'SAGE_IO_DISK_FULL', message: 'the disk is full' } }) as const;

describe('the checkpoints of a job', () => {
  it('given epochs that end, when asked, then they are counted, and the last one that was written is known', () => {
    const checkpoints = new JobCheckpoints();
    checkpoints.restored(-1);
    expect([checkpoints.hasCompleted, checkpoints.metrics]).toEqual([false, { completed: 0, failed: 0, lastBytes: undefined, lastDurationMs: undefined, lastAlignmentMs: undefined, restoredEpoch: undefined }]);
    checkpoints.note({ event: 'epoch', epoch: 4, state: 'begun' });
    checkpoints.note(completed(4));
    checkpoints.note(failed(5));
    checkpoints.restored(4);
    expect([checkpoints.hasCompleted, checkpoints.metrics]).toEqual([true, { completed: 1, failed: 1, lastBytes: 40, lastDurationMs: 3, lastAlignmentMs: 1, restoredEpoch: 4 }]);
  });

  it('given one that is asked for, when it is written, then it resolves with what it is', async () => {
    const checkpoints = new JobCheckpoints();
    const written = checkpoints.write(() => 7);
    checkpoints.note({ event: 'epoch', epoch: 7, state: 'begun' });
    checkpoints.note(completed(7));
    expect(await written).toEqual({ epoch: 7, bytes: 70, durationMs: 3 });
  });

  it('given another one in flight, when that has ended, however it ended, then the one that was asked for is begun', async () => {
    for (const event of [completed(7), failed(7)]) {
      const checkpoints = new JobCheckpoints();
      const begun = [-1, 8];
      const written = checkpoints.write(() => begun.shift()!);
      checkpoints.note(event);
      await new Promise((resolve) => setImmediate(resolve));
      expect(begun).toEqual([]);
      checkpoints.note(completed(8));
      expect(await written).toMatchObject({ epoch: 8 });
    }
  });

  it('given one that cannot be written, when asked for, then it rejects with the error of the core', async () => {
    const checkpoints = new JobCheckpoints();
    const written = checkpoints.write(() => 7);
    checkpoints.note(failed(7));
    await expect(written).rejects.toMatchObject({ code: 'SAGE_IO_DISK_FULL' });
  });

  it('given an attempt that ends meanwhile, when one was asked for, then it rejects with why', async () => {
    const checkpoints = new JobCheckpoints();
    const written = checkpoints.write(() => 7);
    checkpoints.leave(new SageError('SAGE_WORKER_DIED', 'it died'));
    await expect(written).rejects.toMatchObject({ code: 'SAGE_WORKER_DIED' });
  });
});

describe('what the core is told of checkpoints', () => {
  const told = (checkpoint: object, restore: object = {}): unknown => JSON.parse(checkpointsJson({ checkpoint } as never, restore)!);

  it('given a job without, then that it has savepoints only', () => {
    expect(JSON.parse(checkpointsJson({}, {}))).toEqual({ savepointsOnly: true, from: 'none', allowDropped: false });
  });

  it('given a directory alone, then epochs are on demand, and the job begins anew', () => {
    expect(told({ dir: 'd' })).toEqual({ directory: 'd', minPauseMs: 0, retained: 3, from: 'none', allowDropped: false });
  });

  it('given all settings, then each arrives', () => {
    expect(told({ dir: 'd', intervalMs: 5, minPauseMs: 6, retained: 7 }, { from: 'latest', allowDropped: true })).toEqual({ directory: 'd', intervalMs: 5, minPauseMs: 6, retained: 7, from: 'latest', allowDropped: true });
    expect(told({ dir: 'd' }, { from: '/a/b' })).toMatchObject({ from: { path: '/a/b' } });
  });
});
