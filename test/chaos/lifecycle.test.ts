import { setImmediate as nextTurn, setTimeout as after } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';

import { type Job, JobManager, LocalEnvironment, SinkFunction, isSageError } from '../../ts/index.ts';
import { failureOf } from '../e2e/support/failure-of.ts';

/** Starts an endless job, or one that fails, whose sink takes its time to close; and how often that was done. */
async function start(fails = false): Promise<{ job: Job; closed: () => number }> {
  let closed = 0;
  class SlowToClose extends SinkFunction<number> {
    execute(): void {}
    override async close(): Promise<void> {
      await after(50);
      closed++;
    }
  }
  const env = new LocalEnvironment('closing');
  let n = 0;
  env
    .fromSource(() => n++, { unbounded: true })
    .map((value) => {
      if (fails && value === 1000) throw new RangeError('enough');
      return value;
    })
    .sink(SlowToClose);
  const job = await env.submit();
  return { job, closed: () => closed };
}

const running = (job: Job): Promise<void> => expect.poll(() => job.metrics().operators[0]!.recordsOut, { interval: 1 }).toBeGreaterThan(0);

afterEach(() => JobManager.instance().cleanupAllJobs());

describe('verbs while a job that is over still closes its functions', () => {
  it('stop behind cancel waits for the same end', async () => {
    const { job, closed } = await start();
    await running(job);
    const canceled = job.cancel();
    const result = await job.stop();
    expect(result.status).toBe('canceled');
    expect(closed()).toBe(1);
    await canceled;
    expect(await job.completion).toBe(result);
  });

  it('stop behind a failure rejects with that failure, when everything is closed', async () => {
    const { job, closed } = await start(true);
    const failed = failureOf(job.completion);
    await expect.poll(() => job.status, { interval: 1 }).toBe('failed');
    expect(await failureOf(job.stop())).toBe(await failed);
    expect(closed()).toBe(1);
  });

  it('cancel behind stop ends it at once', async () => {
    const { job, closed } = await start();
    await running(job);
    const stopped = job.stop();
    await job.cancel();
    expect((await stopped).status).toBe(job.status);
    expect(closed()).toBe(1);
  });

  it('pause and resume say that it is too late', async () => {
    const { job, closed } = await start();
    await running(job);
    const canceled = job.cancel();
    await expect(job.pause()).rejects.toMatchObject({ code: 'SAGE_JOB_STATE' });
    await expect(job.resume()).rejects.toMatchObject({ code: 'SAGE_JOB_STATE' });
    await canceled;
    expect(closed()).toBe(1);
  });
});

describe('verbs in any order', () => {
  const verbs = ['pause', 'resume', 'stop', 'cancel'] as const;
  type Verb = (typeof verbs)[number];
  const orders = verbs.flatMap((a) => verbs.flatMap((b) => verbs.map((c) => [a, b, c] as const)));

  /** Does one to a job, and says why it was too early or too late. */
  const refusal = (job: Job, verb: Verb): Promise<unknown> =>
    job[verb]().then(
      () => undefined,
      (error: unknown) => (isSageError(error) ? error.code : error),
    );

  it.each([0, 1, 3])('with %i turns of the event loop in between: the job ends, everything is closed once', async (turns) => {
    await Promise.all(
      orders.map(async (order) => {
        const { job, closed } = await start();
        const refusals: Promise<readonly [Verb, unknown]>[] = [];
        for (const verb of [...order, 'cancel'] as const) {
          refusals.push(refusal(job, verb).then((why) => [verb, why]));
          for (let n = 0; n < turns; n++) await nextTurn();
        }
        for (const [verb, why] of await Promise.all(refusals)) {
          // It is never too early or too late to ask for the end.
          if (verb === 'stop' || verb === 'cancel') expect({ order, verb, why }).toEqual({ order, verb, why: undefined });
          else expect([undefined, 'SAGE_JOB_STATE']).toContain(why);
        }
        expect(['stopped', 'canceled']).toContain(job.status);
        expect({ order, closed: closed() }).toEqual({ order, closed: 1 });
      }),
    );
  });
});
