import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type DataStream, FileSource, LocalEnvironment, count } from '../../../ts/index.ts';
import { numbers, recordsOf, runToArray } from '../support/run-to-array.ts';
import { ManualClock } from './manual-clock.ts';

const folder = mkdtempSync(join(tmpdir(), 'sage-gates-'));
const lines = join(folder, 'lines.jsonl');

/** Sources that never end by themselves, or not for long. */
const endless: Readonly<Record<string, (env: LocalEnvironment) => DataStream<number>>> = {
  'a generator': (env) => env.fromSource(function* () {
    for (let n = 0; ; n++) yield n;
  }, { unbounded: true }),
  'an asynchronous generator': (env) => env.fromSource(async function* () {
    for (let n = 0; ; n++) {
      await nextTurn();
      yield n;
    }
  }, { unbounded: true }),
  'an asynchronous generator that goes quiet': (env) => env.fromSource(async function* () {
    yield* numbers(10);
    await new Promise(() => undefined);
  }, { unbounded: true }),
  'a function': (env) => {
    let n = 0;
    return env.fromSource(() => n++, { unbounded: true });
  },
  'a function that has nothing more': (env) => {
    let n = 0;
    return env.fromSource(() => (n < 10 ? n++ : undefined), { unbounded: true });
  },
  'an array': (env) => env.fromCollection(numbers(100_000)),
  'a file': (env) => env.fromSource(FileSource.jsonLines<{ n: number }>(lines)).map(({ n }) => n),
};

beforeAll(() => writeFileSync(lines, numbers(100_000).map((n) => `{"n":${n}}\n`).join('')));
afterAll(() => rmSync(folder, { recursive: true }));

export function describeGates(label: string): void {
  describe(`limit, ${label}`, () => {
    for (const [name, source] of Object.entries(endless)) {
      it.each([0, 1, 7])(`%i records of ${name}: its source ends`, async (max) => {
        const { records, result } = await runToArray((env) => source(env).limit(max));
        expect(records).toEqual(numbers(max));
        expect(result.status).toBe('finished');
        expect(result.recordsIn).toBeLessThan(100_000);
      });
    }

    it.each([1, 3])('behind an exchange, at parallelism %i', async (parallelism) => {
      const { records, result } = await runToArray((env) => endless['a generator']!(env).rebalance().map((n) => n).parallelism(parallelism).limit(20), { parallelism });
      expect(new Set(records).size).toBe(20);
      expect(result.status).toBe('finished');
    });

    it('all ways have to come to their limits before the source ends', async () => {
      const env = new LocalEnvironment();
      const [few, many, totals]: unknown[][] = [[], [], []];
      const source = endless['a generator']!(env);
      source.limit(3).sink((n) => few!.push(n));
      source.filter((n) => n % 2 === 0).limit(50).sink((n) => many!.push(n));
      source.limit(5).aggregate({ n: count() }).sink((result) => totals!.push(result));
      const result = await env.submit({ autostop: true });
      expect([few, many, totals]).toEqual([numbers(3), numbers(50).map((n) => n * 2), [{ n: 5 }]]);
      expect(result.recordsIn).toBe(99);
    });

    it('one of two sources of a union goes on', async () => {
      const env = new LocalEnvironment();
      const [records, all]: number[][] = [[], []];
      const finite = env.fromCollection(numbers(1000));
      finite.sink(all!);
      finite.union(endless['a generator']!(env)).limit(10).sink(records!);
      await env.submit({ autostop: true });
      expect(records).toHaveLength(10);
      expect(all).toEqual(numbers(1000));
    });

    it('behind batch, mapAsync and flatMap, and before them', async () => {
      expect(await recordsOf((env) => endless['an asynchronous generator']!(env).batch({ max: 3 }).limit(2))).toEqual([[0, 1, 2], [3, 4, 5]]);
      expect(await recordsOf((env) => endless['a generator']!(env).limit(5).batch({ max: 3 }))).toEqual([[0, 1, 2], [3, 4]]);
      expect(await recordsOf((env) => endless['a generator']!(env).mapAsync(async (n) => n, { concurrency: 4 }).limit(5))).toEqual(numbers(5));
      expect(await recordsOf((env) => endless['a generator']!(env).limit(5).mapAsync((n) => nextTurn(n), { concurrency: 2 }))).toEqual(numbers(5));
      expect(await recordsOf((env) => endless['a generator']!(env).flatMap((n) => [n, n]).limit(5))).toEqual([0, 0, 1, 1, 2]);
    });

    it.each(['sync', 'async'])('an endless flatMap before it ends too: %s', async (how) => {
      let left = 0;
      const records = await recordsOf((env) =>
        (how === 'sync'
          ? env.fromCollection([1, 2, 3]).flatMap(function* () {
              try {
                for (let n = 0; ; n++) yield n;
              } finally {
                left++;
              }
            })
          : env.fromCollection([1, 2, 3]).flatMap(async function* () {
              try {
                for (let n = 0; ; n++) {
                  if (n % 10 === 0) await nextTurn();
                  yield n;
                }
              } finally {
                left++;
              }
            })
        ).limit(25),
      );
      expect(records).toEqual(numbers(25));
      expect(left).toBe(1);
    });

    it('of each key lets others pass and ends nothing', async () => {
      const { records, result } = await runToArray((env) => env.fromCollection(numbers(1000)).keyBy((n) => n % 10).limit(2));
      expect(records).toEqual(numbers(20));
      expect(result.recordsIn).toBe(1000);
      expect(result.operators.find(({ name }) => name === 'limit')).toMatchObject({ recordsIn: 1000, recordsOut: 20, recordsFiltered: 980 });
    });
  });

  describe(`dedup, sample, zipWithIndex and rebalance, ${label}`, () => {
    it.each([1, 2])('of nothing for each key ends an endless source too, in %i instances', async (parallelism) => {
      const { records, result } = await runToArray((env) => endless['a generator']!(env).keyBy((n) => n % 3).limit(0), { parallelism });
      expect([records, result.recordsOut]).toEqual([[], 0]);
    });

    it('dedup lets the first of equal records pass: by value, by a field, by a function, within a key', async () => {
      const values = [1, '1', 1, 0, -0, Number.NaN, Number.NaN, null, undefined, null, { a: 1, b: [2] }, { b: [2], a: 1 }, [1], [1], new Date(5), new Date(5), 5n, 5n];
      expect(await recordsOf((env) => env.fromCollection(values).dedup())).toEqual([1, '1', 0, Number.NaN, null, undefined, { a: 1, b: [2] }, [1], new Date(5), 5n]);
      const rows = numbers(100).map((n) => ({ id: n % 7, part: { of: n % 3 }, n }));
      expect((await recordsOf((env) => env.fromCollection(rows).dedup('id'))).map(({ n }) => n)).toEqual(numbers(7));
      expect((await recordsOf((env) => env.fromCollection(rows).dedup('part.of'))).map(({ n }) => n)).toEqual(numbers(3));
      expect((await recordsOf((env) => env.fromCollection(rows).dedup(({ n }) => n >> 4))).map(({ n }) => n)).toEqual([0, 16, 32, 48, 64, 80, 96]);
      expect((await recordsOf((env) => env.fromCollection(rows).keyBy('part.of').dedup('id'))).map(({ n }) => n)).toEqual(numbers(21));
      expect((await recordsOf((env) => env.fromCollection(rows).keyBy('part.of').dedup())).map(({ n }) => n)).toEqual(numbers(3));
    });

    it('dedup forgets after ttlMs', async () => {
      const clock = new ManualClock();
      const records = await recordsOf(
        (env) =>
          env
            .fromSource(function* () {
              for (const [ms, n] of [[0, 1], [5, 1], [9, 2], [10, 1], [18, 2], [19, 2], [19, 1], [20, 1]] as const) {
                clock.ms = ms;
                yield { ms, n };
              }
            })
            .dedup('n', { ttlMs: 10 }),
        { clock },
      );
      expect(records).toEqual([{ ms: 0, n: 1 }, { ms: 9, n: 2 }, { ms: 10, n: 1 }, { ms: 19, n: 2 }, { ms: 20, n: 1 }]);
    });

    it('sample takes one out of so many, or a fraction that a seed makes the same again', async () => {
      expect(await recordsOf((env) => env.fromCollection(numbers(100)).sample({ every: 7 }))).toEqual(numbers(100).filter((n) => n % 7 === 0));
      const some = (fraction: number, seed?: number): Promise<number[]> => recordsOf((env) => env.fromCollection(numbers(10_000)).sample(seed === undefined ? fraction : { fraction, seed }));
      expect([await some(0), await some(1)]).toEqual([[], numbers(10_000)]);
      const tenth = await some(0.1);
      expect(tenth).toEqual(await some(0.1));
      expect(tenth).toEqual(await some(0.1, 0));
      expect(tenth).not.toEqual(await some(0.1, 1));
      // Six standard deviations of a binomial distribution.
      for (const seed of numbers(10)) expect(Math.abs((await some(0.1, seed)).length - 1000)).toBeLessThan(180);
    });

    it('zipWithIndex counts what it gets', async () => {
      expect(await recordsOf((env) => env.fromCollection(['a', 'b', 'c', 'd']).filter((text) => text !== 'b').zipWithIndex())).toEqual([['a', 0], ['c', 1], ['d', 2]]);
    });

    it('rebalance spreads records evenly and leaves the key behind', async () => {
      const env = new LocalEnvironment();
      const records: [number, number][] = [];
      env.fromCollection(numbers(400)).keyBy(() => 'all the same').map((n) => n).rebalance().zipWithIndex().parallelism(4).sink(records);
      await env.submit({ autostop: true });
      expect(records.map(([n]) => n).toSorted((a, b) => a - b)).toEqual(numbers(400));
      expect(Math.max(...records.map(([, index]) => index))).toBeLessThan(200);
      expect(await recordsOf((env) => env.fromCollection(numbers(10)).keyBy((n) => n).rebalance().aggregate({ n: count() }))).toEqual([{ n: 10 }]);
    });
  });
}
