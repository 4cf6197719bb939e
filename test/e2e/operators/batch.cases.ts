import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { type BatchOptions, LocalEnvironment } from '../../../ts/index.ts';
import { numbers, recordsOf, runToArray } from '../support/run-to-array.ts';

interface Item {
  readonly n: number;
  readonly group: string;
  readonly weight: number;
}

/** The naive way to make batches: a list of open ones, oldest first. */
function batchesOf(items: readonly Item[], { max, maxOpen = Number.POSITIVE_INFINITY }: { max: number; maxOpen?: number }): Item[][] {
  const done: Item[][] = [];
  let open: { group: string; items: Item[] }[] = [];
  const weigh = (list: readonly Item[]): number => list.reduce((sum, { weight }) => sum + weight, 0);
  const close = (batch: (typeof open)[number]): void => {
    done.push(batch.items);
    open = open.filter((other) => other !== batch);
  };
  for (const item of items) {
    let batch = open.find(({ group }) => group === item.group);
    if (batch !== undefined && weigh(batch.items) + item.weight > max) {
      close(batch);
      batch = undefined;
    }
    if (batch === undefined) {
      if (open.length === maxOpen) close(open[0]!);
      batch = { group: item.group, items: [] };
      open.push(batch);
    }
    batch.items.push(item);
    if (weigh(batch.items) >= max) close(batch);
  }
  return [...done, ...open.map((batch) => batch.items)];
}

const items = fc.array(
  fc.record({ group: fc.constantFrom('a', 'b', 'c'), weight: fc.integer({ min: 0, max: 7 }) }),
  { maxLength: 80 },
).map((list) => list.map((item, n): Item => ({ n, ...item })));

export function describeBatch(label: string): void {
  describe(`batch, ${label}`, () => {
    it.each([[0, 3], [1, 3], [3, 3], [10, 3], [10, 1], [10_000, 256]])('%i records, max %i: in order, the last one is what is left', async (count, max) => {
      const { records, result } = await runToArray((env) => env.fromCollection(numbers(count)).batch({ max }));
      const expected = numbers(Math.ceil(count / max)).map((batch) => numbers(count).slice(batch * max, (batch + 1) * max));
      expect(records).toEqual(expected);
      expect(result.operators.find(({ name }) => name === 'batch')).toMatchObject({ recordsIn: count, recordsOut: expected.length });
    });

    it('weights, groups and a limit of open batches give the same batches in the same order as a naive list', async () => {
      await fc.assert(
        fc.asyncProperty(items, fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 3 }), async (list, max, maxOpen) => {
          const options: BatchOptions<Item> = { max, maxOpen, weight: ({ weight }) => weight, by: 'group' };
          expect(await recordsOf((env) => env.fromCollection(list).batch(options))).toEqual(batchesOf(list, { max, maxOpen }));
        }),
        { numRuns: 40 },
      );
    });

    it('one record that makes many items closes batches in the order of the items', async () => {
      await fc.assert(
        fc.asyncProperty(items, fc.integer({ min: 1, max: 9 }), async (list, max) => {
          const options: BatchOptions<Item> = { max, maxOpen: 1, weight: ({ weight }) => weight, by: ({ group }) => group };
          const expected = batchesOf(list, { max, maxOpen: 1 });
          expect(await recordsOf((env) => env.fromCollection([list]).flatMap((all) => all).batch(options))).toEqual(expected);
          expect(await recordsOf((env) => env.fromCollection([list]).flatMap(function* (all) {
            yield* all;
          }).batch(options))).toEqual(expected);
          expect(await recordsOf((env) => env.fromCollection([list]).flatMap((all) => all).map(async (item) => item).batch(options))).toEqual(expected);
        }),
        { numRuns: 20 },
      );
    });

    it('on a keyed stream each key has its own, and the batch carries the key on', async () => {
      const records = await recordsOf((env) =>
        env
          .fromCollection(numbers(20))
          .keyBy((n) => n % 3)
          .batch({ max: 4 })
          .aggregate({ sizes: { init: () => [] as number[], add: (sizes: number[], batch: number[]) => [...sizes, batch.length], result: (sizes) => sizes } }),
      );
      expect(records).toEqual([{ key: 0, sizes: [4, 3] }, { key: 1, sizes: [4, 3] }, { key: 2, sizes: [4, 2] }]);
    });

    it('bytes: texts by their length, others by that of their JSON', async () => {
      expect(await recordsOf((env) => env.fromCollection(['aa', 'é', 'bbb', 'cccccccc', 'd']).batch({ bytes: 5 }))).toEqual([['aa', 'é'], ['bbb'], ['cccccccc'], ['d']]);
      expect(await recordsOf((env) => env.fromCollection([{ a: 1 }, { a: 2 }, { a: 3 }]).batch({ bytes: 14 }))).toEqual([[{ a: 1 }, { a: 2 }], [{ a: 3 }]]);
    });

    it('bytes of what JSON does not have: Maps and Sets by what is in them, binary data by its length, cycles once', async () => {
      const sizes = async (record: unknown, bytes: number): Promise<number[]> =>
        (await recordsOf((env) => env.fromCollection([record, record, record]).batch({ bytes }))).map(({ length }) => length);
      const map = new Map([['key', 'x'.repeat(90)]]);
      const cyclic: Record<string, unknown> = { a: 1 };
      cyclic['self'] = cyclic;
      const jsonOfMap = JSON.stringify([...map]).length;
      expect(await sizes(map, 2 * jsonOfMap)).toEqual([2, 1]);
      expect(await sizes(new Set(map.values()), 93)).toEqual([1, 1, 1]);
      expect(await sizes({ body: new Uint8Array(100) }, 200)).toEqual([1, 1, 1]);
      expect(await sizes({ body: Buffer.alloc(98) }, 200)).toEqual([2, 1]);
      expect(await sizes(new ArrayBuffer(100), 200)).toEqual([2, 1]);
      expect(await sizes(cyclic, 2 * JSON.stringify({ a: 1 }).length)).toEqual([2, 1]);
      expect(await sizes({ n: 10n }, 2 * JSON.stringify({ n: '10' }).length)).toEqual([2, 1]);
    });

    it('batches of batches, and batches behind asynchronous calls', async () => {
      const records = await recordsOf((env) =>
        env.fromCollection(numbers(11)).mapAsync(async (n) => n, { concurrency: 3 }).batch({ max: 2 }).mapAsync(async (batch) => batch, { concurrency: 2 }).batch({ max: 3 }),
      );
      expect(records).toEqual([[[0, 1], [2, 3], [4, 5]], [[6, 7], [8, 9], [10]]]);
    });

    it.each(['main isolate', 'a stream behind calls that hang'])('waitMs closes a batch though its source has gone quiet: %s', async (where) => {
      const env = new LocalEnvironment();
      const first = Promise.withResolvers<void>();
      const batches: number[][] = [];
      const never = new Promise<number>(() => undefined);
      const source = env.fromSource(
        async function* () {
          yield* [1, 2];
          await first.promise;
          yield 3;
          if (where !== 'main isolate') yield 4;
        },
        { unbounded: true },
      );
      const stream = where === 'main isolate' ? source : source.mapAsync((n) => (n === 4 ? never : Promise.resolve(n)), { concurrency: 4, ordered: false });
      stream.batch({ max: 100, waitMs: 3 }).sink((batch) => {
        batches.push(batch);
        first.resolve();
      });
      const job = await env.submit();
      // The source gives 3 only when a batch has come.
      await expect.poll(() => batches.flat(), { interval: 1, timeout: 10_000 }).toEqual([1, 2, 3]);
      await job.cancel();
    });

    it('stop() closes what is open', async () => {
      const env = new LocalEnvironment();
      const batches: number[][] = [];
      const waits = Promise.withResolvers<void>();
      env
        .fromSource(
          async function* () {
            yield* [1, 2, 3];
            waits.resolve();
            await new Promise(() => undefined);
          },
          { unbounded: true },
        )
        .batch({ max: 2 })
        .sink(batches);
      const job = await env.submit();
      await waits.promise;
      expect((await job.stop()).status).toBe('stopped');
      expect(batches).toEqual([[1, 2], [3]]);
    });

    it('an endless flatMap of heavy records is worked off as it goes', async () => {
      const env = new LocalEnvironment();
      let made = 0;
      const seen = Promise.withResolvers<number>();
      env
        .fromCollection([1])
        .flatMap(function* () {
          for (;;) yield made++;
        })
        .batch({ max: 1, weight: () => 5, maxOpen: 1, by: (n) => n % 2 })
        .sink((batch) => {
          if (batch[0] === 5000) seen.resolve(made);
        });
      const job = await env.submit();
      expect(await seen.promise).toBeLessThan(5200);
      await job.cancel();
    });

    it.each([
      ['a weight that is no number', { max: 2, weight: () => 'heavy' as unknown as number }, 'SAGE_USER_WRONG_TYPE'],
      ['a negative weight', { max: 2, weight: () => -1 }, 'SAGE_USER_WRONG_TYPE'],
      ['a weight that is a promise', { max: 2, weight: (async () => 1) as unknown as () => number }, 'SAGE_USER_WRONG_TYPE'],
      ['a group that is no key', { max: 2, by: () => new Map() }, 'SAGE_KEY_UNSUPPORTED'],
      ['a group that is a promise', { max: 2, by: async () => 1 }, 'SAGE_KEY_UNSUPPORTED'],
    ] satisfies readonly (readonly [string, BatchOptions<number>, string])[])('%s is an error of the record', async (_, options: BatchOptions<number>, code: string) => {
      const failed = recordsOf((env) => env.fromCollection([1]).batch(options));
      await expect(failed).rejects.toMatchObject({ code, operator: 'batch', record: 1 });
      const { records, result } = await runToArray((env) => env.fromCollection([1]).batch(options).onError('skip'));
      expect([records, result.recordsSkipped]).toEqual([[], 1]);
    });
  });
}
