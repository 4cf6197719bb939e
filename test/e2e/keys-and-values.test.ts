import { describe, expect, it } from 'vitest';

import { KeyByFunction, LocalEnvironment, MapFunction, collectList, count, countDistinct, sum } from '../../ts/index.ts';
import { numbers, recordsOf, runToArray } from './support/run-to-array.ts';

const FALSY = [null, 0, -0, '', false, Number.NaN, 0n] as const;

describe('null, 0, empty strings, false and NaN are records like others', () => {
  it('through every operator', async () => {
    const { records, result } = await runToArray<unknown>((env) =>
      env
        .fromCollection<unknown>(FALSY)
        .map((x) => x)
        .flatMap((x) => [x])
        .filter(() => true)
        .keyBy((x) => x)
        .union(env.fromBatch<unknown>(new Set([null, undefined, '']))),
    );
    // Behind a union no order is promised: how often each value came is compared.
    const times = (values: readonly unknown[]): Map<unknown, number> => new Map([...Map.groupBy(values, (value) => value)].map(([value, same]) => [value, same.length]));
    expect(times(records)).toEqual(times([...FALSY, null, undefined, '']));
    expect(result).toMatchObject({ recordsIn: 10, recordsOut: 10, recordsDropped: 0 });
  });

  it('from every kind of source, undefined from a function meaning "nothing now"', async () => {
    const queue: unknown[] = [null, undefined, 0, undefined, '', false];
    const end = Symbol.for('sage.end');
    expect(await recordsOf<unknown>((env) => env.fromSource(() => (queue.length === 0 ? (end as never) : queue.shift())))).toEqual([null, 0, '', false]);
    expect(
      await recordsOf<unknown>((env) =>
        env.fromSource(function* () {
          yield null;
          yield undefined;
          yield 0;
        }),
      ),
    ).toEqual([null, undefined, 0]);
  });

  it('a map that gives undefined removes the record and counts it', async () => {
    const { records, result } = await runToArray((env) =>
      env.fromCollection(numbers(10)).map((n) => (n % 2 === 0 ? undefined : n % 3 === 0 ? null : n)).named('odd'),
    );
    expect(records).toEqual([1, null, 5, 7, null]);
    expect(result.recordsDropped).toBe(5);
    expect(result.operators.find(({ name }) => name === 'odd')).toMatchObject({ recordsIn: 10, recordsOut: 5, recordsDropped: 5, recordsFiltered: 0 });
  });

  it('a filter passes what is truthy; none-pass and all-pass are chains like others', async () => {
    const truthy = [1, 'x', {}, [], true, -1, 1n, Infinity];
    const { records, result } = await runToArray<unknown>((env) =>
      env.fromCollection<unknown>([...FALSY, ...truthy, undefined]).filter((x) => x).filter(() => 1).filter(() => 'yes').named('last'),
    );
    expect(records).toEqual(truthy);
    expect(result).toMatchObject({ recordsDropped: 0, recordsOut: truthy.length });
    expect(result.operators.reduce((all, { recordsFiltered }) => all + recordsFiltered, 0)).toBe(FALSY.length + 1);
    expect(await recordsOf((env) => env.fromCollection(numbers(9)).filter(() => false).map((n) => n))).toEqual([]);
  });
});

describe('keys', () => {
  it('all kinds of falsy keys are keys, each its own, -0 being 0 and NaN being NaN', async () => {
    const keys = [0, '', false, null, undefined, Number.NaN, -0, '0', 'null', 0n, Number.NaN, '', null];
    const records = await recordsOf((env) =>
      env.fromCollection(keys.map((key, n) => ({ key, n }))).keyBy((r) => r.key).aggregate({ all: collectList('n') }),
    );
    const expected = new Map<unknown, number[]>(); // a Map compares keys as we do: SameValueZero
    keys.forEach((key, n) => expected.set(key, [...(expected.get(key) ?? []), n]));
    expect(new Map(records.map(({ key, all }) => [key, all]))).toEqual(expected);
    expect(records).toHaveLength(expected.size);
  });

  it.each(['final', 'update'] as const)('objects, arrays, dates and bigints by value, built-in aggregate, emit %s', async (emit) => {
    const keyOf = (n: number): unknown =>
      [{ a: n % 2, b: [1, { c: null }] }, { b: [1, { c: null }], a: n % 2 }, [n % 2], new Date(n % 2), BigInt(n % 2), `${n % 2}`, n % 2][n % 7];
    const text = (key: unknown): string => {
      const { a, b } = (key ?? {}) as { a?: number; b?: unknown };
      if (a !== undefined) return `object ${a} ${JSON.stringify(b)}`;
      return `${key instanceof Date ? 'date' : Array.isArray(key) ? 'array' : typeof key} ${key instanceof Date ? key.getTime() : String(key)}`;
    };
    const records = await recordsOf((env) =>
      env.fromCollection(numbers(140)).keyBy(keyOf).aggregate({ n: count(), total: sum((n: number) => n) }, { emit }),
    );
    const state = new Map<string, { n: number; total: number }>();
    const running = numbers(140).map((n) => {
      const before = state.get(text(keyOf(n))) ?? { n: 0, total: 0 };
      state.set(text(keyOf(n)), { n: before.n + 1, total: before.total + n });
      return { key: text(keyOf(n)), ...state.get(text(keyOf(n)))! };
    });
    const got = records.map((record) => ({ ...record, key: text(record.key) }));
    if (emit === 'update') expect(got).toEqual(running);
    else expect(new Map(got.map(({ key, n, total }) => [key, { n, total }]))).toEqual(state);
  });

  it.each(['final', 'update'] as const)('the same keys with a reduce, emit %s', async (emit) => {
    const keyOf = (n: number): unknown => [null, '', 0, false, Number.NaN, [null], { x: undefined }][n % 7];
    const records = await recordsOf((env) => env.fromCollection(numbers(70).map((n) => [n])).keyBy(([n]) => keyOf(n!)).reduce((a, b) => [...a, ...b], { emit }));
    const lists = numbers(7).map((r) => numbers(10).map((i) => i * 7 + r));
    if (emit === 'final') expect(records.toSorted((a, b) => a[0]! - b[0]!)).toEqual(lists);
    else expect(records).toEqual(numbers(70).map((n) => lists[n % 7]!.slice(0, Math.floor(n / 7) + 1)));
  });

  it('strings that only bytes tell apart', async () => {
    const keys = ['\u00e9', 'e\u0301', '\ud800', '\udc00', '\ud800\udc00', '�', 'a\0', 'a', 'ß', 'ss', '𝄞'];
    const records = await recordsOf((env) => env.fromCollection([...keys, ...keys]).keyBy((key) => key).aggregate({ n: count() }));
    expect(new Map(records.map(({ key, n }) => [key, n]))).toEqual(new Map(keys.map((key) => [key, 2])));
  });

  it('a class as key selector, with its constructor arguments', async () => {
    class Modulo extends KeyByFunction<number, number> {
      readonly #by: number;
      constructor(by: number) {
        super();
        this.#by = by;
      }
      execute(n: number): number {
        return n % this.#by;
      }
    }
    const records = await recordsOf((env) => env.fromCollection(numbers(10)).keyBy(Modulo, { args: [3] }).aggregate({ n: count() }));
    expect(records.toSorted((a, b) => a.key - b.key)).toEqual([{ key: 0, n: 4 }, { key: 1, n: 3 }, { key: 2, n: 3 }]);
  });

  it('a nested field path; null and undefined values are keys, a missing field is an error of that record', async () => {
    const rows: { user: { address?: { city: string | null | undefined } } }[] = [
      { user: { address: { city: 'Rome' } } },
      { user: { address: { city: null } } },
      { user: { address: { city: undefined } } },
      { user: { address: { city: 'Rome' } } },
    ];
    const counts = (extra: typeof rows): Promise<{ key: unknown; n: number }[]> =>
      recordsOf((env) =>
        env
          .fromCollection([...rows, ...extra])
          .keyBy((row) => row)
          .keyBy('user.address.city' as never)
          .named('by city')
          .aggregate({ n: count() }),
      ) as Promise<{ key: unknown; n: number }[]>;
    expect(new Map((await counts([])).map(({ key, n }) => [key, n]))).toEqual(new Map([['Rome', 2], [null, 1], [undefined, 1]] as [unknown, number][]));
    await expect(counts([{ user: {} }])).rejects.toMatchObject({ code: 'SAGE_KEY_MISSING_FIELD', operator: 'by city', record: { user: {} } });
  });

  it.each([[() => 1], [Symbol('s')], [new Map([[1, 2]])], [new Set([1])]])('a key that has no value (%s) is an error of that record', async (key) => {
    const env = new LocalEnvironment();
    env.fromCollection([1]).keyBy(() => key).named('by what').aggregate({ n: count() }).sink([]);
    await expect(env.submit({ autostop: true })).rejects.toMatchObject({ domain: 'user', record: 1 });
  });

  it('ctx.key survives map, flatMap and filter until the next keyBy', async () => {
    class Tell extends MapFunction<number, [unknown, number]> {
      execute(n: number): [unknown, number] {
        return [this.ctx.key, n];
      }
    }
    const keyed = await recordsOf((env) =>
      env.fromCollection(numbers(6)).keyBy((n) => `k${n % 2}`).map((n) => n + 10).flatMap((n) => [n, n]).filter((n) => n !== 12).map(Tell),
    );
    expect(keyed).toEqual(numbers(6).filter((n) => n !== 2).flatMap((n) => [[`k${n % 2}`, n + 10], [`k${n % 2}`, n + 10]]));
    const again = await recordsOf((env) => env.fromCollection(numbers(4)).keyBy(() => 'first').map((n) => n).keyBy((n) => n * 2).map(Tell));
    expect(again).toEqual(numbers(4).map((n) => [n * 2, n]));
    const none = await recordsOf((env) => env.fromCollection([7]).map(Tell));
    expect(none).toEqual([[undefined, 7]]);
  });

  it('countDistinct counts values, not identities', async () => {
    const values: unknown[] = [1, 1, '1', { a: 1 }, { a: 1 }, null, Number.NaN, Number.NaN, 0, -0, [1], [1], undefined];
    const [only] = await recordsOf((env) => env.fromCollection(values).aggregate({ different: countDistinct((x) => x) }));
    expect(only).toEqual({ different: 8 });
  });
});
