import { describe, expect, it } from 'vitest';

import {
  type DataStream,
  LocalEnvironment,
  aggregator,
  avg,
  collectList,
  count,
  countDistinct,
  first,
  last,
  max,
  min,
  sum,
  topN,
} from '../../ts/index.ts';
import { numbers, recordsOf } from './support/run-to-array.ts';

interface Row {
  readonly team: string;
  readonly points: number | null | undefined;
  readonly n: number;
}

const TEAMS = ['red', 'blue', ''] as const;
const rows: Row[] = numbers(3000).map((n) => ({ team: TEAMS[n % 3]!, points: n % 7 === 0 ? null : n % 11 === 0 ? undefined : (n * 37) % 101, n }));

/** Every built-in and collecting aggregator. */
const spec = {
  n: count(),
  total: sum<Row>('points'),
  mean: avg<Row>('points'),
  least: min<Row>('points'),
  most: max<Row>((row) => row.points),
  first: first<Row, number | null | undefined>((row) => row.points),
  last: last<Row, number>((row) => row.n),
  different: countDistinct<Row>('points'),
  top: topN<Row>(3, 'points'),
  list: collectList<Row, number>((row) => row.n % 5),
  longest: aggregator({ init: () => '', add: (a: string, row: Row) => (`${row.points}`.length > a.length ? `${row.points}` : a), result: (a) => a }),
};

function oracle(of: readonly Row[]): Record<keyof typeof spec, unknown> {
  const points = of.map((row) => row.points).filter((p) => typeof p === 'number');
  const total = points.reduce((a, b) => a + b, 0);
  return {
    n: of.length,
    total,
    mean: points.length === 0 ? null : total / points.length,
    least: points.length === 0 ? null : Math.min(...points),
    most: points.length === 0 ? null : Math.max(...points),
    first: points[0] ?? null,
    last: of.at(-1)?.n ?? null,
    different: new Set(of.map((row) => row.points)).size,
    top: of.filter((row) => typeof row.points === 'number').toSorted((a, b) => b.points! - a.points!).slice(0, 3),
    list: of.map((row) => row.n % 5),
    longest: of.reduce((a, row) => (`${row.points}`.length > a.length ? `${row.points}` : a), ''),
  };
}

describe('aggregate', () => {
  it('without a key, final', async () => {
    expect(await recordsOf((env) => env.fromCollection(rows).aggregate(spec))).toEqual([oracle(rows)]);
  });

  it('with a key, final', async () => {
    const results = await recordsOf((env) => env.fromCollection(rows).keyBy('team').aggregate(spec));
    expect(new Map(results.map(({ key, ...result }) => [key, result]))).toEqual(
      new Map(TEAMS.map((team) => [team, oracle(rows.filter((row) => row.team === team))])),
    );
    expect(results).toHaveLength(3);
  });

  it('without a key, update: the running value for each record', async () => {
    const some = rows.slice(0, 200);
    const results = await recordsOf((env) => env.fromCollection(some).aggregate(spec, { emit: 'update' }));
    expect(results).toEqual(some.map((_, n) => oracle(some.slice(0, n + 1))));
  });

  it('with a key, update', async () => {
    const some = rows.slice(0, 200);
    const results = await recordsOf((env) => env.fromCollection(some).keyBy('team').aggregate(spec, { emit: 'update' }));
    expect(results).toEqual(
      some.map((row, n) => ({ key: row.team, ...oracle(some.slice(0, n + 1).filter(({ team }) => team === row.team)) })),
    );
  });

  it('with a key, update, numbers only: what the core computes', async () => {
    const results = await recordsOf((env) =>
      env
        .fromCollection(rows)
        .keyBy((row) => row.n % 700)
        .aggregate({ n: count(), total: sum('points'), mean: avg('points'), least: min('points'), most: max('points') }, { emit: 'update' }),
    );
    const seen = new Map<number, Row[]>();
    const expected = rows.map((row) => {
      const own = [...(seen.get(row.n % 700) ?? []), row];
      seen.set(row.n % 700, own);
      const { n, total, mean, least, most } = oracle(own);
      return { key: row.n % 700, n, total, mean, least, most };
    });
    expect(results).toEqual(expected);
  });

  it('with a key, update: results that are still being read when the next batch of the same record is closed stay as they are', async () => {
    // Given: records that become three, so that a batch is full in the middle of one, and results that take a step each now and then.
    const some = rows.slice(0, 1200);
    const words = some.flatMap(({ n }) => [n, n + 1, n + 2]);
    const results = await recordsOf((env) =>
      env
        .fromCollection(some)
        .flatMap(({ n }) => [n, n + 1, n + 2])
        .keyBy((n) => n % 7)
        .aggregate({ least: min((n: number) => n), total: sum((n: number) => n), n: count() }, { emit: 'update' })
        .map((result) => {
          if (result.n % 40 === 0) for (const untilMs = performance.now() + 5; performance.now() < untilMs; );
          return result;
        }),
    );
    const own = numbers(7).map(() => ({ least: Infinity, total: 0, n: 0 }));
    const expected = words.map((n) => {
      const state = own[n % 7]!;
      own[n % 7] = { least: Math.min(state.least, n), total: state.total + n, n: state.n + 1 };
      return { key: n % 7, ...own[n % 7] };
    });
    expect(results).toEqual(expected);
  });

  it('with a key, any number of inputs over an exchange, also none', async () => {
    for (const inputs of [0, 1, 17, 40]) {
      const spec = Object.fromEntries([['n', count()], ...numbers(inputs).map((n) => [`s${n}`, sum((row: Row) => row.n + n)])]);
      const results = await recordsOf((env) => env.fromCollection(rows).keyBy('team').parallelism(3).aggregate(spec));
      const expected = TEAMS.map((key) => {
        const own = rows.filter(({ team }) => team === key);
        return { key, n: own.length, ...Object.fromEntries(numbers(inputs).map((n) => [`s${n}`, own.reduce((total, row) => total + row.n + n, 0)])) };
      });
      const order: readonly string[] = TEAMS;
      expect(results.toSorted((a, b) => order.indexOf(a.key) - order.indexOf(b.key))).toEqual(expected);
    }
  });

  it('a running result that cannot be made is an error with the record', async () => {
    const env = new LocalEnvironment();
    const broken = aggregator({
      init: () => 0,
      add: (n: number) => n + 1,
      result: (n) => {
        if (n === 2) throw new RangeError('no result');
        return n;
      },
    });
    env.fromCollection([1, 2]).map((x) => ({ x })).aggregate({ broken }, { emit: 'update' }).named('totals').sink([]);
    await expect(env.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_USER_THREW', operator: 'totals', record: { x: 2 } });
  });

  it('numbers at their borders: -0, NaN, infinities, sums beyond 2^53', async () => {
    const cases: number[][] = [[-0], [0, -0], [-0, 0], [Number.NaN, 1], [1, Number.NaN, 0], [Infinity, -Infinity], [2 ** 53, 1, 1], [Number.MIN_VALUE, 0], [1e308, 1e308]];
    for (const values of cases) {
      const keyed = await recordsOf((env) => env.fromCollection(values).keyBy(() => 'k').aggregate({ s: sum((x: number) => x), lo: min((x: number) => x), hi: max((x: number) => x), mean: avg((x: number) => x) }));
      const unkeyed = await recordsOf((env) => env.fromCollection(values).aggregate({ s: sum((x: number) => x), lo: min((x: number) => x), hi: max((x: number) => x), mean: avg((x: number) => x) }));
      const total = values.reduce((a, b) => a + b, 0);
      const expected = { s: total, lo: Math.min(...values), hi: Math.max(...values), mean: total / values.length };
      const plain = (x: Record<string, unknown>): unknown => Object.fromEntries(Object.entries(x).map(([name, value]) => [name, value === 0 ? 0 : value]));
      expect({ values, keyed: plain(keyed[0]!) }).toEqual({ values, keyed: { key: 'k', ...(plain(expected) as object) } });
      expect({ values, unkeyed: plain(unkeyed[0]!) }).toEqual({ values, unkeyed: plain(expected) });
    }
  });

  it.each(['a text', true, {}, 1n])('an input that is no number (%s) is an error that names the aggregator', async (wrong) => {
    for (const keyed of [false, true]) {
      const env = new LocalEnvironment();
      const stream = env.fromCollection([{ x: 1 }, { x: wrong as number }]);
      (keyed ? stream.keyBy(() => 1) : stream).aggregate({ total: sum('x') }).named('totals').sink([]);
      await expect(env.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_AGGREGATE_INPUT', operator: 'totals', record: { x: wrong } });
    }
  });

  it('result names that are awkward in JavaScript', async () => {
    const names = ['a b', '1', "it's", 'constructor', 'toString', '\u2028', ''];
    const spec = Object.fromEntries(names.map((name) => [name, count()]));
    const [unkeyed] = await recordsOf((env) => env.fromCollection([1, 2]).aggregate(spec));
    expect(Object.entries(unkeyed!).toSorted()).toEqual(names.map((name) => [name, 2]).toSorted());
    const [keyed] = await recordsOf((env) => env.fromCollection([1, 2]).keyBy(() => 0).aggregate(spec));
    expect(Object.entries(keyed!).toSorted()).toEqual([...names.map((name) => [name, 2]), ['key', 0]].toSorted());
  });
});

describe('reduce', () => {
  it('one record is its own result; the function is not called', async () => {
    const never = (): never => {
      throw new Error('called');
    };
    expect(await recordsOf((env) => env.fromCollection(['only']).reduce(never))).toEqual(['only']);
    expect(await recordsOf((env) => env.fromCollection([1, 2, 3]).keyBy((n) => n).reduce(never))).toEqual([1, 2, 3]);
  });

  it('a number that becomes something else is kept, also when another branch of the record goes through an iterator', async () => {
    const env = new LocalEnvironment();
    const [reduced, others]: [unknown[], number[]] = [[], []];
    const stream = env.fromCollection<unknown>(numbers(100));
    stream.reduce((a, b) => (b === 60 ? `${String(a)}:` : typeof a === 'string' ? `${a}${String(b)}` : (a as number) + (b as number))).sink(reduced);
    stream.flatMap(function* (n) {
      yield n as number;
    }).sink(others);
    await env.submit({ autostop: true });
    expect(reduced).toEqual([`1770:${numbers(100).slice(61).join('')}`]);
    expect(others).toEqual(numbers(100));
  });

  it('passes falsy values on as they are', async () => {
    expect(await recordsOf((env) => env.fromCollection<unknown>([1, 2, null]).reduce((_, b) => b))).toEqual([null]);
    expect(await recordsOf((env) => env.fromCollection<unknown>([0, '', false]).reduce((a) => a, { emit: 'update' }))).toEqual([0, 0, 0]);
    expect(await recordsOf((env) => env.fromCollection<unknown>([null, 5, undefined]).keyBy(() => 1).reduce((_, b) => b, { emit: 'update' }))).toEqual([null, 5, undefined]);
  });

  it('the order of records within a key is the order of the source', async () => {
    const results = await recordsOf((env) => env.fromCollection(numbers(5000).map((n) => ({ key: n % 13, list: `${n}` }))).keyBy('key').reduce((a, b) => ({ key: a.key, list: `${a.list} ${b.list}` })));
    expect(results.toSorted((a, b) => a.key - b.key)).toEqual(numbers(13).map((key) => ({ key, list: numbers(5000).filter((n) => n % 13 === key).join(' ') })));
  });
});

describe('emit: { everyMs }', () => {
  const states = [[false, 'aggregate'], [true, 'aggregate'], [false, 'reduce'], [true, 'reduce']] as const;

  it.each(states)('keyed: %s, %s: results come while the source still runs, and the last ones are final', async (isKeyed, kind) => {
    const env = new LocalEnvironment();
    const gate = Promise.withResolvers<void>();
    const results: unknown[] = [];
    const source = env.fromSource(async function* () {
      yield* [1, 2, 3];
      await gate.promise;
      yield* [4, 5];
    });
    const stream: DataStream<number> = isKeyed ? source.keyBy(() => 'all') : source;
    const emit = { everyMs: 5 };
    const emitted: DataStream<unknown> = kind === 'aggregate' ? stream.aggregate({ total: sum((n: number) => n) }, { emit }) : stream.reduce((a, b) => a + b, { emit });
    emitted.sink((r: unknown) => {
      results.push(r);
    });
    const value = (total: number): unknown => (kind === 'reduce' ? total : isKeyed ? { key: 'all', total } : { total });
    const job = await env.submit();
    await expect.poll(() => results, { interval: 2 }).toContainEqual(value(6));
    expect(results).not.toContainEqual(value(15));
    gate.resolve();
    await job.completion;
    expect(results.at(-1)).toEqual(value(15));
    expect(results.filter((r) => JSON.stringify(r) === JSON.stringify(value(15)))).toHaveLength(1);
  });

  it('only keys that changed are emitted again', async () => {
    const env = new LocalEnvironment();
    const results: { key: string; n: number }[] = [];
    const gate = Promise.withResolvers<void>();
    env
      .fromSource(async function* () {
        yield* ['a', 'b', 'b'];
        await gate.promise;
        yield 'a';
      })
      .keyBy((text) => text)
      .aggregate({ n: count() }, { emit: { everyMs: 5 } })
      .sink((result) => {
        results.push(result);
      });
    const job = await env.submit();
    await expect.poll(() => results.map(({ key, n }) => `${key}${n}`), { interval: 2 }).toContain('b2');
    gate.resolve();
    await job.completion;
    expect(results.at(-1)).toEqual({ key: 'a', n: 2 });
    expect(results.filter(({ key, n }) => key === 'b' && n === 2)).toHaveLength(1);
  });

  it.each(states)('keyed: %s, %s: a source that is never idle does not keep results back', async (isKeyed, kind) => {
    const env = new LocalEnvironment();
    let results = 0;
    const source = env.fromSource(function* () {
      for (let n = 0; ; n++) yield n;
    });
    const stream: DataStream<number> = isKeyed ? source.keyBy((n) => n % 3) : source;
    const emit = { everyMs: 5 };
    const emitted: DataStream<unknown> = kind === 'aggregate' ? stream.aggregate({ n: count() }, { emit }) : stream.reduce((a, b) => a + b, { emit });
    emitted.sink(() => {
      results++;
    });
    const job = await env.submit();
    await expect.poll(() => results, { interval: 2 }).toBeGreaterThan(10);
    await job.cancel();
  });

  it.each(states)('keyed: %s, %s: emit update gives its results although the source has nothing more for now', async (isKeyed, kind) => {
    const env = new LocalEnvironment();
    const results: unknown[] = [];
    const queue = [1, 2, 3];
    const source = env.fromSource(() => queue.shift(), { unbounded: true });
    const stream: DataStream<number> = isKeyed ? source.keyBy(() => 'all') : source;
    const emitted: DataStream<unknown> = kind === 'aggregate' ? stream.aggregate({ n: sum((n: number) => n) }, { emit: 'update' }) : stream.reduce((a, b) => a + b, { emit: 'update' });
    emitted.sink((r: unknown) => {
      results.push(r);
    });
    const job = await env.submit();
    await expect.poll(() => results.length, { interval: 2 }).toBe(3);
    await job.stop();
    expect(results).toEqual([1, 3, 6].map((n) => (kind === 'reduce' ? n : isKeyed ? { key: 'all', n } : { n })));
  });
});
