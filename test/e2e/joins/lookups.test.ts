import { describe, expect, it } from 'vitest';

import { type DataStream, LocalEnvironment, LookupFunction, MapFunction } from '../../../ts/index.ts';
import { describeLookups } from './describe-lookups.ts';

describeLookups('in generated code');

describe('a lookup is refused', () => {
  const stream = (): DataStream<{ user: number }> => new LocalEnvironment().fromCollection([{ user: 1 }]);
  const fn = (id: number): number => id;
  const options = { key: 'user', concurrency: 4 } as const;
  const combine = (): number => 1;
  it.each([
    ['without a key on a stream without one', () => stream().lookup(fn, { concurrency: 1 } as never, combine), /SAGE_PLAN_NOT_KEYED|not told what to look up/],
    ['without concurrency', () => stream().lookup(fn, { key: 'user' } as never, combine), /concurrency of lookup/],
    ['without a function that combines', () => stream().lookup(fn, options, undefined as never), /what becomes of a record and its row/],
    ['of a type that there is not', () => stream().lookup(fn, { ...options, type: 'full' as never }, combine), /type of lookup/],
    ['with a cache of nothing', () => stream().lookup(fn, { ...options, cache: { max: 0 } }, combine), /max of the cache of lookup/],
    ['with rows that end at once', () => stream().lookup(fn, { ...options, cache: { max: 1, ttlMs: 0 } }, combine), /ttlMs of the cache/],
    ['with larger batches than records in work', () => stream().lookup(async (ids) => ids, { ...options, batch: { max: 5, waitMs: 1 } }, combine), /gather 5 keys in a batch, with 4 records in work[^]*concurrency: 5, or batch: \{ max: 4 \}/],
    ['with batches and one record in work', () => stream().lookup(async (ids) => ids, { ...options, concurrency: 1, batch: { max: 2, waitMs: 1 } }, combine), /gather 2 keys in a batch, with one record in work[^]*concurrency: 2, or leave batch away/],
    ['with batches of nothing', () => stream().lookup(async (ids) => ids, { ...options, batch: { max: 0, waitMs: 1 } }, combine), /max of the batch of lookup is the number 0[^]*a whole number from 1$/m],
    ['with an option that there is not', () => stream().lookup(fn, { ...options, ttlMs: 5 } as never, combine), /lookup has no option 'ttlMs'/],
    ['with a class for something else', () => stream().lookup(class Other extends MapFunction<number, number> { execute(n: number) { return n; } } as never, options, combine), /extends MapFunction/],
    ['with the base class', () => stream().lookup(LookupFunction as never, options, combine), /has no lookup/],
    ['with batches for a class without lookupBatch', () => stream().lookup(class One extends LookupFunction<number, number> { lookup(n: number) { return n; } }, { ...options, batch: { max: 2, waitMs: 1 } }, combine), /the class One, which has no lookupBatch/],
  ])('%s', (_, make, message) => {
    expect(make).toThrow(message);
  });
});

describe('a lookup is explained', () => {
  const combine = (): number => 1;
  const explained = (options: object): string => {
    const env = new LocalEnvironment();
    env.fromCollection([{ user: 1 }]).lookup(((ids: unknown) => ids) as never, { key: 'user', ...options } as never, combine).print();
    return env.explain('logical');
  };
  it.each([
    ['one record at a time', { concurrency: 1 }, '1 record at a time, in order, inner by field user'],
    ['one record at a time, in batches', { concurrency: 1, batch: { max: 1, waitMs: 50 } }, '1 record at a time, in order, inner by field user, 1 key a call'],
    ['several in batches', { concurrency: 8, ordered: false, batch: { max: 4, waitMs: 50 } }, '8 records at a time, in any order, inner by field user, up to 4 keys a call, gathered for 50 ms'],
    ['with a cache and a retry', { concurrency: 2, type: 'left', retry: 1, cache: { max: 1, ttlMs: 10 } }, '2 records at a time, in order, 1 retry, left by field user, 1 row kept for 10 ms'],
  ])('%s', (_, options, words) => {
    expect(explained(options)).toContain(words);
  });

  it('and a mapAsync counts its calls', () => {
    const env = new LocalEnvironment();
    env.fromCollection([1]).mapAsync(async (n) => n, { concurrency: 1 }).mapAsync(async (n) => n, { concurrency: 2, retry: 3 }).print();
    expect(env.explain('logical')).toMatch(/1 call at a time, in order[^]*2 calls at a time, in order, 3 retries/);
  });
});
