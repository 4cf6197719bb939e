import { describe, expect, it } from 'vitest';

import { type DataStream, LocalEnvironment } from '../../ts/index.ts';
import { numbers } from './support/run-to-array.ts';

/** More than a collect() holds for a reader: a job whose records nobody takes would wait for ever. */
const MANY = numbers(5000);

async function all<T>(records: AsyncIterable<T>): Promise<T[]> {
  const seen: T[] = [];
  for await (const record of records) seen.push(record);
  return seen;
}

/** A stream of `MANY`, and how often its source was opened. */
function counted(env: LocalEnvironment): { readonly stream: DataStream<number>; readonly opened: () => number } {
  let opened = 0;
  const stream = env.fromSource(function* () {
    opened++;
    yield* MANY;
  });
  return { stream, opened: () => opened };
}

describe('which job a collect() reads', () => {
  it('given a job that has ended before the first read, then its records are read, and nothing runs twice', async () => {
    const env = new LocalEnvironment();
    const { stream, opened } = counted(env);
    const few = stream.limit(3).collect();
    const job = await env.submit();
    await job.completion;
    expect([await all(few), opened()]).toEqual([[0, 1, 2], 1]);
  });

  it('given a submit that is still under way, then its job is read', async () => {
    const env = new LocalEnvironment();
    const { stream, opened } = counted(env);
    const records = stream.collect();
    const submitted = env.submit();
    expect([await all(records), opened()]).toEqual([MANY, 1]);
    expect((await submitted).status).toBe('finished');
  });

  it('given a job that has failed before the first read, then its records and its error are read', async () => {
    const env = new LocalEnvironment();
    const failing = env.fromCollection([1, 2, 3]).map((n) => {
      if (n === 3) throw new Error('boom');
      return n;
    });
    const records = failing.collect();
    const job = await env.submit();
    await expect(job.completion).rejects.toMatchObject({ code: 'SAGE_USER_THREW' });
    const seen: number[] = [];
    const reading = (async () => {
      for await (const record of records) seen.push(record);
    })();
    await expect(reading).rejects.toMatchObject({ code: 'SAGE_USER_THREW' });
    expect(seen).toEqual([1, 2]);
  });

  it('given a collect() that is made while a job runs, then it is not taken for a part of that job', async () => {
    const env = new LocalEnvironment();
    const first = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const stream = env.fromCollection(MANY);
    stream.sink(async () => {
      first.resolve();
      await gate.promise;
    });
    const job = await env.submit();
    await first.promise;
    const reading = all(stream.collect());
    gate.resolve();
    expect(await reading).toEqual(MANY);
    await job.completion;
  });

  it('given a second collect() behind one that was read or left, then the job runs again and does not wait for the first one', async () => {
    const env = new LocalEnvironment();
    const { stream, opened } = counted(env);
    expect(await all(stream.collect())).toEqual(MANY);
    expect(await all(stream.map((n) => -n).collect())).toEqual(MANY.map((n) => -n));
    for await (const _ of stream.collect()) break;
    expect(await all(stream.collect())).toEqual(MANY);
    expect(opened()).toBe(4);
  });

  it('given a plan error, then it is read once, and a collect() of the mended pipeline gives its records', async () => {
    const env = new LocalEnvironment();
    const wrong = env.fromCollection(MANY).collect();
    const unread = env.fromCollection(MANY).collect();
    const iterator = wrong[Symbol.asyncIterator]();
    await expect(iterator.next()).rejects.toMatchObject({ code: 'SAGE_PLAN_COLLECT' });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    expect(await all(unread)).toEqual(MANY);
  });

  it('given two readers of which one has a signal that is aborted already, then both are told, and nothing runs; a later job runs', async () => {
    const env = new LocalEnvironment();
    const { stream, opened } = counted(env);
    const reason = new Error('too late');
    const readers = [stream.collect({ signal: AbortSignal.abort(reason) }), stream.collect()];
    for (const outcome of await Promise.allSettled(readers.map(all))) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'SAGE_JOB_CANCELED', cause: reason } });
    }
    expect(opened()).toBe(0);
    expect(await all(stream.collect())).toEqual(MANY);
  });

  it('given a Readable that is destroyed before its first read, then the job that fills it is cancelled', async () => {
    const env = new LocalEnvironment();
    const readable = env.fromSource(() => 1, { unbounded: true }).collect().toReadable();
    const job = await env.submit();
    readable.destroy();
    await job.ended;
    expect(job.status).toBe('canceled');
  });
});
