import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import { FilterFunction, FlatMapFunction, LocalEnvironment, MapFunction, SinkFunction, type Emit, aggregator, count, sum } from '../../ts/index.ts';
import { numbers, recordsOf } from './support/run-to-array.ts';
import { Overlap, afterTurns, thenable } from './support/thenables.ts';

const odd = (n: number): boolean => n % 2 === 1;

describe('asynchronous user functions run one record at a time, in order', () => {
  it('map', async () => {
    const overlap = new Overlap();
    const begun: number[] = [];
    const records = await recordsOf((env) =>
      env.fromCollection(numbers(200)).map((n) =>
        overlap.during(async () => {
          begun.push(n);
          if (n % 7 === 0) await nextTurn();
          return n * 2;
        }),
      ),
    );
    expect(records).toEqual(numbers(200).map((n) => n * 2));
    expect(begun).toEqual(numbers(200));
    expect(overlap.most).toBe(1);
  });

  it('filter, flatMap, keyBy and sink in one chain, each of them asynchronous', async () => {
    const overlaps = { filter: new Overlap(), flatMap: new Overlap(), keyBy: new Overlap(), sink: new Overlap() };
    const arrived: unknown[] = [];
    const env = new LocalEnvironment();
    env
      .fromCollection(numbers(60))
      .filter((n) => overlaps.filter.during(() => afterTurns(n % 3 !== 0)))
      .flatMap((n) => overlaps.flatMap.during(() => afterTurns([n, -n])))
      .keyBy((n) => overlaps.keyBy.during(() => afterTurns(Math.abs(n) % 4)))
      .sink((n) => overlaps.sink.during(async () => void arrived.push(await afterTurns(n, 5))));
    await env.submit({ autostop: true });
    expect(arrived).toEqual(numbers(60).filter((n) => n % 3 !== 0).flatMap((n) => [n, -n]));
    expect(Object.values(overlaps).map(({ most }) => most)).toEqual([1, 1, 1, 1]);
  });

  it('execute() of classes', async () => {
    class AddLater extends MapFunction<number, number> {
      async execute(n: number): Promise<number> {
        return afterTurns(n + 1);
      }
    }
    class OddLater extends FilterFunction<number> {
      async execute(n: number): Promise<boolean> {
        return afterTurns(odd(n));
      }
    }
    class TwiceLater extends FlatMapFunction<number, number> {
      async execute(n: number): Promise<number[]> {
        this.collect(n);
        await nextTurn();
        this.collect(n + 0.5);
        return [n + 0.75];
      }
    }
    const arrived: number[] = [];
    class Keep extends SinkFunction<number> {
      async execute(n: number): Promise<void> {
        await nextTurn();
        arrived.push(n);
      }
    }
    const env = new LocalEnvironment();
    env.fromCollection(numbers(10)).map(AddLater).filter(OddLater).flatMap(TwiceLater).sink(Keep);
    await env.submit({ autostop: true });
    expect(arrived).toEqual([1, 3, 5, 7, 9].flatMap((n) => [n, n + 0.5, n + 0.75]));
  });
});

describe('a function that returns a thenable now and then', () => {
  const now = (n: number): boolean => n % 5 === 2;

  it('in the middle of a fused chain keeps order', async () => {
    const records = await recordsOf((env) =>
      env
        .fromCollection(numbers(3000))
        .map((n) => n + 1)
        .map((n) => (now(n) ? thenable(n) : n))
        .filter((n) => (n % 11 === 3 ? thenable(odd(n)) : odd(n)))
        .map((n) => [n]),
    );
    expect(records).toEqual(numbers(3000).map((n) => n + 1).filter(odd).map((n) => [n]));
  });

  it('undefined out of a promise drops the record, null does not', async () => {
    const records = await recordsOf((env) =>
      env.fromCollection(numbers(20)).map((n) => Promise.resolve(n % 3 === 0 ? undefined : n % 3 === 1 ? null : n)),
    );
    expect(records).toEqual(numbers(20).filter((n) => n % 3 !== 0).map((n) => (n % 3 === 1 ? null : n)));
  });

  it.each([0, 1, 2])('in branch %i of a three-way fan-out: siblings get every record once, in order', async (slow) => {
    const env = new LocalEnvironment();
    const branches: number[][] = [[], [], []];
    const source = env.fromCollection(numbers(500)).map((n) => n);
    branches.forEach((branch, index) => {
      source.map((n) => (index === slow && now(n) ? thenable(n * 10 + index) : n * 10 + index)).sink(branch);
    });
    const result = await env.submit({ autostop: true });
    expect(branches).toEqual([0, 1, 2].map((index) => numbers(500).map((n) => n * 10 + index)));
    expect(result.recordsOut).toBe(1500);
  });

  it('in several branches at several depths: each branch is complete and the order of records over branches is kept', async () => {
    const env = new LocalEnvironment();
    const log: string[] = [];
    const source = env.fromCollection(numbers(40)).map((n) => (now(n) ? thenable(n) : n));
    const left = source.map((n) => (n % 3 === 0 ? thenable(n) : n));
    left.filter((n) => (n % 4 === 0 ? thenable(true) : true)).sink((n) => (n % 2 === 0 ? afterTurns(log.push(`a${n}`)) : log.push(`a${n}`)));
    left.sink((n) => log.push(`b${n}`));
    source.flatMap((n) => [n, n]).map((n) => (n % 6 === 0 ? thenable(n) : n)).sink((n) => log.push(`c${n}`));
    source.sink((n) => (n % 9 === 0 ? afterTurns(log.push(`d${n}`)) : log.push(`d${n}`)));
    await env.submit({ autostop: true });
    expect(log).toEqual(numbers(40).flatMap((n) => [`a${n}`, `b${n}`, `c${n}`, `c${n}`, `d${n}`]));
  });

  it('inside the items of a flatMap, nested twice', async () => {
    const records = await recordsOf((env) =>
      env
        .fromCollection(numbers(30))
        .flatMap((n) => [n, n + 100, n + 200])
        .map((n) => (n % 4 === 0 ? thenable(n) : n))
        .flatMap((n) => (n % 7 === 0 ? Promise.resolve([n, `${n}!`]) : [n, `${n}!`]))
        .map((x) => (typeof x === 'string' ? thenable(x) : x)),
    );
    expect(records).toEqual(numbers(30).flatMap((n) => [n, n + 100, n + 200]).flatMap((n) => [n, `${n}!`]));
  });

  it('below a flatMap with two consumers of its items', async () => {
    const env = new LocalEnvironment();
    const log: string[] = [];
    const items = env.fromCollection(numbers(12)).flatMap((n) => [n, n + 0.5]);
    items.map((x) => (x % 2 === 0 ? thenable(x) : x)).sink((x) => log.push(`a${x}`));
    items.sink((x) => (Number.isInteger(x) ? afterTurns(log.push(`b${x}`)) : log.push(`b${x}`)));
    await env.submit({ autostop: true });
    expect(log).toEqual(numbers(12).flatMap((n) => [n, n + 0.5]).flatMap((x) => [`a${x}`, `b${x}`]));
  });

  it('in keyBy', async () => {
    const records = await recordsOf((env) =>
      env
        .fromCollection(numbers(100))
        .keyBy((n) => (now(n) ? thenable(n % 3) : n % 3))
        .aggregate({ n: count(), total: sum((n: number) => n) }),
    );
    expect(records.toSorted((a, b) => a.key - b.key)).toEqual(
      [0, 1, 2].map((key) => {
        const mine = numbers(100).filter((n) => n % 3 === key);
        return { key, n: mine.length, total: mine.reduce((a, b) => a + b, 0) };
      }),
    );
  });

  it.each(['final', 'update'] as const)('in reduce without a key, emit %s', async (emit) => {
    const overlap = new Overlap();
    const records = await recordsOf((env) =>
      env
        .fromCollection(numbers(50).map(String))
        .reduce((a, b) => (Number(b) % 4 === 0 ? overlap.during(() => afterTurns(`${a},${b}`)) : `${a},${b}`), { emit }),
    );
    const running = numbers(50).map((n) => numbers(n + 1).join(','));
    expect(records).toEqual(emit === 'update' ? running : [running.at(-1)]);
    expect(overlap.most).toBe(1);
  });

  it.each(['final', 'update'] as const)('in reduce with a key, emit %s', async (emit) => {
    const overlap = new Overlap();
    const records = await recordsOf((env) =>
      env
        .fromCollection(numbers(3000).map((n) => ({ key: n % 3, text: `${n % 100}` })))
        .keyBy('key')
        .reduce((a, b) => {
          const joined = { key: a.key, text: `${a.text},${b.text}`.slice(-200) };
          return Number(b.text) % 4 === 0 ? overlap.during(() => afterTurns(joined)) : joined;
        }, { emit }),
    );
    const running: { key: number; text: string }[] = [];
    const state = new Map<number, string>();
    for (const n of numbers(3000)) {
      const before = state.get(n % 3);
      const text = before === undefined ? `${n % 100}` : `${before},${n % 100}`.slice(-200);
      state.set(n % 3, text);
      running.push({ key: n % 3, text });
    }
    if (emit === 'update') expect(records).toEqual(running);
    else expect(records.toSorted((a, b) => a.key - b.key)).toEqual([0, 1, 2].map((key) => ({ key, text: state.get(key) })));
    expect(overlap.most).toBe(1);
  });

  it('in the sink: the next record comes when it has settled', async () => {
    const env = new LocalEnvironment();
    const log: string[] = [];
    env.fromCollection(numbers(30)).sink(async (n) => {
      log.push(`begin ${n}`);
      if (now(n)) await nextTurn();
      log.push(`end ${n}`);
    });
    await env.submit({ autostop: true });
    expect(log).toEqual(numbers(30).flatMap((n) => [`begin ${n}`, `end ${n}`]));
  });

  it('a user aggregator whose add gives a thenable is awaited', async () => {
    const joined = aggregator({
      init: () => '',
      add: (a: string, n: number) => (now(n) ? afterTurns(`${a},${n}`) : `${a},${n}`),
      result: (a) => a,
    });
    const unkeyed = await recordsOf((env) => env.fromCollection(numbers(20)).aggregate({ joined, n: count() }));
    expect(unkeyed).toEqual([{ joined: numbers(20).map((n) => `,${n}`).join(''), n: 20 }]);
    const keyed = await recordsOf((env) => env.fromCollection(numbers(20)).keyBy((n) => n % 2).aggregate({ joined, n: count() }));
    expect(keyed.toSorted((a, b) => a.key - b.key)).toEqual(
      [0, 1].map((key) => ({ key, joined: numbers(20).filter((n) => n % 2 === key).map((n) => `,${n}`).join(''), n: 10 })),
    );
  });

  it.each(['init', 'result'] as const)('a user aggregator whose %s gives a promise is an error, never a promise among the results', async (part) => {
    const total = { init: () => 0, add: (a: number, n: number) => a + n, result: (a: number) => a };
    const late = { ...total, [part]: async () => 0 };
    const results = (keyed: boolean, emit: Emit): Promise<unknown[]> =>
      recordsOf<unknown>((env) => {
        const stream = env.fromCollection(numbers(3));
        return keyed ? stream.keyBy((n) => n % 2).aggregate({ late }, { emit }).named('sums') : stream.aggregate({ late }, { emit }).named('sums');
      });
    for (const keyed of [false, true]) {
      for (const emit of ['final', 'update', { everyMs: 1 }] as const) {
        await expect(results(keyed, emit)).rejects.toMatchObject({
          code: 'SAGE_USER_WRONG_TYPE',
          operator: 'sums',
          message: expect.stringContaining(`${part} of the aggregator 'late'`) as string,
        });
      }
    }
  });
});
