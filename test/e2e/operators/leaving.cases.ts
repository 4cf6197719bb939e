import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import { LocalEnvironment } from '../../../ts/index.ts';

/** Endless, and fails when it is left. */
function* failsAtTheEnd(): Generator<number> {
  try {
    for (let n = 0; ; n++) yield n;
  } finally {
    throw new Error('in finally'); // eslint-disable-line no-unsafe-finally -- that is the point
  }
}

async function* failsAtTheEndAsync(): AsyncGenerator<number> {
  yield* failsAtTheEnd();
}

const FORMS = [
  ['generator', failsAtTheEnd, 'SAGE_USER_THREW'],
  ['async generator', failsAtTheEndAsync, 'SAGE_USER_REJECTED'],
] as const;

/** What user code throws when it is told that nobody needs more of it. */
export function describeLeaving(label: string): void {
  describe(`leaving iterators, ${label}`, () => {
    it.each(FORMS)('given a %s in flatMap that fails when a limit leaves it, then that is the error of flatMap at its record', async (_, results, code) => {
      const env = new LocalEnvironment();
      env.fromCollection(['seed']).flatMap(() => results()).named('expand').limit(3).sink([]);
      await expect(env.submit({ autostop: true })).rejects.toMatchObject({ code, operator: 'expand', record: 'seed', cause: { message: 'in finally' } });
    });

    it.each(FORMS)('given a %s in flatMap that fails because an operator behind it has failed, then the first error is told', async (_, results) => {
      for (const wait of [undefined, Promise.resolve()]) {
        const env = new LocalEnvironment();
        env
          .fromCollection(['seed'])
          .flatMap(() => results())
          .map((n) => {
            if (n === 3) throw new Error('real');
            return wait === undefined ? n : wait.then(() => n);
          })
          .named('behind')
          .sink([]);
        await expect(env.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_USER_THREW', operator: 'behind', record: 3, cause: { message: 'real' } });
      }
    });

    it.each(['skip', 'fail'] as const)('given an async iterator whose next and return reject, and onError(%s), then next decides, and no rejection is left over', async (policy) => {
      const refused: unknown[] = [];
      const note = (reason: unknown): number => refused.push(reason);
      process.on('unhandledRejection', note);
      try {
        const env = new LocalEnvironment();
        const broken = { next: () => Promise.reject(new Error('next')), return: () => Promise.reject(new Error('return')) };
        env
          .fromCollection([1, 2])
          .flatMap(() => ({ [Symbol.asyncIterator]: () => broken }) as AsyncIterable<number>)
          .onError(policy)
          .sink([]);
        const outcome = await env.submit({ autostop: true }).catch((error: unknown) => error);
        expect(outcome).toMatchObject(policy === 'skip' ? { recordsSkipped: 2 } : { code: 'SAGE_USER_REJECTED', operator: 'flatMap', record: 1, cause: { message: 'next' } });
        await nextTurn();
        expect(refused).toEqual([]);
      } finally {
        process.off('unhandledRejection', note);
      }
    });

    it.each(FORMS)('given a %s as a source that fails when a limit leaves it, then that is the error of the source, and the other sources are left too', async (_, records) => {
      const env = new LocalEnvironment();
      let left = 0;
      const other: Iterable<number> = {
        [Symbol.iterator]: () => ({
          next: () => ({ done: false, value: 1 }),
          return: () => {
            left++;
            return { done: true, value: undefined };
          },
        }),
      };
      env.fromSource(records, { unbounded: true }).named('feed').union(env.fromSource(other, { unbounded: true })).limit(5).sink([]);
      await expect(env.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_USER_SOURCE', operator: 'feed', cause: { message: 'in finally' } });
      expect(left).toBe(1);
    });

    it('given a ReadableStream whose cancel rejects, then a job that is stopped says so, with the name of the source', async () => {
      const env = new LocalEnvironment();
      const arrived = Promise.withResolvers<void>();
      const stream = new ReadableStream<number>({
        start: (controller) => controller.enqueue(1),
        cancel: () => Promise.reject(new Error('cannot be cancelled')),
      });
      env.fromSource(stream).named('feed').sink(() => arrived.resolve());
      const job = await env.submit();
      await arrived.promise;
      await expect(job.stop()).rejects.toMatchObject({ code: 'SAGE_USER_SOURCE', operator: 'feed', cause: { message: 'cannot be cancelled' } });
    });
  });
}
