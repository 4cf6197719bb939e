import { afterEach, describe, expect, it } from 'vitest';

import { type Job, JobManager, LocalEnvironment } from '../../ts/index.ts';

afterEach(() => JobManager.instance().cleanupAllJobs());

const reason = new Error('no more patience');

/** A running job whose sink holds the first record until `letGo`, so that nothing can end before. */
async function stuck(): Promise<{ env: LocalEnvironment; job: Job; letGo: () => void }> {
  const env = new LocalEnvironment('stuck');
  const gate = Promise.withResolvers<void>();
  let arrived = 0;
  env.fromSource(() => 1, { unbounded: true }).sink(() => {
    arrived++;
    return gate.promise;
  });
  const job = await env.submit();
  await expect.poll(() => arrived, { interval: 1 }).toBe(1);
  return { env, job, letGo: gate.resolve };
}

/** A sink object that is closed. */
function withClose(execute: (record: number) => void, close: () => Promise<void>): { execute: (record: number) => void; close: () => Promise<void> } {
  return { execute, close };
}

const ABORTED = { code: 'SAGE_WAIT_ABORTED', cause: reason };

describe('signals of calls that wait', () => {
  it.each<[string, (job: Job, env: LocalEnvironment, signal: AbortSignal) => Promise<unknown>]>([
    ['job.stop', (job, _, signal) => job.stop({ signal })],
    ['env.close', (_job, env, signal) => env.close({ signal })],
    ['manager.stopJob', (job, _, signal) => JobManager.instance().stopJob(job.id, { signal })],
  ])('given %s and an abort, then the wait ends at once with the reason, and the job goes on stopping', async (_, call) => {
    const { env, job, letGo } = await stuck();
    const controller = new AbortController();
    const waiting = call(job, env, controller.signal);
    controller.abort(reason);
    await expect(waiting).rejects.toMatchObject(ABORTED);
    await expect(call(job, env, controller.signal)).rejects.toMatchObject(ABORTED);
    expect(job.status).toBe('stopping');
    letGo();
    expect((await job.completion).status).toBe('stopped');
  });

  it('given cancel and functions that take their time, then the wait ends with the signal, and the job is cancelled', async () => {
    const env = new LocalEnvironment();
    const gate = Promise.withResolvers<void>();
    let arrived = 0;
    env.fromSource(() => 1, { unbounded: true }).sink(withClose(() => { arrived++; }, () => gate.promise));
    const job = await env.submit();
    await expect.poll(() => arrived, { interval: 1 }).toBeGreaterThan(0);
    await expect(job.cancel({ signal: AbortSignal.abort(reason) })).rejects.toMatchObject(ABORTED);
    gate.resolve();
    await job.ended;
    expect(job.status).toBe('canceled');
  });

  it('given a signal that is aborted later or never, then the calls give what they give without it, and leave no listener', async () => {
    const { signal } = new AbortController();
    let listening = 0;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = ((...args: Parameters<typeof addEventListener>) => { listening++; addEventListener.apply(signal, args); }) as typeof addEventListener;
    signal.removeEventListener = ((...args: Parameters<typeof removeEventListener>) => { listening--; removeEventListener.apply(signal, args); }) as typeof removeEventListener;
    const { env, job, letGo } = await stuck();
    await job.pause({ signal });
    expect(job.status).toBe('paused');
    await job.resume();
    letGo();
    expect((await job.stop({ signal })).status).toBe('stopped');
    await job.cancel({ signal });
    await env.close({ signal });
    const other = await stuck();
    other.letGo();
    await JobManager.instance().cancelJob(other.job.id, { signal });
    expect(await JobManager.instance().deleteJob(other.job.id, { signal })).toBe(true);
    expect(listening).toBe(0);
  });

  it('given something else than a signal, then the call says so', async () => {
    const { job, letGo } = await stuck();
    await expect(job.cancel({ signal: 5 } as never)).rejects.toMatchObject({ code: 'SAGE_PLAN_ARGUMENT' });
    letGo();
  });

  it('given submitJob with a signal, then that is the signal of the job', async () => {
    const controller = new AbortController();
    const env = new LocalEnvironment();
    env.fromSource(() => undefined, { unbounded: true }).sink([]);
    const id = await JobManager.instance().submitJob(env, { signal: controller.signal });
    const failure = JobManager.instance().getJob(id).completion.catch((error: unknown) => error);
    controller.abort(reason);
    expect(await failure).toMatchObject({ code: 'SAGE_JOB_CANCELED', cause: reason });
  });
});

describe('await using', () => {
  it('given a job, then it is cancelled at the end of the block, and its functions are closed by then', async () => {
    const log: string[] = [];
    const env = new LocalEnvironment();
    const close = async (): Promise<void> => {
      await new Promise((resolve) => setImmediate(resolve));
      log.push('closed');
    };
    env.fromSource(() => 1, { unbounded: true }).sink(withClose(() => { log.push('record'); }, close));
    {
      await using job = await env.submit();
      await expect.poll(() => log.length, { interval: 1 }).toBeGreaterThan(0);
      expect(job.status).toBe('running');
    }
    expect([log.at(-1), env.activeJob]).toEqual(['closed', undefined]);
  });

  it('given an environment, then its jobs are stopped at the end of the block, also when it is left by an error', async () => {
    let made = 0;
    const arrived: number[] = [];
    let job: Job | undefined;
    await expect(
      (async () => {
        await using env = new LocalEnvironment();
        env.fromSource(() => made++, { unbounded: true }).sink(async (n) => {
          await Promise.resolve();
          arrived.push(n);
        });
        job = await env.submit();
        await expect.poll(() => arrived.length, { interval: 1 }).toBeGreaterThan(10);
        throw reason;
      })(),
    ).rejects.toBe(reason);
    expect([job!.status, arrived.length]).toEqual(['stopped', made]);
  });

  it('given the methods behind the syntax, then they do the same', async () => {
    const env = new LocalEnvironment();
    env.fromSource(() => 1, { unbounded: true }).sink([]);
    const job = await env.submit();
    await job[Symbol.asyncDispose]();
    expect(job.status).toBe('canceled');
    await job[Symbol.asyncDispose]();
    const second = await env.submit();
    await env[Symbol.asyncDispose]();
    expect(second.status).toBe('stopped');
  });
});
