// The behaviour that must hold of feedback loops, by its number in the design, as `behaviours.test.ts` has the others.
import { describe, expect, it } from 'vitest';

import { LocalEnvironment, isSageError } from '../../ts/index.ts';

describe('22: an unfilled future is rejected, as is a second fill; a loop of 5 counts 5 and ends (there: 1 of 5)', () => {
  const codeOf = async (run: () => unknown): Promise<string | undefined> => {
    try {
      await run();
    } catch (error) {
      return isSageError(error) ? error.code : undefined;
    }
    return undefined;
  };

  it('an unfilled future is rejected before anything runs, with the line of the future', async () => {
    const env = new LocalEnvironment();
    const again = env.fromFuture<number>('again');
    env.fromCollection([1]).union(again).sink([]);
    await expect(env.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_PLAN_FUTURE', message: expect.stringContaining("'again'") as unknown });
    await expect(env.submit({ autostop: true })).rejects.toMatchObject({ message: expect.stringContaining('behaviours-feedback.test.ts') as unknown });
  });

  it('a second fill is rejected', async () => {
    const env = new LocalEnvironment();
    const again = env.fromFuture<number>('again');
    const next = env.fromCollection([1]).union(again).map((n) => n + 1);
    next.filter((n) => n < 5).fillFuture(again);
    expect(await codeOf(() => next.fillFuture(again))).toBe('SAGE_PLAN_FUTURE');
  });

  it('a loop of 5 counts 5 and ends', async () => {
    const env = new LocalEnvironment();
    const seen: number[] = [];
    const again = env.fromFuture<number>('again');
    const counted = env.fromCollection([0]).union(again).map((n) => n + 1);
    counted.filter((n) => n < 5).fillFuture(again);
    counted.sink(seen);
    const result = await env.submit({ autostop: true });
    expect(seen).toEqual([1, 2, 3, 4, 5]);
    expect(result.status).toBe('finished');
  });
});
