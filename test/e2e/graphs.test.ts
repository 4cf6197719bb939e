import { describe, expect, it } from 'vitest';

import { LocalEnvironment, SinkFunction, count, sum } from '../../ts/index.ts';
import { numbers, recordsOf } from './support/run-to-array.ts';

const sorted = (values: readonly number[]): number[] => values.toSorted((a, b) => a - b);

describe('the graph that was declared is the graph that runs', () => {
  it('nothing runs before submit', async () => {
    const log: string[] = [];
    class Opened extends SinkFunction<number> {
      constructor() {
        super();
        log.push('constructor');
      }
      override open(): void {
        log.push('open');
      }
      execute(n: number): void {
        log.push(`record ${n}`);
      }
      override close(): void {
        log.push('close');
      }
    }
    const env = new LocalEnvironment();
    env
      .fromSource(function* () {
        log.push('source');
        yield 1;
      })
      .map((n) => {
        log.push('map');
        return n;
      })
      .sink(Opened);
    env.explain();
    expect(log).toEqual([]);
    await env.submit({ autostop: true });
    expect(log).toEqual(['constructor', 'open', 'source', 'map', 'record 1', 'close']);
  });

  it('the order of the pipeline is the order of the calls; equal names are made unique', async () => {
    const env = new LocalEnvironment();
    env.fromCollection([1]).map((n) => n).filter(() => true).map((n) => n).sink(() => undefined).sink(() => undefined);
    expect(env.pipeline.map(({ name }) => name)).toEqual(['source', 'map', 'filter', 'map-2', 'sink', 'sink-2']);
    const result = await env.submit({ autostop: true });
    expect(result.operators.map(({ name }) => name)).toEqual(env.pipeline.map(({ name }) => name));
  });

  it('fan-out: branches of one stream are independent, each gets every record', async () => {
    const env = new LocalEnvironment();
    const [evens, tripled, all]: number[][] = [[], [], []];
    const stream = env.fromCollection(numbers(5000)).map((n) => n + 1);
    stream.filter((n) => n % 2 === 0).sink(evens!);
    stream.map((n) => n * 3).filter((n) => n % 2 === 1).sink(tripled!);
    stream.sink(all!);
    await env.submit({ autostop: true });
    const source = numbers(5000).map((n) => n + 1);
    expect(evens).toEqual(source.filter((n) => n % 2 === 0));
    expect(tripled).toEqual(source.map((n) => n * 3).filter((n) => n % 2 === 1));
    expect(all).toEqual(source);
  });

  it('sinks chain: each gets every record, and the stream goes on behind them', async () => {
    const env = new LocalEnvironment();
    const [first, second, behind]: number[][] = [[], [], []];
    env.fromCollection(numbers(10)).sink(first!).named('one').sink(second!).map((n) => -n).sink(behind!);
    const result = await env.submit({ autostop: true });
    expect([first, second, behind]).toEqual([numbers(10), numbers(10), numbers(10).map((n) => -n)]);
    expect(result.recordsOut).toBe(30);
    expect(result.operators.map(({ name }) => name)).toContain('one');
  });

  it('union of several sources of different kinds', async () => {
    const records = await recordsOf((env) =>
      env.fromCollection(numbers(100)).union(
        env.fromSource(function* () {
          yield* numbers(100).map((n) => 1000 + n);
        }),
        env.fromSource(async function* () {
          for (const n of numbers(50)) yield 2000 + n;
        }),
        env.fromBatch(new Set([3000])),
        env.fromCollection<number>([]),
      ),
    );
    expect(sorted(records)).toEqual([...numbers(100), ...numbers(100).map((n) => 1000 + n), ...numbers(50).map((n) => 2000 + n), 3000]);
    for (const from of [0, 1000, 2000]) {
      const own = records.filter((n) => n >= from && n < from + 1000);
      expect(own).toEqual(sorted(own)); // order within one source is kept
    }
  });

  it('a stream joined with itself arrives twice', async () => {
    const records = await recordsOf((env) => {
      const stream = env.fromCollection(numbers(100));
      return stream.union(stream, stream);
    });
    expect(sorted(records)).toEqual(numbers(300).map((n) => Math.floor(n / 3)));
  });

  it('a diamond: one source through two branches into one union, then an aggregate', async () => {
    const records = await recordsOf((env) => {
      const source = env.fromCollection(numbers(2000));
      const left = source.filter((n) => n % 2 === 0).map((n) => ({ side: 'left', n }));
      const right = source.flatMap((n) => (n % 3 === 0 ? [n, n] : [])).map((n) => ({ side: 'right', n }));
      return left.union(right).keyBy('side').aggregate({ n: count(), total: sum('n') });
    });
    const expected = { left: numbers(2000).filter((n) => n % 2 === 0), right: numbers(2000).filter((n) => n % 3 === 0).flatMap((n) => [n, n]) };
    expect(records.toSorted((a, b) => a.key.localeCompare(b.key))).toEqual(
      Object.entries(expected).map(([key, values]) => ({ key, n: values.length, total: values.reduce((a, b) => a + b, 0) })),
    );
  });

  it('diamonds upon diamonds double the records each time', async () => {
    const [only] = await recordsOf((env) => {
      let stream = env.fromCollection(numbers(10));
      for (let depth = 0; depth < 9; depth++) stream = stream.map((n) => n + 1).union(stream.filter(() => true));
      return stream.aggregate({ n: count(), total: sum((n: number) => n) });
    });
    // Each level adds one to one half: level by level the total is doubled, plus the number of records.
    let [n, total] = [10, 45];
    for (let depth = 0; depth < 9; depth++) [n, total] = [2 * n, 2 * total + n];
    expect(only).toEqual({ n, total });
  });

  it('fan-out behind aggregates, and aggregates of aggregates', async () => {
    const env = new LocalEnvironment();
    const [groups, totals]: unknown[][] = [[], []];
    const byTen = env.fromCollection(numbers(1000)).keyBy((n) => n % 10).aggregate({ n: count(), total: sum((n: number) => n) });
    byTen.sink(groups!);
    byTen.keyBy((group) => group.key % 2).aggregate({ groups: count(), total: sum('total') }).sink(totals!);
    await env.submit({ autostop: true });
    expect(groups).toHaveLength(10);
    expect(totals).toHaveLength(2);
    expect(totals).toEqual(
      expect.arrayContaining([0, 1].map((key) => ({ key, groups: 5, total: numbers(1000).filter((n) => n % 2 === key).reduce((a, b) => a + b, 0) }))),
    );
  });

  it('a chain of 150 operators with fan-out at every tenth', async () => {
    const env = new LocalEnvironment();
    const taps: number[][] = [];
    let stream = env.fromCollection(numbers(20));
    for (let n = 0; n < 150; n++) {
      stream = stream.map((x) => x + 1);
      if (n % 10 === 0) {
        const tap: number[] = [];
        taps.push(tap);
        stream.sink(tap);
      }
    }
    const last: number[] = [];
    stream.sink(last);
    await env.submit({ autostop: true });
    expect(last).toEqual(numbers(20).map((n) => n + 150));
    taps.forEach((tap, n) => expect(tap).toEqual(numbers(20).map((x) => x + n * 10 + 1)));
  });

  it('empty input ends every kind of operator; a global aggregate says so, a reduce has nothing to say', async () => {
    const env = new LocalEnvironment();
    const empty = env.fromCollection<number>([]);
    const [plain, keyed, totals, reduced]: unknown[][] = [[], [], [], []];
    empty.map((n) => n).flatMap((n) => [n]).sink(plain!);
    empty.keyBy((n) => n).aggregate({ n: count() }).sink(keyed!);
    empty.aggregate({ n: count(), total: sum((n: number) => n) }).sink(totals!);
    empty.reduce((a, b) => a + b).sink(reduced!);
    const result = await env.submit({ autostop: true });
    expect([plain, keyed, totals, reduced]).toEqual([[], [], [{ n: 0, total: 0 }], []]);
    expect(result).toMatchObject({ status: 'finished', recordsIn: 0, recordsOut: 1 });
  });

  it('counts add up over every operator', async () => {
    const env = new LocalEnvironment();
    env
      .fromCollection(numbers(100))
      .named('in')
      .map((n) => (n % 10 === 0 ? undefined : n))
      .named('map')
      .filter((n) => n % 2 === 1)
      .named('filter')
      .flatMap((n) => [n, n, n])
      .named('flat')
      .keyBy((n) => n % 3)
      .named('key')
      .aggregate({ n: count() })
      .named('counts')
      .sink(() => undefined)
      .named('out');
    const { operators, ...totals } = await env.submit({ autostop: true });
    const count0 = { recordsDropped: 0, recordsFiltered: 0, recordsSkipped: 0, deadLetters: 0 };
    expect(Object.fromEntries(operators.map(({ id, name, ...counts }) => [name, counts]))).toEqual({
      in: { ...count0, recordsIn: 100, recordsOut: 100 },
      map: { ...count0, recordsIn: 100, recordsOut: 90, recordsDropped: 10 },
      filter: { ...count0, recordsIn: 90, recordsOut: 50, recordsFiltered: 40 },
      flat: { ...count0, recordsIn: 50, recordsOut: 150 },
      key: { ...count0, recordsIn: 150, recordsOut: 150 },
      counts: { ...count0, recordsIn: 150, recordsOut: 3 },
      out: { ...count0, recordsIn: 3, recordsOut: 0 },
    });
    expect(totals).toMatchObject({ recordsIn: 100, recordsOut: 3, recordsDropped: 10, status: 'finished' });
  });
});
