import { afterEach, describe, expect, it } from 'vitest';

import {
  type DataStream,
  type Job,
  JobManager,
  LocalEnvironment,
  MapFunction,
  ProcessFunction,
  type WindowContents,
  type WithKey,
  avg,
  collectList,
  count,
  countDistinct,
  early,
  everyPeriod,
  globalWindow,
  session,
  sliding,
  sum,
  tumbling,
} from '../../../ts/index.ts';
import { type CollectSink, TestEnvironment } from '../../../ts/testing/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { recordsOf, runToArray } from '../support/run-to-array.ts';
import { type Order, orders, timedOrders } from './timed-orders.ts';

afterEach(() => JobManager.instance().cleanupAllJobs());

describe('windows as a user writes them', () => {
  it('give the same before and behind keyBy', async () => {
    const before = await recordsOf((env) => timedOrders(env).window({ timeWindow: 10 }).keyBy('shop').aggregate({ total: sum('price') }));
    const behind = await recordsOf((env) => timedOrders(env).keyBy('shop').window(tumbling('10s')).aggregate({ total: sum('price') }));
    expect(before).toEqual([
      { key: 'a', window: { start: 0, end: 10_000 }, total: 12 },
      { key: 'b', window: { start: 0, end: 10_000 }, total: 2 },
      { key: 'a', window: { start: 10_000, end: 20_000 }, total: 1 },
    ]);
    expect(behind).toEqual(before);
  });

  it('lose no record of which there are many at once, while more results are due than are taken at a time', async () => {
    // given: windows that have closed and are still open for late records, each of which gives a hundred results
    await using env = new TestEnvironment();
    const copies = env.testSource<number>('copies');
    const found = env.collectSink<{ readonly window: { readonly start: number }; readonly n: number }>();
    env
      .fromSource(copies)
      .flatMap((many) => Array.from({ length: many }, (_, n) => ({ key: n % 100 })))
      .keyBy('key')
      .window(sliding(100, 1))
      .allowedLateness('1h')
      .aggregate({ n: count() })
      .sink(found);
    await env.start();
    copies.push(100, 1_000);
    await env.runToWatermark(60_000);
    // when
    copies.push(3_000, 1_000);
    await env.finish();
    // then: the last result of each window and key has all of its records
    const last = new Map(found.records.map(({ window, key, n }: { window: { start: number }; key?: unknown; n: number }) => [`${window.start} ${String(key)}`, n]));
    expect(last.size).toBe(10_000);
    expect([...last.values()].filter((n) => n !== 31)).toEqual([]);
  });

  it('without a key are over the whole stream, in one instance, whatever the parallelism around them is', async () => {
    const build = (env: LocalEnvironment): DataStream<unknown> => timedOrders(env).rebalance().parallelism(3).map((order) => order).window(tumbling('10s')).aggregate({ n: count(), total: sum('price') });
    expect(await recordsOf(build)).toEqual([{ window: { start: 0, end: 10_000 }, n: 3, total: 14 }, { window: { start: 10_000, end: 20_000 }, n: 1, total: 1 }]);
  });

  it('of windows add up', async () => {
    const records = await recordsOf((env) => timedOrders(env).keyBy('shop').window(tumbling('2s')).aggregate({ n: count() }).window(tumbling('10s')).aggregate({ windows: count(), orders: sum('n') }));
    expect(records).toEqual([{ window: { start: 0, end: 10_000 }, windows: 3, orders: 3 }, { window: { start: 10_000, end: 20_000 }, windows: 1, orders: 1 }]);
  });

  it('hand all records to a class, with their key and their event time', async () => {
    class Describe extends ProcessFunction<WindowContents<WithKey<string>, Order>, string> {
      execute({ key, start, elements }: WindowContents<WithKey<string>, Order>): void {
        this.collect(`${key} ${start} ${elements.map(({ price }) => price).join('+')} ${this.ctx.timestamp}`);
      }
    }
    expect(await recordsOf((env) => timedOrders(env).keyBy('shop').window(tumbling('10s')).process(Describe))).toEqual(['a 0 5+7 9999', 'b 0 2 9999', 'a 10000 1 19999']);
  });

  it('take built-in aggregators and those of the user side by side', async () => {
    const records = await recordsOf((env) =>
      timedOrders(env)
        .keyBy('shop')
        .window(session('5s'))
        .aggregate({ mean: avg('price'), prices: collectList('price'), different: countDistinct('price'), last: { init: () => 0, add: (_: number, order: Order) => order.at, merge: Math.max, result: (at: number) => at } }),
    );
    expect(records).toEqual([
      { key: 'a', window: { start: 1_000, end: 9_000 }, mean: 6, prices: [5, 7], different: 2, last: 4_000 },
      { key: 'b', window: { start: 4_500, end: 9_500 }, mean: 2, prices: [2], different: 1, last: 4_500 },
      { key: 'a', window: { start: 12_000, end: 17_000 }, mean: 1, prices: [1], different: 1, last: 12_000 },
    ]);
  });

  it('of whole days are those of a time zone: 25 hours when its clocks go back', async () => {
    // Clocks in Berlin go back in the night to 2026-10-25.
    const at = ['2026-10-24T21:59:59Z', '2026-10-24T22:00:00Z', '2026-10-25T22:59:59Z', '2026-10-25T23:00:00Z'].map((text) => ({ at: Date.parse(text) }));
    const records = await recordsOf((env) =>
      env.fromCollection(at).assignTimestamps('at', { outOfOrdernessMs: 0 }).window(tumbling('1d', { timeZone: 'Europe/Berlin' })).map(({ start, end, elements }) => [new Date(start).toISOString(), (end - start) / 3_600_000, elements.length]),
    );
    expect(records).toEqual([['2026-10-23T22:00:00.000Z', 24, 1], ['2026-10-24T22:00:00.000Z', 25, 2], ['2026-10-25T23:00:00.000Z', 24, 1]]);
  });

  it('of time before 1970 and of broken milliseconds are right', async () => {
    const records = await recordsOf((env) =>
      env.fromCollection([-0.5, -10, 0.5, 9.999, -10.001]).assignTimestamps((n) => n, { outOfOrdernessMs: 100 }).window(tumbling(10)).map(({ start, elements }) => [start, elements]),
    );
    expect(records).toEqual([[-20, [-10.001]], [-10, [-0.5, -10]], [0, [0.5, 9.999]]]);
  });

  it('leave records between windows out, and count them', async () => {
    const { records, result } = await runToArray((env) => env.fromCollection([1, 6, 12, 17]).assignTimestamps((n) => n, { outOfOrdernessMs: 0 }).window(sliding(5, 10)).map(({ elements }) => elements));
    expect(records).toEqual([[1], [12]]);
    expect(result).toMatchObject({ recordsIn: 4, recordsDropped: 2 });
  });

  it('without timestamps go by the clock', async () => {
    const startMs = Date.UTC(2026, 0);
    await using env = new TestEnvironment({ startMs });
    const source = env.testSource<number>('numbers', { eventTime: false });
    const results = env.collectSink<unknown>();
    env.fromSource(source).window(tumbling('10s')).aggregate({ n: count() }).map(({ n, window }) => [n, window.start - startMs]).sink(results);
    await env.start();
    for (let n = 0; n < 3; n++) source.push(n);
    await env.advanceTime(9_999);
    expect(results.take()).toEqual([]);
    await env.advanceTime(1);
    expect(results.take()).toEqual([[3, 0]]);
    source.push(3);
    await env.finish();
    expect(results.take()).toEqual([[1, 10_000]]);
  });

  it('give early results by the clock, and one at the end', async () => {
    await using env = new TestEnvironment({ startMs: 1_000_000 });
    const source = env.testSource<Order>('orders', { eventTime: false });
    const results = env.collectSink<number>();
    env.fromSource(source).assignTimestamps('at', { outOfOrdernessMs: 0 }).window(globalWindow()).trigger(early(everyPeriod('1s'))).aggregate({ n: count() }).map(({ n }) => n).sink(results);
    await env.start();
    source.push(orders[0]!);
    source.push(orders[1]!);
    await env.settle();
    expect(results.take()).toEqual([]);
    await env.advanceTime(1_000);
    expect(results.take()).toEqual([2]);
    source.push(orders[2]!);
    await env.finish();
    expect(results.take()).toEqual([3]);
  });
});

describe('when a job is stopped', () => {
  const started = async (): Promise<{ job: Job; results: CollectSink<unknown> }> => {
    const env = new TestEnvironment();
    const source = env.testSource<Order>('orders', { eventTime: false });
    const results = env.collectSink<unknown>();
    env.fromSource(source).assignTimestamps('at', { outOfOrdernessMs: 0 }).keyBy('shop').parallelism(2).window(tumbling('10s')).aggregate({ n: count() }).map(({ key, n }) => [key, n]).sink(results);
    const job = await env.start();
    source.push(orders[0]!);
    source.push(orders[1]!);
    await env.settle();
    return { job, results };
  };

  it('open windows give nothing', async () => {
    const { job, results } = await started();
    await job.stop();
    expect(results.take()).toEqual([]);
  });

  it('and drained, they give what they have', async () => {
    const { job, results } = await started();
    await job.stop({ drain: true });
    expect(results.take().toSorted()).toEqual([['a', 1], ['b', 1]]);
  });
});

describe('a record at which windows fail', () => {
  const failing = (env: LocalEnvironment): DataStream<unknown> =>
    timedOrders(env).keyBy('shop').window(tumbling('10s')).reduce((a, b) => {
      if (b.price === 7) throw new RangeError('no seven');
      return { ...a, price: a.price + b.price };
    });

  it('fails the job, with its place and the record', async () => {
    expect(await failureOf(recordsOf(failing))).toMatchObject({ operator: 'window', record: orders[2], message: expect.stringContaining('no seven') as string });
  });

  it('is left out, or put aside, as onError says', async () => {
    const { records, result } = await runToArray((env) => failing(env).onError('skip'));
    expect(records).toMatchObject([{ shop: 'a', price: 5 }, { shop: 'b', price: 2 }, { shop: 'a', price: 1 }]);
    expect(result).toMatchObject({ recordsSkipped: 1 });
    const letters: unknown[] = [];
    await runToArray((env) => {
      const stream = failing(env).onError('deadLetter');
      stream.deadLetters().sink(letters);
      return stream;
    });
    expect(letters).toMatchObject([{ record: orders[2], key: 'a', operator: 'window' }]);
  });

  it('with an input that is no number is an error as of aggregates', async () => {
    const { records, result } = await runToArray((env) => timedOrders(env, [orders[0]!, { shop: 'a', price: 'free' as never, at: 2_000 }]).keyBy('shop').window(tumbling('10s')).aggregate({ total: sum('price') }).onError('skip'));
    expect(records).toMatchObject([{ total: 5 }]);
    expect(result).toMatchObject({ recordsSkipped: 1 });
    const failed = recordsOf((env) => env.fromCollection([{ price: 'free' as never }]).window(tumbling('10s')).aggregate({ total: sum('price') }));
    await expect(failed).rejects.toThrow(/'total: sum\(\.\.\.\)' needs numbers; a record gave the string free/);
  });

  it('by a promise says that windows wait for nothing', async () => {
    expect(await failureOf(recordsOf((env) => timedOrders(env).window(tumbling('10s')).reduce(((a: Order) => Promise.resolve(a)) as never)))).toMatchObject({ code: 'SAGE_USER_WRONG_TYPE' });
  });
});

describe('what is wrong with windows is told where it is written', () => {
  const stream = (): DataStream<Order> => timedOrders(new LocalEnvironment('wrong'));
  it.each<[string, () => unknown, RegExp]>([
    ['a size that is none', () => tumbling('ten seconds' as never), /size of tumbling/],
    ['a size of 0', () => tumbling(0), /at least 1 ms/],
    ['a slide that is none', () => sliding('10s', Number.NaN), /slide of sliding/],
    ['a time zone that there is not', () => tumbling('1d', { timeZone: 'Berlin' }), /timeZone of tumbling/],
    ['a time zone for hours', () => tumbling('1h', { timeZone: 'Europe/Berlin' }), /whole days/],
    ['an option that there is not', () => tumbling('1h', { offSet: 1 } as never), /offSet/],
    ['no windows', () => stream().window('10s' as never), /window was given/],
    ['windows of no seconds', () => stream().window({ timeWindow: 0 }), /window was given/],
    ['a trigger for windows of records', () => stream().keyBy('shop').countWindow(2).trigger(early(everyPeriod('1s'))).reduce((a) => a), /trigger was called on windows of 2 records/],
    ['lateness for windows of records', () => stream().keyBy('shop').countWindow(2).allowedLateness('1s').reduce((a) => a), /allowedLateness was called/],
    ['a result named window', () => stream().window(tumbling('1s')).aggregate({ window: count() }), /named 'window'/],
    ['a trigger that is none', () => stream().window(tumbling('1s')).trigger('often' as never), /trigger was given/],
    ['a side output that nobody fills', () => stream().window(tumbling('1s')).aggregate({ n: count() }).sideOutput('late'), /no side outputs/],
    ['more instances of windows over all records', () => { const env = new LocalEnvironment('wrong'); timedOrders(env).window(tumbling('1s')).aggregate({ n: count() }).parallelism(2).print(); env.explain(); }, /over all records/],
  ])('%s', (_, build, message) => {
    expect(build).toThrow(message);
  });
});

it('explain says which windows there are and what they go by', () => {
  const env = new LocalEnvironment('explained');
  timedOrders(env).keyBy('shop').window(sliding('10s', '2s')).allowedLateness('1s').lateTo('late').aggregate({ n: count() }).print();
  env.fromCollection([1]).window(session('1m')).map(({ elements }) => elements.length).print();
  expect(env.explain()).toContain('windows of 10000 ms every 2000 ms, by event time, for each key, 1000 ms of lateness, late records to late, { n }');
  expect(env.explain()).toContain('sessions with gaps below 60000 ms, by the clock, over all records, with all records');
});

it('a class behind windows sees no key, and the event time of the window', async () => {
  class Look extends MapFunction<unknown, unknown> {
    execute(): unknown {
      return [this.ctx.key, this.ctx.timestamp];
    }
  }
  expect(await recordsOf((env) => timedOrders(env, orders.slice(0, 1)).keyBy('shop').window(tumbling('10s')).aggregate({ n: count() }).map(Look))).toEqual([[undefined, 9_999]]);
});

it('over an exchange only the key, the time and what is aggregated travel', async () => {
  const build = (env: LocalEnvironment): DataStream<unknown> =>
    timedOrders(env).keyBy('shop').parallelism(2).window(tumbling('10s')).aggregate({ n: count(), total: sum('price') }).map(({ key, n, total }) => [key, n, total]);
  const env = new LocalEnvironment('extracted');
  build(env).print();
  expect(env.explain()).toContain("only the key, the time and the inputs of 'window' go through the exchange");
  expect((await recordsOf(build)).toSorted()).toEqual([['a', 1, 1], ['a', 2, 12], ['b', 1, 2]]);
});
