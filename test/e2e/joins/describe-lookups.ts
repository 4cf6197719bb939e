import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

import { type JobResult, LocalEnvironment, LookupFunction, isSageError } from '../../../ts/index.ts';
import { VirtualClock } from '../../../ts/testing/virtual-clock.ts';
import { PROPERTY_RUNS, shareOfRuns } from '../../property-runs.ts';
import { PushSource } from '../support/push-source.ts';

vi.setConfig({ testTimeout: Math.max(120_000, 300 * PROPERTY_RUNS) });

interface Order {
  readonly n: number;
  readonly user: string | null | undefined;
}

/** How often the operator did what, of all instances. */
function countersOf({ operators }: JobResult): Readonly<Record<string, number>> {
  return operators.find(({ name }) => name === 'lookup')!.metrics!.counters;
}

const turns = async (n: number): Promise<void> => {
  for (let turn = 0; turn < n; turn++) await new Promise(setImmediate);
};

/** A table behind a service: counts what it is asked, and fails when it is asked twice for the same at once. */
class Service {
  readonly asked: string[] = [];
  readonly #open = new Set<string>();
  readonly #delay: (key: string) => number;
  readonly #failsFirst: ReadonlySet<string>;

  constructor(delay: (key: string) => number, failsFirst: ReadonlySet<string> = new Set()) {
    this.#delay = delay;
    this.#failsFirst = failsFirst;
  }

  async one(key: string): Promise<string | undefined> {
    if (this.#open.has(key)) throw new Error(`asked for ${key} twice at once`);
    const isFirst = !this.asked.includes(key);
    this.asked.push(key);
    this.#open.add(key);
    await turns(this.#delay(key));
    this.#open.delete(key);
    if (isFirst && this.#failsFirst.has(key)) throw new Error(`busy: ${key}`);
    return rowOf(key);
  }

  async many(keys: readonly string[]): Promise<(string | undefined)[]> {
    return Promise.all(keys.map((key) => this.one(key)));
  }
}

/** What the table has: nothing for some keys. */
const rowOf = (key: string): string | undefined => (key === 'c' || key === 'd' ? undefined : key.toUpperCase());

/** The tests of lookups, for generated code and for the linked form. */
export function describeLookups(form: string): void {
  describe(form, () => {
    it('a lookup gives each record with the row of its key, in order or not, and asks for no key twice at once', () =>
      fc.assert(
        fc.asyncProperty(
          fc.record({
            keys: fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', null, undefined), { maxLength: 40 }),
            type: fc.constantFrom('inner' as const, 'left' as const),
            concurrency: fc.integer({ min: 1, max: 9 }),
            ordered: fc.boolean(),
            max: fc.constantFrom(undefined, 1, 3, 100),
            batch: fc.constantFrom(undefined, 1, 2, 9),
            pauses: fc.boolean(),
          }),
          async ({ keys, type, concurrency, ordered, max, batch, pauses }) => {
            const service = new Service((key) => key.charCodeAt(0) % 4);
            const orders = keys.map((user, n): Order => ({ n, user }));
            // The clock stands still: nothing may wait for it where no record can come.
            const env = new LocalEnvironment('lookups', { clock: new VirtualClock() });
            const stream = env.fromSource(async function* () {
              for (const order of orders) {
                if (pauses && order.n % 7 === 3) await turns(3);
                yield order;
              }
            });
            const options = { key: 'user', type, concurrency, ordered, ...(max === undefined ? {} : { cache: { max } }) } as const;
            const combine = ({ n }: Order, row: string | undefined): string => `${n} ${row ?? '-'}`;
            const joined =
              batch === undefined
                ? stream.lookup(async (key) => service.one(key), options, combine)
                : stream.lookup(async (list) => service.many(list), { ...options, batch: { max: Math.min(batch, concurrency), waitMs: 5 } }, combine);
            const results: string[] = [];
            joined.sink(results);
            const result = await env.submit({ autostop: true });
            const all = orders.map((order) => ({ order, row: order.user === null || order.user === undefined ? undefined : rowOf(order.user) }));
            const expected = all.filter(({ row }) => row !== undefined || type === 'left').map(({ order, row }) => combine(order, row));
            expect(ordered ? results : results.toSorted()).toEqual(ordered ? expected : expected.toSorted());
            const asking = orders.filter(({ user }) => user !== null && user !== undefined).length;
            const { 'lookup hits': hits = 0, 'lookup misses': misses = 0, 'lookup coalesced': coalesced = 0, 'lookup evictions': evictions = 0 } = countersOf(result);
            expect(hits + misses + coalesced).toBe(asking);
            expect(service.asked.length).toBe(misses);
            if (max === undefined) expect([hits, evictions]).toEqual([0, 0]);
            if (max === 100) expect(misses).toBe(new Set(service.asked).size);
            if (max !== undefined) expect(evictions).toBe(Math.max(0, misses - max));
            expect(result.operators.find(({ name }) => name === 'lookup')).toMatchObject({ recordsIn: orders.length, recordsOut: expected.length, recordsDropped: orders.length - expected.length });
          },
        ),
        { numRuns: shareOfRuns(0.5), endOnFailure: false },
      ));

    it('a lookup that failed is tried again for each record that waited for it, and is not kept', async () => {
      const service = new Service(() => 2, new Set(['a', 'c']));
      const env = new LocalEnvironment('failing');
      const results: string[] = [];
      env
        .fromCollection(['a', 'a', 'b', 'c', 'a'])
        .lookup(async (key) => service.one(key), { key: (key: string) => key, concurrency: 8, cache: { max: 10 }, retry: { retry: 1, backoffMs: 1 }, type: 'left' }, (key, row) => `${key} ${row ?? '-'}`)
        .sink(results);
      await env.submit({ autostop: true });
      expect(results).toEqual(['a A', 'a A', 'b B', 'c -', 'a A']);
      expect(service.asked.toSorted()).toEqual(['a', 'a', 'b', 'c', 'c']);
    });

    it.each([undefined, { max: 2, waitMs: 1 }])('what fails for good goes the way of the error policy, and is asked for again: batch %o', async (batch) => {
      const env = new LocalEnvironment('policy');
      let asked = 0;
      const one = async (key: string): Promise<string> => {
        asked++;
        await turns(1);
        throw new Error(`no ${key}`);
      };
      const stream = env.fromCollection(['a', 'a', 'a']);
      const options = { key: (key: string) => key, concurrency: 2, cache: { max: 10 } } as const;
      const joined = batch === undefined ? stream.lookup(one, options, (key, row) => key + row) : stream.lookup(async (keys) => Promise.all(keys.map(one)), { ...options, batch }, (key, row) => key + row);
      const [out, letters]: [string[], unknown[]] = [[], []];
      joined.onError('deadLetter').sink(out);
      joined.deadLetters<string>().map(({ record, error, operator }) => [record, error.message, operator]).sink(letters);
      const result = await env.submit({ autostop: true });
      expect(out).toEqual([]);
      expect(letters).toEqual([1, 2, 3].map(() => ['a', 'no a', 'lookup']));
      expect(asked).toBe(2);
      expect(result.deadLetters).toBe(3);
    });

    it('rows end by the clock of the job, also that there is none', async () => {
      const clock = new VirtualClock();
      const env = new LocalEnvironment('ttl', { clock });
      const source = new PushSource<string>();
      const asked: string[] = [];
      const results: string[] = [];
      env
        .fromSource(source)
        .lookup((key) => void asked.push(key), { key: (key: string) => key, concurrency: 1, cache: { max: 10, ttlMs: 1000 }, type: 'left' }, (key) => key)
        .sink(results);
      const job = await env.submit();
      for (const advanceMs of [0, 999, 1, 500, 500]) {
        clock.advance(advanceMs);
        await source.push('a');
        await expect.poll(() => results.length, { interval: 1, timeout: 20_000 }).toBeGreaterThan(0);
      }
      source.end();
      const result = await job.completion;
      // At 0, 1000 and 2000.
      expect(asked).toEqual(['a', 'a', 'a']);
      expect(countersOf(result)).toMatchObject({ 'lookup hits': 2, 'lookup misses': 3 });
    });

    it('the row that was asked for longest ago goes first', async () => {
      const env = new LocalEnvironment('lru');
      const asked: string[] = [];
      const out: string[] = [];
      env
        .fromCollection(['a', 'b', 'a', 'c', 'a', 'b'])
        .lookup(
          (key) => {
            asked.push(key);
            return key;
          },
          { key: (key: string) => key, concurrency: 1, cache: { max: 2 } },
          (key, row) => key + row,
        )
        .sink(out);
      const result = await env.submit({ autostop: true });
      expect(asked).toEqual(['a', 'b', 'c', 'b']);
      expect(countersOf(result)).toMatchObject({ 'lookup evictions': 2, 'lookup hits': 2 });
    });

    it('a class has a client for each instance, and its keys in batches', async () => {
      const log: string[] = [];
      class Users extends LookupFunction<number, string> {
        readonly #prefix: string;
        constructor(prefix: string) {
          super();
          this.#prefix = prefix;
        }
        override open(): void {
          log.push(`open ${this.ctx.parallelIndex}`);
        }
        lookup(): never {
          throw new Error('not called with batch');
        }
        override async lookupBatch(ids: readonly number[]): Promise<string[]> {
          log.push(`${ids.length} ids`);
          return ids.map((id) => `${this.#prefix}${id}`);
        }
        override close(): void {
          log.push('close');
        }
      }
      const env = new LocalEnvironment('class');
      const out: string[] = [];
      env
        .fromCollection([1, 2, 3, 4, 5])
        .keyBy((id) => id)
        .lookup(Users, { concurrency: 4, batch: { max: 2, waitMs: 60_000 }, args: ['user '] }, (_, name) => name)
        .reduce((a, b) => a + b)
        .sink(out);
      await env.submit({ autostop: true });
      expect(out.toSorted()).toEqual([1, 2, 3, 4, 5].map((id) => `user ${id}`));
      expect(log).toEqual(['open 0', '2 ids', '2 ids', '1 ids', 'close']);
    });

    it('the signal of a call is aborted when nobody waits for its row any more', async () => {
      const clock = new VirtualClock();
      const env = new LocalEnvironment('signals', { clock });
      const reasons: unknown[] = [];
      const out: string[] = [];
      env
        .fromCollection(['a', 'a'])
        .lookup(
          (_, { signal }) =>
            new Promise<string>((resolve) => {
              signal.addEventListener('abort', () => {
                reasons.push((signal.reason as { code?: string }).code);
                resolve('too late');
              });
            }),
          { key: (key: string) => key, concurrency: 2, timeoutMs: 100, cache: { max: 1 } },
          (key, row) => key + row,
        )
        .onError('skip')
        .sink(out);
      const job = await env.submit();
      await expect.poll(() => job.metrics().operators.find(({ name }) => name === 'lookup')?.metrics?.counters['lookup coalesced'], { interval: 1, timeout: 20_000 }).toBe(1);
      expect(reasons).toEqual([]);
      clock.advance(100);
      const { recordsSkipped } = await job.completion;
      expect([reasons, out, recordsSkipped]).toEqual([['SAGE_USER_TIMEOUT'], [], 2]);
    });

    it.each([
      ['a batch with too few rows', 2, async (): Promise<unknown> => ['one'], 'SAGE_USER_WRONG_TYPE', /the lookup of 2 keys gave 1 row\b/],
      ['a batch of one key with too many rows', 1, async (): Promise<unknown> => ['one', 'two'], 'SAGE_USER_WRONG_TYPE', /the lookup of a batch of one key gave 2 rows\b/],
      ['a batch of one key without an array', 1, async (): Promise<unknown> => 'ab', 'SAGE_USER_WRONG_TYPE', /the lookup of a batch of one key gave no array, but string/],
      ['a batch without an array', 2, async (): Promise<unknown> => 'ab', 'SAGE_USER_WRONG_TYPE', /gave no array, but string/],
    ] as const)('%s ends the job with what is wrong', async (_, concurrency, fn, code, message) => {
      const env = new LocalEnvironment('wrong');
      env.fromCollection(['a', 'b']).lookup(fn as never, { key: (key: string) => key, concurrency, batch: { max: concurrency, waitMs: 1 } }, (key: string) => key).sink([]);
      const error = await env.submit({ autostop: true }).catch((thrown: unknown) => thrown);
      expect(isSageError(error)).toBe(true);
      expect(error).toMatchObject({ code, operator: 'lookup', message: expect.stringMatching(message) as string });
    });

    it('a record without the field of the key is an error of its record', async () => {
      const env = new LocalEnvironment('no-field');
      const out: string[] = [];
      env
        .fromCollection([{ user: 'a' }, {} as { user: string }, { user: 'b' }])
        .lookup((key) => key, { key: 'user', concurrency: 2 }, (_, row) => row)
        .onError('skip')
        .sink(out);
      const { recordsSkipped } = await env.submit({ autostop: true });
      expect([out, recordsSkipped]).toEqual([['a', 'b'], 1]);
    });
  });
}
