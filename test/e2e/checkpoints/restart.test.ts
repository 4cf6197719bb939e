// Jobs whose functions fail for a while, and that are started again.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import { JsonLinesSink, LocalEnvironment, type Logger, type Seekable, SourceFunction } from '../../../ts/index.ts';
import type { LocalJob } from '../../../ts/runtime/job/local-job.ts';
import { Workplace } from './interrupted.ts';

const RECORDS = 500;
const items = Array.from({ length: RECORDS }, (_, n) => ({ n }));
const quiet: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => quiet };

/** A map that fails at its 300th record, `failures` times over. */
function failing(failures: number): { readonly map: (record: { n: number }) => { n: number }; readonly calls: () => number } {
  let left = failures;
  let calls = 0;
  return {
    calls: () => calls,
    map: (record) => {
      calls++;
      if (record.n === 300 && left-- > 0) throw new Error('not yet');
      return record;
    },
  };
}

describe('a job that is started again', () => {
  it.each([true, false])('given a function that fails twice, when two attempts are allowed, then the result is the undisturbed one (checkpoints: %s)', async (hasCheckpoints) => {
    using place = new Workplace();
    const { map } = failing(2);
    const env = new LocalEnvironment('again', {
      logger: quiet,
      restart: { kind: 'fixed', attempts: 2, delayMs: 1 },
      ...(hasCheckpoints ? { checkpoint: { dir: place.path('checkpoints'), intervalMs: 1 } } : {}),
    });
    env.fromCollection(items).map(map).sink(new JsonLinesSink(place.path('out.jsonl')));
    const result = await env.submit({ autostop: true });
    expect([result.status, result.restarts]).toEqual(['finished', 2]);
    expect(place.read('out.jsonl', true)).toBe(items.map((item) => `${JSON.stringify(item)}\n`).join(''));
  });

  it('given a function that fails three times, when two attempts are allowed, then the job fails with its error', async () => {
    const { map } = failing(3);
    const env = new LocalEnvironment('again', { logger: quiet, restart: { kind: 'fixed', attempts: 2, delayMs: 0 } });
    env.fromCollection(items).map(map).sink([]);
    const job = await env.submit();
    await expect(job.completion).rejects.toThrow(/not yet/);
    expect([job.status, job.metrics().restarts]).toEqual(['failed', 2]);
  });

  it('given no strategy, when a function fails, then there is one attempt', async () => {
    const { map, calls } = failing(1);
    const env = new LocalEnvironment('once', { logger: quiet });
    env.fromCollection(items).map(map).sink([]);
    await expect(env.submit({ autostop: true })).rejects.toThrow(/not yet/);
    expect(calls()).toBe(301);
  });

  it('given a long delay, when it is cancelled meanwhile, then it ends at once, cancelled', async () => {
    const { map, calls } = failing(9);
    const failed = Promise.withResolvers<void>();
    const logger: Logger = { ...quiet, warn: () => failed.resolve(), child: () => logger };
    const env = new LocalEnvironment('cancelled', { logger, restart: { kind: 'exponential', initialMs: 1e6, maxMs: 1e6 } });
    env.fromCollection(items).map(map).sink([]);
    const job = await env.submit();
    await failed.promise;
    expect(job.status).toBe('restarting');
    await job.cancel();
    expect([job.status, calls()]).toEqual(['canceled', 301]);
  });

  it('given a long delay, when it is stopped meanwhile, then another attempt is made, and stopped', async () => {
    const { map } = failing(1);
    const failed = Promise.withResolvers<void>();
    const logger: Logger = { ...quiet, warn: () => failed.resolve(), child: () => logger };
    const env = new LocalEnvironment('stopped', { logger, restart: { kind: 'failureRate', failures: 5, perMs: 1000, delayMs: 1e6 } });
    env.fromCollection(items).map(map).sink([]);
    const job = await env.submit();
    await failed.promise;
    const result = await job.stop();
    expect([['stopped', 'finished'].includes(result.status), result.restarts]).toEqual([true, 1]);
  });

  it('given an object whose fields its calls change, when it is started again, then it begins as it was made', async () => {
    const counter = {
      seen: 0,
      execute(record: { n: number }) {
        this.seen++;
        if (record.n === 2 && !failedOnce) {
          failedOnce = true;
          throw new Error('not yet');
        }
        return { n: record.n, seen: this.seen };
      },
    };
    let failedOnce = false;
    const seen: unknown[] = [];
    const env = new LocalEnvironment('object', { logger: quiet, restart: { kind: 'fixed', attempts: 1, delayMs: 0 } });
    env.fromCollection(items.slice(0, 4)).map(counter).sink((record) => void seen.push(record));
    await env.submit({ autostop: true });
    expect(seen.slice(-4)).toEqual([0, 1, 2, 3].map((n) => ({ n, seen: n + 1 })));
  });
});

describe('the checkpoints of a job that is started again', () => {
  /** A job whose source rests behind all records, so that it has one checkpoint of them. */
  async function resting(dir: string) {
    const given: number[] = [];
    const failed = Promise.withResolvers<void>();
    const logger: Logger = { ...quiet, warn: () => failed.resolve(), child: () => logger };
    const env = new LocalEnvironment('again', { logger, restart: { kind: 'fixed', attempts: 1, delayMs: 0 }, checkpoint: { dir } });
    env.fromSource(Resting).map((n) => (given.push(n), n)).sink(() => undefined);
    const job = await env.submit();
    await expect.poll(() => given.length, { interval: 1 }).toBe(RECORDS);
    await job.checkpoint();
    return { job: job as LocalJob, given, failed: failed.promise };
  }

  class Resting extends SourceFunction<number> implements Seekable<number> {
    #next = 0;
    execute(): number | undefined | Promise<undefined> {
      return this.#next < RECORDS ? this.#next++ : nextTurn().then(() => undefined);
    }
    position(): number {
      return this.#next;
    }
    seek(position: number): void {
      this.#next = position;
    }
  }

  it('given a relative directory, when the program has gone to another one before it fails, then it goes on from its own', async () => {
    using place = new Workplace();
    const home = process.cwd();
    const [here, there] = [place.directory('here'), place.directory('there')];
    try {
      process.chdir(here);
      const { job, given, failed } = await resting('checkpoints');
      process.chdir(there);
      job.fail(new Error('it was to fail here'));
      await failed;
      await expect.poll(() => job.status, { interval: 1 }).toBe('running');
      await job.stop();
      expect([job.metrics().checkpoints?.restoredEpoch, given.length, place.namesIn('there', '')]).toEqual([1, RECORDS, []]);
    } finally {
      process.chdir(home);
    }
  });

  it('given that its directory was removed, when it fails, then it is not begun from nothing: it ends with an error that says what is gone', async () => {
    using place = new Workplace();
    const { job, given } = await resting(place.path('checkpoints'));
    place.removeDirectory('checkpoints');
    job.fail(new Error('it was to fail here'));
    await expect(job.completion).rejects.toMatchObject({ code: 'SAGE_IO_NOT_FOUND', message: expect.stringContaining(place.path('checkpoints')) as string, help: expect.stringContaining("from: 'latest'") as string });
    expect([job.status, given.length]).toEqual(['failed', RECORDS]);
  });
});
