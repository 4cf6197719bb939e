import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';

import { type Job, JobManager, LocalEnvironment, MapFunction, count, sum } from '../../ts/index.ts';
import { runScript } from './support/run-script.ts';
import { numbers } from './support/run-to-array.ts';

const script = (name: string): string => fileURLToPath(new URL(`scripts/${name}.ts`, import.meta.url));

/** An endless source of 0, 1, 2 ... that yields to the event loop, and what has arrived of it. */
function endless(env = new LocalEnvironment('endless')): { env: LocalEnvironment; arrived: number[]; some: (atLeast: number) => Promise<void> } {
  const arrived: number[] = [];
  env
    .fromSource(
      async function* () {
        for (let n = 0; ; n++) {
          if (n % 10 === 0) await nextTurn();
          yield n;
        }
      },
      { unbounded: true },
    )
    .map((n) => n)
    .sink(arrived);
  return { env, arrived, some: (atLeast) => expect.poll(() => arrived.length, { interval: 1 }).toBeGreaterThanOrEqual(atLeast) };
}

const quiet = async (arrived: readonly unknown[]): Promise<boolean> => {
  const before = arrived.length;
  for (let n = 0; n < 50; n++) await nextTurn();
  return arrived.length === before;
};

afterEach(() => JobManager.instance().cleanupAllJobs());

describe('pause and resume', () => {
  it('delivery stops within 100 ms and goes on without gap or duplicate, again and again', async () => {
    const { env, arrived, some } = endless();
    const job = await env.submit();
    for (let round = 1; round <= 5; round++) {
      await some(arrived.length + 100);
      await job.pause();
      expect(job.status).toBe('paused');
      await expect.poll(() => quiet(arrived), { timeout: 100 }).toBe(true);
      await job.resume();
      expect(job.status).toBe('running');
    }
    await some(arrived.length + 100);
    await job.cancel();
    expect(arrived).toEqual(numbers(arrived.length));
  });

  it('pausing what is paused, resuming what runs, and both after the end say so plainly and change nothing', async () => {
    const { env, some } = endless();
    const job = await env.submit();
    const wrongState = { code: 'SAGE_JOB_STATE' };
    await some(1);
    await job.pause();
    await expect(job.pause()).rejects.toMatchObject(wrongState);
    expect(job.status).toBe('paused');
    await job.resume();
    await expect(job.resume()).rejects.toMatchObject(wrongState);
    expect(job.status).toBe('running');
    await job.cancel();
    await expect(job.pause()).rejects.toMatchObject(wrongState);
    expect(job.status).toBe('canceled');
  });

  it('a paused job can be cancelled and stopped', async () => {
    for (const verb of ['cancel', 'stop'] as const) {
      const { env, arrived, some } = endless();
      const job = await env.submit();
      await some(20);
      await job.pause();
      await job[verb]();
      expect(job.status).toBe(verb === 'cancel' ? 'canceled' : 'stopped');
      expect(arrived).toEqual(numbers(arrived.length));
    }
  });

  it('a finite job that was paused finishes after its resume', async () => {
    const env = new LocalEnvironment();
    const arrived: number[] = [];
    env.fromSource(async function* () {
      for (const n of numbers(500)) {
        await nextTurn();
        yield n;
      }
    }).sink(arrived);
    const job = await env.submit();
    await expect.poll(() => arrived.length, { interval: 1 }).toBeGreaterThan(10);
    await job.pause();
    await nextTurn();
    await job.resume();
    expect((await job.completion).status).toBe('finished');
    expect(arrived).toEqual(numbers(500));
  });
});

describe('stop', () => {
  const aggregating = (): { env: LocalEnvironment; results: unknown[]; seen: number[] } => {
    const env = new LocalEnvironment();
    const results: unknown[] = [];
    const seen: number[] = [];
    const source = env.fromSource(async function* () {
      for (let n = 0; ; n++) {
        await nextTurn();
        yield n;
      }
    });
    const counted = source.map((n) => {
      seen.push(n);
      return n;
    });
    counted.keyBy(() => 'all').aggregate({ n: count(), total: sum((n: number) => n) }).sink(results);
    counted.aggregate({ n: count() }).sink(results);
    return { env, results, seen };
  };

  it('records in flight finish; final aggregates do not fire', async () => {
    const { env, results, seen } = aggregating();
    const job = await env.submit();
    await expect.poll(() => seen.length, { interval: 1 }).toBeGreaterThan(20);
    const result = await job.stop();
    expect(result.status).toBe('stopped');
    expect(results).toEqual([]);
    expect(result.recordsIn).toBe(seen.length);
  });

  it('with drain, final aggregates fire over everything that came', async () => {
    const { env, results, seen } = aggregating();
    const job = await env.submit();
    await expect.poll(() => seen.length, { interval: 1 }).toBeGreaterThan(20);
    await job.stop({ drain: true });
    expect(results).toHaveLength(2);
    expect(results).toEqual(expect.arrayContaining([{ key: 'all', n: seen.length, total: seen.reduce((a, b) => a + b, 0) }, { n: seen.length }]));
  });

  it('nothing between the source and a slow sink is lost', async () => {
    const env = new LocalEnvironment();
    let made = 0;
    const arrived: number[] = [];
    env
      .fromSource(() => made++, { unbounded: true })
      .flatMap((n) => [n, n + 0.5])
      .sink(async (n) => {
        await nextTurn();
        arrived.push(n);
      });
    const job = await env.submit();
    await expect.poll(() => arrived.length, { interval: 1 }).toBeGreaterThan(20);
    await job.stop();
    expect(arrived).toEqual(numbers(2 * made).map((n) => n / 2));
  });

  it('a second stop, and a stop after the end, give the same result', async () => {
    const { env, some } = endless();
    const job = await env.submit();
    await some(5);
    const results = await Promise.all([job.stop(), job.stop(), job.completion]);
    expect(new Set(results).size).toBe(1);
    expect(await job.stop()).toBe(results[0]);
  });
});

describe('cancel', () => {
  it('acts within 100 ms, also on a source that never waits', async () => {
    const env = new LocalEnvironment();
    let arrived = 0;
    env.fromSource(function* () {
      for (let n = 0; ; n++) yield n;
    }).map((n) => n + 1).filter((n) => n % 2 === 0).sink(() => {
      arrived++;
    });
    const job = await env.submit();
    await expect.poll(() => arrived, { interval: 1 }).toBeGreaterThan(1000);
    const beganMs = performance.now();
    await job.cancel();
    expect(performance.now() - beganMs).toBeLessThan(300); // 100 on a machine of our own; this one may be shared
    expect(job.status).toBe('canceled');
    expect((await job.completion).status).toBe('canceled');
  });

  it('an AbortSignal cancels, and completion rejects with its reason as the cause', async () => {
    const { env, some } = endless();
    const abort = new AbortController();
    const job = await env.submit({ signal: abort.signal });
    await some(5);
    const reason = new Error('enough');
    abort.abort(reason);
    await expect(job.completion).rejects.toMatchObject({ code: 'SAGE_JOB_CANCELED', cause: reason });
    expect(job.status).toBe('canceled');
  });

  it('a signal that was aborted before starts nothing', async () => {
    const { env, arrived } = endless();
    await expect(env.submit({ signal: AbortSignal.abort('before') })).rejects.toMatchObject({ code: 'SAGE_JOB_CANCELED' });
    await expect(env.submit({ autostop: true, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'SAGE_JOB_CANCELED' });
    expect(arrived).toEqual([]);
  });

  it('await using ends jobs and environments', async () => {
    let job: Job;
    {
      const { env, some } = endless();
      await using running = await env.submit();
      job = running;
      await some(5);
    }
    expect(job.status).toBe('canceled');
    {
      await using env = new LocalEnvironment();
      const { some } = endless(env);
      job = await env.submit();
      await some(5);
    }
    expect(job.status).toBe('stopped');
  });

  it('ctx.signal tells functions that their job is over', async () => {
    const env = new LocalEnvironment();
    let aborted = 0;
    class Waits extends MapFunction<number, never> {
      execute(): Promise<never> {
        const { signal } = this.ctx;
        return new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            aborted++;
            reject(signal.reason as Error);
          });
        });
      }
    }
    env.fromCollection([1]).map(Waits).sink(() => undefined);
    const job = await env.submit();
    await nextTurn();
    await job.cancel();
    expect(aborted).toBe(1);
    expect((await job.completion).status).toBe('canceled');
  });
});

describe('JobManager', () => {
  it('lists jobs with their results until they are deleted; all verbs are idempotent', async () => {
    const manager = JobManager.instance();
    expect(JobManager.instance()).toBe(manager);
    const env = new LocalEnvironment('finite');
    env.fromCollection(numbers(5)).sink([]);
    const id = await manager.submitJob(env);
    await manager.getJob(id).completion;
    expect(manager.getJobStatus(id)).toMatchObject({ id, name: 'finite', status: 'finished', result: { recordsIn: 5, recordsOut: 5 } });
    expect(manager.listJobs().map((job) => job.id)).toContain(id);
    expect((await manager.stopJob(id)).status).toBe('finished');
    expect((await manager.cancelJob(id)).status).toBe('finished');
    expect(await manager.deleteJob(id)).toBe(true);
    expect(await manager.deleteJob(id)).toBe(false);
    expect(() => manager.getJobStatus(id)).toThrow(expect.objectContaining({ code: 'SAGE_JOB_NOT_FOUND' }) as Error);
    await expect(manager.pauseJob(id)).rejects.toMatchObject({ code: 'SAGE_JOB_NOT_FOUND' });
  });

  it('says of a job that runs what it guarantees, and which sink limits that', async () => {
    const manager = JobManager.instance();
    const { env, some } = endless();
    const id = await manager.submitJob(env);
    await some(1);
    expect(manager.getJobStatus(id).guarantee).toEqual({ level: 'none', limits: [] });
    expect((await manager.cancelJob(id)).guarantee).toEqual({ level: 'none', limits: [] });
    const directory = mkdtempSync(join(tmpdir(), 'sage-guarantee-'));
    try {
      const limited = new LocalEnvironment('limited', { checkpoint: { dir: directory } });
      limited.fromSource(async function* () { for (;;) yield nextTurn(1); }).sink(() => undefined).named('twice');
      const other = await manager.submitJob(limited);
      expect(manager.getJobStatus(other)).toMatchObject({ result: undefined, guarantee: { level: 'atLeastOnce', limits: expect.arrayContaining([expect.objectContaining({ operator: 'twice', kind: 'sink' })]) as unknown } });
      await manager.cancelJob(other);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('a job that failed says why, and stays as it is', async () => {
    const manager = JobManager.instance();
    const env = new LocalEnvironment('fails');
    env.fromCollection([1]).map(() => { throw new RangeError('no'); }).named('bad').sink([]);
    const job = await env.submit();
    await expect(job.completion).rejects.toThrow('no');
    const failed = { id: job.id, status: 'failed', error: { code: 'SAGE_USER_THREW', operator: 'bad' }, result: { recordsOut: 0 } };
    expect(manager.getJobStatus(job.id)).toMatchObject(failed);
    expect(await manager.stopJob(job.id)).toMatchObject(failed);
    expect(await manager.cancelJob(job.id)).toMatchObject(failed);
    expect(await manager.deleteJob(job.id)).toBe(true);
  });

  it('pauses, resumes, stops, and deletes running jobs only by force', async () => {
    const manager = JobManager.instance();
    const { env, some } = endless();
    const id = await manager.submitJob(env);
    await some(5);
    expect((await manager.pauseJob(id)).status).toBe('paused');
    expect((await manager.resumeJob(id)).status).toBe('running');
    await expect(manager.deleteJob(id)).rejects.toMatchObject({ code: 'SAGE_JOB_STATE' });
    expect(manager.getServerInfo()).toMatchObject({ pid: process.pid, runningJobs: 1 });
    expect(manager.healthCheck()).toMatchObject({ healthy: true, runningJobs: 1 });
    const job = manager.getJob(id);
    expect(await manager.deleteJob(id, { force: true })).toBe(true);
    expect(job.status).toBe('canceled');
    expect(manager.listJobs()).toEqual([]);
  });

  it('cleanupAllJobs cancels what runs and empties the list; twice is fine', async () => {
    const manager = JobManager.instance();
    const running = [endless(), endless(), endless()];
    const jobs = await Promise.all(running.map(({ env }) => env.submit()));
    await Promise.all(running.map(({ some }) => some(3)));
    expect(await manager.cleanupAllJobs()).toBe(3);
    expect(jobs.map((job) => job.status)).toEqual(['canceled', 'canceled', 'canceled']);
    expect(await manager.cleanupAllJobs()).toBe(0);
  });

  it('twenty jobs side by side do not mix', async () => {
    const outs = await Promise.all(
      numbers(20).map(async (n) => {
        const env = new LocalEnvironment(`job ${n}`);
        const out: number[] = [];
        env.fromCollection(numbers(500)).map((x) => (x % 50 === 0 ? Promise.resolve(x + n) : x + n)).keyBy((x) => x % 7).reduce((a, b) => a + b).sink(out);
        const result = await env.submit({ autostop: true });
        expect(result.name).toBe(`job ${n}`);
        return out.reduce((a, b) => a + b, 0);
      }),
    );
    expect(outs).toEqual(numbers(20).map((n) => (499 * 500) / 2 + 500 * n));
  });
});

describe('the process', () => {
  it('exits by itself when all jobs have ended', async () => {
    const { code, stdout, stderr } = await runScript(script('exits-by-itself'));
    expect({ code, stderr, lines: stdout.trim().split('\n').toSorted() }).toEqual({ code: 0, stderr: '', lines: ['second finished', 'third finished'] });
  });

  it('says what failed when nobody looked, and exits with 1', async () => {
    const { code, stderr } = await runScript(script('failing'));
    expect(code).toBe(1);
    expect(stderr).toContain("job 'unwatched' failed");
    expect(stderr).toContain('two is too many');
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('%s stops the job within a deadline, then ends the process', async (name) => {
    let sent = false;
    const outcome = await runScript(script('interrupted'), [], {
      onOutput: (stdout, kill) => {
        if (!sent && stdout.includes('running')) kill(name);
        sent ||= stdout.includes('running');
      },
    });
    expect(outcome.stdout).toContain('ended stopped with 0 lost');
    expect(outcome.signal ?? outcome.code).toBe(name === 'SIGTERM' ? 0 : name);
  });
});
