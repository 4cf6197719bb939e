import { afterEach, describe, expect, it, vi } from 'vitest';

import { type DataStream, ProcessFunction, count, tumbling } from '../../../ts/index.ts';
import { CollectSink, TestEnvironment, TestSource, exploreSchedules } from '../../../ts/testing/index.ts';

afterEach(() => vi.unstubAllEnvs());

/** Everything that happens in a job of several sources, stages and instances, in its order. */
async function eventsOf(seed: number): Promise<string[]> {
  const events: string[] = [];
  class Look extends ProcessFunction<number, number> {
    readonly #stage: string;

    constructor(stage: string) {
      super();
      this.#stage = stage;
    }

    execute(n: number): void {
      events.push(`${this.#stage}/${this.ctx.parallelIndex} ${n}`);
      this.collect(n);
    }
  }
  await using env = new TestEnvironment({ seed });
  const [a, b] = [env.testSource<number>('a'), env.testSource<number>('b')];
  const found = env.collectSink<number>();
  const numbers = env.fromSource(a).union(env.fromSource(b)).keyBy((n) => n % 5).parallelism(3).process(Look, 'first');
  numbers.map(async (n) => n).keyBy((n) => n % 3).parallelism(2).process(Look, 'second').sink(found);
  numbers.mapAsync(async (n) => n, { concurrency: 4 }).parallelism(2).sink((n) => void events.push(`beside ${n}`));
  await env.start();
  for (let n = 0; n < 25; n++) {
    a.push(n, n);
    b.push(100 + n, n);
    if (n % 10 === 9) await env.settle();
  }
  await env.finish();
  return [...events, ...found.records.map((n) => `found ${n}`)];
}

describe('a schedule', () => {
  it('is that of its seed: all that happens comes in the same order again', async () => {
    for (const seed of [0, 1, 7, 123_456_789_012]) expect(await eventsOf(seed)).toEqual(await eventsOf(seed));
  });

  it('of another seed is another one, with the same records', async () => {
    // Given twelve seeds
    const runs: string[][] = [];
    for (let seed = 0; seed < 12; seed++) runs.push(await eventsOf(seed));
    // Then hardly two of them come in the same order, and what happens is the same
    expect(new Set(runs.map((events) => events.join('\n'))).size).toBeGreaterThan(10);
    for (const events of runs) expect(events.toSorted()).toEqual(runs[0]!.toSorted());
  });

  it('lets either of two sources be first, and cuts batches anywhere', async () => {
    const firsts = new Set<string>();
    const changes = new Set<number>();
    await exploreSchedules(30, async () => {
      await using env = new TestEnvironment();
      const [a, b] = [env.testSource<string>('a'), env.testSource<string>('b')];
      const found = env.collectSink<string>();
      env.fromSource(a).union(env.fromSource(b)).rebalance().map((name) => name).sink(found);
      await env.start();
      for (let n = 0; n < 30; n++) [a, b].forEach((source) => void source.push(source.name));
      await env.settle();
      const { records } = found;
      firsts.add(records[0]!);
      changes.add(records.filter((name, n) => n > 0 && records[n - 1] !== name).length);
    });
    expect([...firsts].toSorted()).toEqual(['a', 'b']);
    expect(changes.size).toBeGreaterThan(5);
  });

  it('changes no result of event time', async () => {
    await exploreSchedules(20, async () => {
      await using env = new TestEnvironment();
      const source = env.testSource<{ shop: string }>('orders');
      const found = env.collectSink<unknown>();
      const windows = env.fromSource(source).rebalance().map((order) => order).keyBy('shop').window(tumbling('10s')).lateTo('late');
      const counts: DataStream<unknown> = windows.map(({ key, start, elements }) => [key, start, elements.length]);
      counts.sink(found);
      await env.start();
      for (const at of [1_000, 9_000, 4_000, 12_000]) source.push({ shop: 'a' }, at);
      source.watermark(10_000);
      source.push({ shop: 'a' }, 9_999);
      source.push({ shop: 'a' }, 10_000);
      source.watermark(20_000);
      await env.settle();
      expect(found.take()).toEqual([['a', 0, 3], ['a', 10_000, 2]]);
    });
  });
});

describe('exploreSchedules', () => {
  /** Adds a price to each order; wrong, as it takes for granted that prices come before orders. */
  const total = async (): Promise<void> => {
    await using env = new TestEnvironment();
    const prices = new TestSource<number>({ name: 'prices' });
    const orders = new TestSource<number>({ name: 'orders' });
    const found = new CollectSink<number>();
    let price = 0;
    env
      .fromSource(prices)
      .connect(env.fromSource(orders))
      .comap([(p: number) => void (price = p), (pieces: number) => pieces * price])
      .sink(found);
    await env.start();
    prices.push(7);
    orders.push(3);
    await env.settle();
    expect(found.records).toEqual([21]);
  };

  it('finds a function that takes an order of its inputs for granted, and says the seed that replays it', async () => {
    const error = await exploreSchedules(50, total).then(() => expect.fail('no schedule has found it'), (thrown: unknown) => thrown as Error);
    const seed = /seed (\d+) \(SAGE_TEST_SEED=\1 replays it\)/.exec(error.message)?.[1];
    expect(seed, error.message).toBeDefined();
    expect(error.message).toContain('[ 21 ]');
    // When only that one runs, it fails again, and says so again
    vi.stubEnv('SAGE_TEST_SEED', seed!);
    const seeds: number[] = [];
    const again = exploreSchedules(50, async (one) => {
      seeds.push(one);
      await total();
    });
    await expect(again).rejects.toThrow(`under the schedule of seed ${seed}`);
    expect(seeds).toEqual([Number(seed)]);
    // And so it does without exploring, as the environment takes the variable over
    await expect(total()).rejects.toThrow('[ 21 ]');
  });

  it('runs all of them when none fails, each with its own seed', async () => {
    const seeds: number[] = [];
    await exploreSchedules(5, async (seed) => {
      await using env = new TestEnvironment();
      expect(env.seed).toBe(seed);
      seeds.push(seed);
    });
    expect(seeds).toEqual([0, 1, 2, 3, 4]);
  });

  it.each([0, -1, 2.5, Number.NaN, undefined])('refuses %s schedules, which would test nothing', async (schedules) => {
    await expect(exploreSchedules(schedules as number, () => undefined)).rejects.toMatchObject({ code: 'SAGE_PLAN_ARGUMENT' });
  });

  it('refuses a seed that is none', async () => {
    vi.stubEnv('SAGE_TEST_SEED', 'seven');
    await expect(exploreSchedules(1, () => undefined)).rejects.toMatchObject({ code: 'SAGE_PLAN_ARGUMENT' });
    expect(() => new TestEnvironment({ seed: 1.5 })).toThrow(/seed/);
  });
});

it('a TestEnvironment runs parallel instances without a warning, and says in explain where', async () => {
  const warned = vi.fn();
  process.on('warning', warned);
  await using env = new TestEnvironment({ parallelism: 2 });
  const found = env.collectSink<unknown>();
  env.fromCollection([1, 2, 3]).keyBy((n) => n % 2).aggregate({ n: count() }).sink(found);
  expect(env.explain()).toContain('a TestEnvironment runs all of it in the main isolate');
  await env.start();
  await env.finish();
  await new Promise(setImmediate);
  process.off('warning', warned);
  expect(found.records).toHaveLength(2);
  expect(warned.mock.calls.map(([warning]) => String(warning))).toEqual([]);
});
