import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

import { type DataStream, KeyedProcessFunction, count, sum, tumbling } from '../../../ts/index.ts';
import { TestEnvironment } from '../../../ts/testing/index.ts';
import { PROPERTY_RUNS, shareOfRuns } from '../../property-runs.ts';

vi.setConfig({ testTimeout: Math.max(60_000, 300 * PROPERTY_RUNS) });

const SIZE_MS = 10;
const SOURCES = 3;

/** What a source does next. */
type Step = { readonly source: number } & (
  | { readonly does: 'push'; readonly key: string; readonly at: number }
  | { readonly does: 'watermark'; readonly byMs: number }
  | { readonly does: 'idle' | 'active' | 'end' }
);

interface Reading {
  readonly key: string;
  readonly at: number;
}

/** A result as a text: they are compared without an order. */
const line = (key: unknown, start: number, n: number): string => `${String(key)} ${start} ${n}`;

/** Event time of several sources by its definition: the least of those that are neither idle nor at their end, which never goes back. */
class NaiveTime {
  readonly #sources = Array.from({ length: SOURCES }, () => ({ watermark: Number.NEGATIVE_INFINITY, isIdle: false, hasEnded: false }));
  readonly #open = new Map<string, { key: string; start: number; n: number }>();
  #watermark = Number.NEGATIVE_INFINITY;
  late = 0;

  /** Takes a step; gives the windows that close with it. Nothing for one of a source that has ended. */
  take(step: Step): string[] | undefined {
    const source = this.#sources[step.source]!;
    if (source.hasEnded) return undefined;
    if (step.does === 'push') this.#add({ key: step.key, at: this.timeOf(step) });
    source.isIdle = step.does === 'idle';
    if (step.does === 'watermark') source.watermark = this.watermarkOf(step);
    if (step.does === 'end') source.hasEnded = true;
    const live = this.#sources.filter(({ isIdle, hasEnded }) => !isIdle && !hasEnded);
    if (live.length > 0) this.#watermark = Math.max(this.#watermark, Math.min(...live.map(({ watermark }) => watermark)));
    if (this.#sources.every(({ hasEnded }) => hasEnded)) this.#watermark = Number.POSITIVE_INFINITY;
    return this.#close();
  }

  /** What a source says with a step: watermarks go on. */
  watermarkOf({ source, byMs }: Extract<Step, { does: 'watermark' }>): number {
    const { watermark } = this.#sources[source]!;
    return (watermark === Number.NEGATIVE_INFINITY ? 0 : watermark) + byMs;
  }

  /** The time of a record. Whether one behind the watermark of its own source comes before or after the end of that source's idleness is not said. */
  timeOf({ source, at }: Extract<Step, { does: 'push' }>): number {
    const { isIdle, watermark } = this.#sources[source]!;
    return isIdle ? Math.max(at, watermark) : at;
  }

  #add({ key, at }: Reading): void {
    const start = Math.floor(at / SIZE_MS) * SIZE_MS;
    if (start + SIZE_MS <= this.#watermark) {
      this.late++;
      return;
    }
    const window = this.#open.get(`${key} ${start}`) ?? { key, start, n: 0 };
    window.n++;
    this.#open.set(`${key} ${start}`, window);
  }

  #close(): string[] {
    const closed = [...this.#open].filter(([, { start }]) => start + SIZE_MS <= this.#watermark);
    for (const [id] of closed) this.#open.delete(id);
    return closed.map(([, { key, start, n }]) => line(key, start, n)).toSorted();
  }
}

class Passing extends KeyedProcessFunction<string, Reading, Reading> {
  execute(reading: Reading): void {
    this.collect(reading);
  }
}

const shapes = {
  'in one stage': (streams: readonly DataStream<Reading>[], _: number) => streams[0]!.union(...streams.slice(1)).keyBy('key'),
  'with an exchange behind': (streams: readonly DataStream<Reading>[], parallelism: number) => streams[0]!.union(...streams.slice(1)).keyBy('key').parallelism(parallelism),
  'each with an exchange of its own': (streams: readonly DataStream<Reading>[], parallelism: number) => {
    const [first, ...others] = streams.map((stream) => stream.rebalance().map((reading) => reading).parallelism(2));
    return first!.union(...others).keyBy('key').parallelism(parallelism);
  },
  'with operators between that hold records back': (streams: readonly DataStream<Reading>[], parallelism: number) => {
    const [first, second, ...others] = streams;
    const called = first!.mapAsync(async (reading) => reading, { concurrency: 2 });
    const processed = second!.keyBy('key').process(Passing);
    return called.union(processed, ...others).keyBy('key').parallelism(parallelism);
  },
  'with an exchange before and behind': (streams: readonly DataStream<Reading>[], parallelism: number) =>
    streams[0]!.union(...streams.slice(1)).rebalance().map((reading) => reading).parallelism(2).keyBy('key').parallelism(parallelism),
};

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.tuple(
    fc.nat(SOURCES - 1),
    fc.oneof(
      { weight: 6, arbitrary: fc.record({ does: fc.constant('push' as const), key: fc.constantFrom('a', 'b', 'c'), at: fc.integer({ min: 0, max: 120 }) }) },
      { weight: 6, arbitrary: fc.record({ does: fc.constant('watermark' as const), byMs: fc.integer({ min: 0, max: 25 }) }) },
      { weight: 4, arbitrary: fc.record({ does: fc.constantFrom('idle' as const, 'idle' as const, 'active' as const) }) },
      { weight: 1, arbitrary: fc.record({ does: fc.constant('end' as const) }) },
    ),
  ).map(([source, step]): Step => ({ source, ...step })),
  { maxLength: 40 },
);

describe('given sources that fall silent, come back and end at random', () => {
  it('then event time is that of those that nobody may leave out, and windows close by it at once', () =>
    fc.assert(
      fc.asyncProperty(steps, fc.constantFrom(...(Object.keys(shapes) as (keyof typeof shapes)[])), fc.integer({ min: 1, max: 4 }), fc.nat(1000), async (all, shape, parallelism, seed) => {
        await using env = new TestEnvironment({ seed });
        const sources = Array.from({ length: SOURCES }, (_, n) => env.testSource<Reading>(`source ${n}`));
        const sink = env.collectSink<string>();
        const naive = new NaiveTime();
        const keyed = shapes[shape](sources.map((source) => env.fromSource(source)), parallelism);
        keyed
          .window(tumbling(SIZE_MS))
          .aggregate({ n: count(), all: sum(({ at }) => at) })
          .map(({ key, window, n }) => line(key, window.start, n))
          .sink(sink);
        await env.start();
        const expected: string[][] = [];
        const found: string[][] = [];
        for (const step of all) {
          const source = sources[step.source]!;
          const says = step.does === 'watermark' ? naive.watermarkOf(step) : 0;
          const at = step.does === 'push' ? naive.timeOf(step) : 0;
          const closed = naive.take(step);
          if (closed === undefined) continue;
          if (step.does === 'push') void source.push({ key: step.key, at }, at);
          else if (step.does === 'watermark') void source.watermark(says);
          else void source[step.does]();
          await env.settle();
          expected.push(closed);
          found.push(sink.take().toSorted());
        }
        const { operators } = await env.finish();
        expected.push(sources.flatMap((_, source) => naive.take({ source, does: 'end' }) ?? []).toSorted());
        found.push(sink.take().toSorted());
        expect(found).toEqual(expected);
        expect(operators.find(({ name }) => name === 'window')!.recordsLate).toBe(naive.late);
      }),
      { numRuns: shareOfRuns(0.5), endOnFailure: false },
    ));
});

it('given a collection that has ended and a live source that falls silent, then event time does not end: what comes later is not late', async () => {
  await using env = new TestEnvironment();
  const live = env.testSource<Reading>('live', { eventTime: false });
  const found = env.collectSink<string>();
  const options = { outOfOrdernessMs: 0, idleMs: 1000, maxAheadMs: Number.POSITIVE_INFINITY };
  env
    .fromCollection<Reading>([{ key: 'a', at: 1 }])
    .assignTimestamps('at', options)
    .union(env.fromSource(live).assignTimestamps('at', options))
    .keyBy('key')
    .window(tumbling(SIZE_MS))
    .aggregate({ n: count() })
    .map(({ key, window, n }) => line(key, window.start, n))
    .sink(found);
  await env.start();
  live.push({ key: 'a', at: 3 });
  await env.advanceTime(60_000);
  live.push({ key: 'a', at: 5 });
  live.push({ key: 'a', at: 12 });
  await env.settle();
  expect(found.take()).toEqual([line('a', 0, 3)]);
  const { operators } = await env.finish();
  expect(found.take()).toEqual([line('a', 10, 1)]);
  expect(operators.find(({ name }) => name === 'window')!.recordsLate).toBe(0);
});
