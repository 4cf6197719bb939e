import { describe, expect, it } from 'vitest';

import { IdleWatch } from '../../../../ts/runtime/stage/idle-watch.ts';

const yes = (): boolean => true;
const no = (): boolean => false;

describe('given a watch for a second without records', () => {
  it('when none comes for so long, then it is idle, and no longer with the next record', () => {
    const watch = new IdleWatch(1000, 0);
    expect(watch.look(1, 100, yes)).toBe(false);
    expect(watch.dueInMs(300)).toBe(800);
    expect(watch.look(1, 1099, yes)).toBe(false);
    expect(watch.look(1, 1100, yes)).toBe(true);
    expect([watch.isIdle, watch.dueInMs(5000)]).toEqual([true, undefined]);
    expect(watch.look(1, 5000, yes)).toBe(false);
    expect(watch.look(2, 5001, yes)).toBe(true);
    expect([watch.isIdle, watch.dueInMs(5001)]).toEqual([false, 1000]);
  });

  it('when no record could have come, as the job was paused, then the time begins anew', () => {
    const watch = new IdleWatch(1000, 0);
    expect(watch.look(0, 1000, no)).toBe(false);
    expect(watch.look(0, 1999, yes)).toBe(false);
    expect(watch.look(0, 2000, yes)).toBe(true);
  });

  it('when there was never a record, then it is idle after that time as well', () => {
    expect(new IdleWatch(1000, 500).look(0, 1500, yes)).toBe(true);
  });
});
