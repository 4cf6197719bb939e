// Jobs whose functions fail for a while, and that are started again.
import { describe, expect, it } from 'vitest';

import { JsonLinesSink, LocalEnvironment, type Logger } from '../../../ts/index.ts';
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
