import { describe, expect, it, vi } from 'vitest';

import {
  avg, BroadcastProcessFunction, count, countWindow, type DataStream, early, everyCount, globalWindow, JsonLinesSink, KeyedCoProcessFunction, KeyedProcessFunction, type KeyedStream, type LocalEnvironment, max, min,
  session, sliding, sum, tumbling,
} from '../../../ts/index.ts';
import { AtEnd, EveryCount } from '../windows/rebuilt-triggers.ts';
import { Workplace } from './interrupted.ts';
import { directory, inStages, linesOfParts, type StagedBuild, type StagedSources, undisturbedStages } from './staged.ts';

// Each epoch waits for the disk.
vi.setConfig({ testTimeout: 120_000 });

interface Reading {
  readonly n: number;
  readonly k: number;
  readonly at: number;
  readonly value: number;
}

/** Readings of seven keys, in the order of their times, now and then with a pause. */
const readings: readonly Reading[] = Array.from({ length: 400 }, (_, n) => ({ n, k: (n * n) % 7, at: n * 10 + Math.floor(n / 13) * 90, value: ((n * 37) % 19) - 9 }));
/** Other readings of these keys, at other times. */
const others: readonly Reading[] = Array.from({ length: 250 }, (_, n) => ({ n, k: (n * n + n) % 7, at: n * 27 + 3, value: n % 11 }));

type Stream = DataStream<Reading>;
type Keyed = KeyedStream<number, Reading>;

/** A source is in one instance, so that the records of a key stay in their order. */
const plain = (env: LocalEnvironment, sources: StagedSources, records = readings): Stream => env.fromSource(sources.of(records));
const timed = (env: LocalEnvironment, sources: StagedSources, records = readings): Stream => plain(env, sources, records).assignTimestamps('at', { outOfOrdernessMs: 0 }).parallelism(1);

class Watch extends KeyedProcessFunction<number, Reading, unknown> {
  execute({ n, at, value }: Reading): void {
    const { state, timers } = this.ctx;
    const seen = state.value<number>('seen', { default: 0 }).update((before) => before + 1);
    const recent = state.list<number>('recent', { ttlMs: 3_600_000 });
    recent.add(n);
    if ([...recent].length > 5) recent.clear();
    const total = state.reducing<number>('total', (a, b) => a + b);
    total.add(value);
    const end = at - (at % 200) + 200;
    const inSpan = state.map<number, number>('inSpan', { ttlMs: 3_600_000 });
    inSpan.set(end, (inSpan.get(end) ?? 0) + 1);
    timers.eventTime(end);
    this.collect({ k: this.ctx.key, n, seen, recent: [...recent], total: total.get() });
  }

  override onTimer(time: number): void {
    const inSpan = this.ctx.state.map<number, number>('inSpan', { ttlMs: 3_600_000 });
    this.collect({ k: this.ctx.key, time, records: inSpan.get(time) });
    inSpan.delete(time);
  }
}

/** Timers of the clock that nobody waits for: they fire at the end, in the order in which they were registered. */
class Reminders extends KeyedProcessFunction<number, Reading, unknown> {
  execute({ n }: Reading): void {
    const due = this.ctx.state.value<number>('first', { default: 4_000_000_000_000 }).get() + n;
    this.ctx.state.value<number>('fired', { default: 0 }).get();
    if (n % 3 === 0) this.ctx.timers.processingTime(due);
    if (n % 9 === 0) this.ctx.timers.cancelProcessingTime(due);
  }

  override onTimer(time: number, kind: string): void {
    const fired = this.ctx.state.value<number>('fired', { default: 0 }).update((before) => before + 1);
    this.collect({ k: this.ctx.key, time, kind, fired });
  }
}

/** How many have come of each stream so far. */
class CountBoth extends KeyedCoProcessFunction<number, [Reading, Reading], unknown> {
  execute0({ n }: Reading): void {
    this.#count('first', n);
  }
  execute1({ n }: Reading): void {
    this.#count('second', n);
  }
  #count(stream: string, n: number): void {
    const counts = this.ctx.state.map<string, number>('counts');
    const seen = (counts.get(stream) ?? 0) + 1;
    counts.set(stream, seen);
    this.collect({ k: this.ctx.key, stream, n, seen });
  }
}

/** What is known of a key. A record that comes before that is told nothing. */
class Label extends BroadcastProcessFunction<Reading, { readonly k: number; readonly version: number }, { readonly n: number; readonly k: number; readonly version: number }> {
  executeBroadcast({ k, version }: { readonly k: number; readonly version: number }): void {
    this.ctx.broadcast.map<number, number>('versions').set(k, version);
  }
  execute({ n, k }: Reading): void {
    this.collect({ n, k, version: this.ctx.broadcast.map<number, number>('versions').get(k) ?? -1 });
  }
}

const longest = { init: () => ({ n: 0 }), add: (a: { n: number }, r: Reading) => ({ n: Math.max(a.n, Math.abs(r.value)) }), merge: (a: { n: number }, b: { n: number }) => ({ n: Math.max(a.n, b.n) }), result: (a: { n: number }) => a.n };
const larger = (a: Reading, b: Reading): Reading => ({ ...a, n: b.n, value: a.value + b.value });

type Flow = (env: LocalEnvironment, sources: StagedSources) => DataStream<unknown>;
const keyed = (flow: (stream: Keyed) => DataStream<unknown>): Flow => (env, sources) => flow(plain(env, sources).keyBy('k'));
const keyedByTime = (flow: (stream: Keyed) => DataStream<unknown>): Flow => (env, sources) => flow(timed(env, sources).keyBy('k'));
const both = (flow: (left: Keyed, right: Keyed) => DataStream<unknown>): Flow => (env, sources) => flow(timed(env, sources).keyBy('k'), timed(env, sources, others).keyBy('k'));
const pair = (left: Reading | undefined, right: Reading | undefined): unknown => ({ left: left?.n ?? null, right: right?.n ?? null });

/** Each gives the same records, whatever the parallelism is. */
const flows: Readonly<Record<string, Flow>> = {
  'state, time to live and timers of event time': keyedByTime((stream) => stream.process(Watch)),
  'timers of the clock': keyed((stream) => stream.process(Reminders)),
  'a function of two keyed streams': both((left, right) => left.connect(right).process(CountBoth)),
  'an interval join': both((left, right) => left.join(right, { within: { before: 40, after: 60 } }, pair)),
  'a left interval join': both((left, right) => left.join(right, { within: { after: 15 }, type: 'left' }, pair)),
  'a full interval join': both((left, right) => left.join(right, { within: { before: 15 }, type: 'full' }, pair)),
  'a window join': both((left, right) => left.join(right, { window: tumbling(150) }, pair)),
  'a full window join': both((left, right) => left.join(right, { window: tumbling(70), type: 'full' }, pair)),
  'an as-of join': both((left, right) => left.asOfJoin(right, {}, pair)),
  'a left as-of join': both((left, right) => left.asOfJoin(right, { type: 'left', within: 100 }, pair)),
  'a table by event time': both((left, right) => left.join(right.asTable({ deleted: ({ value }) => value === 0 }), { type: 'left' }, pair)),
  'a reduce with running results': keyed((stream) => stream.reduce(larger, { emit: 'update' })),
  'a reduce': keyed((stream) => stream.reduce(larger)),
  'an aggregate of the core': keyed((stream) => stream.aggregate({ n: count(), total: sum('value'), least: min('value'), mean: avg('value') })),
  'an aggregate of the core with running results': keyed((stream) => stream.aggregate({ n: count(), total: sum('value') }, { emit: 'update' })),
  'an aggregate of the user': keyed((stream) => stream.aggregate({ n: count(), longest })),
  'an aggregate of all records': (env, sources) => plain(env, sources).aggregate({ n: count(), total: sum('value'), longest }),
  'tumbling windows of the core': keyedByTime((stream) => stream.window(tumbling(130)).aggregate({ n: count(), total: sum('value'), most: max('value') })),
  'sliding windows of the core': keyedByTime((stream) => stream.window(sliding(200, 50)).aggregate({ n: count(), mean: avg('value') })),
  'sessions of the core': keyedByTime((stream) => stream.window(session(60)).aggregate({ n: count(), least: min('value') })),
  'tumbling windows of the user': keyedByTime((stream) => stream.window(tumbling(130)).aggregate({ n: count(), longest })),
  'sessions of a reduce': keyedByTime((stream) => stream.window(session(60)).reduce(larger)),
  'windows of elements': keyed((stream) => stream.window(countWindow(7, 3)).map(({ elements }) => elements.map(({ n }) => n))),
  'a global window with a trigger': keyed((stream) => stream.window(globalWindow()).trigger(everyCount(4)).map(({ elements }) => elements.map(({ n }) => n))),
  'windows with early results': keyedByTime((stream) => stream.window(tumbling(300)).trigger(early(everyCount(3))).map(({ key, start, elements }) => ({ key, start, n: elements.map(({ n }) => n) }))),
  'windows with a trigger of the user': keyedByTime((stream) => stream.window(tumbling(200)).trigger(AtEnd).map(({ key, start, elements }) => ({ key, start, n: elements.map(({ n }) => n) }))),
  'sessions with a trigger of the user that counts': keyedByTime((stream) => stream.window(session(60)).trigger(EveryCount, 2, 0).map(({ key, start, elements }) => ({ key, start, n: elements.map(({ n }) => n) }))),
  'windows of all records': (env, sources) => timed(env, sources).window(tumbling(500)).aggregate({ n: count(), total: sum('value') }),
  'batches of each key': keyed((stream) => stream.batch({ max: 6 }).map((batch) => batch.map(({ n }) => n))),
  'a dedup of each key': keyed((stream) => stream.dedup('value')),
  'a limit of each key': keyed((stream) => stream.limit(30)),
  'a dedup over all': (env, sources) => plain(env, sources).dedup(({ value }) => value % 7),
  // The other way keeps the source from ending with the limit.
  'a limit over all': (env, sources) => {
    const stream = plain(env, sources);
    return stream.limit(301).union(stream.map((reading) => ({ ...reading, k: -1 })));
  },
  'numbers of records': (env, sources) => plain(env, sources).zipWithIndex().parallelism(1).map(([{ n }, index]) => ({ n, index })),
  'one record of ten': (env, sources) => plain(env, sources).sample({ every: 10 }).parallelism(1),
  'a sample': (env, sources) => plain(env, sources).sample(0.3).parallelism(1),
};

async function answer(n: number, sources: StagedSources): Promise<{ readonly n: number; readonly square: number }> {
  await sources.call(n);
  return { n, square: n * n };
}

/** The first source is that whose records are called for. */
const calls: Readonly<Record<string, Flow>> = {
  'calls that are ordered': (env, sources) => plain(env, sources).mapAsync(({ n }) => answer(n, sources), { concurrency: 8, ordered: true }),
  'calls that are not ordered': (env, sources) => plain(env, sources).mapAsync(({ n }) => answer(n, sources), { concurrency: 8, ordered: false }),
  'ordered calls of each key': (env, sources) => plain(env, sources).keyBy('k').mapAsync(({ n }) => answer(n, sources), { concurrency: 8, ordered: true }),
  'unordered calls of each key': (env, sources) => plain(env, sources).keyBy('k').mapAsync(({ n }) => answer(n, sources), { concurrency: 8, ordered: false }),
  'lookups': (env, sources) => plain(env, sources).lookup((n: number) => answer(n, sources), { key: 'n', concurrency: 8 }, (_: Reading, row) => row),
};

/** Rows of all keys, later and later ones; those of the first source rest at the same places. */
const versions = Array.from({ length: 400 }, (_, version) => ({ k: version % 7, version }));
const tableByArrival: Flow = (env, sources) => plain(env, sources).keyBy('k').join(env.fromSource(sources.of(versions)).keyBy('k').asTable(), { type: 'left' }, ({ n, k }, row) => ({ n, k, version: row?.version ?? -1 }));

const write = (flow: Flow): StagedBuild => (env, sources, out) => void flow(env, sources).sink(new JsonLinesSink(out));

/** Shared by the generated and the linked form. */
export function testOperators(): void {
  describe.each(Object.entries(flows))('a pipeline of %s', (_name, flow) => {
    it.each([
      [1, [1, 3, 2]],
      [2, [3, 2, 1]],
    ])('given that it is ended behind a checkpoint and goes on with more or fewer instances, when it has ended, then its records are the undisturbed ones (seed %i, instances %j)', async (seed, parallelism) => {
      using place = new Workplace();
      await undisturbedStages(write(flow), directory(place, 'whole'));
      await inStages(write(flow), { dir: place.path('checkpoints'), out: directory(place, 'parts'), seed, parallelism });
      const expected = linesOfParts(place, 'whole');
      expect(expected.length).toBeGreaterThan(0);
      expect(linesOfParts(place, 'parts')).toEqual(expected);
    });
  });

  describe.each(Object.entries(calls))('a pipeline of %s', (_name, flow) => {
    it.each([
      [1, [1, 3, 2]],
      [2, [3, 2, 1]],
    ])('given calls that are on their way at the checkpoint, when it goes on, then they are made again, and each record has one result (seed %i, instances %j)', async (seed, parallelism) => {
      using place = new Workplace();
      await undisturbedStages(write(flow), directory(place, 'whole'));
      const { calls: onTheirWay } = await inStages(write(flow), { dir: place.path('checkpoints'), out: directory(place, 'parts'), seed, parallelism });
      expect(onTheirWay).toBeGreaterThan(0);
      expect(linesOfParts(place, 'parts')).toEqual(linesOfParts(place, 'whole'));
    });
  });

  it.each([1, 2, 3])('given calls whose results are ordered, when they are ended and go on, then the results are in the order of the records (seed %i)', async (seed) => {
    using place = new Workplace();
    const { calls: onTheirWay } = await inStages(write(calls['calls that are ordered']!), { dir: place.path('checkpoints'), out: place.path('out.jsonl'), seed, parallelism: [1, 1, 1, 1] });
    expect(onTheirWay).toBeGreaterThan(0);
    expect(place.read('out.jsonl', true)).toBe(readings.map(({ n }) => `${JSON.stringify({ n, square: n * n })}\n`).join(''));
  });

  it.each([
    [1, [1, 3, 2]],
    [2, [2, 1, 3]],
  ])('given batches of all records, when they are ended and go on, then each record is in one batch, and none is too large (seed %i, instances %j)', async (seed, parallelism) => {
    using place = new Workplace();
    await inStages(write((env, sources) => plain(env, sources).batch({ max: 9 }).map((batch) => batch.map(({ n }) => n))), { dir: place.path('checkpoints'), out: directory(place, 'parts'), seed, parallelism });
    const batches = linesOfParts(place, 'parts').map((line) => JSON.parse(line) as number[]);
    expect(batches.flat().toSorted((a, b) => a - b)).toEqual(readings.map(({ n }) => n));
    expect(Math.max(...batches.map(({ length }) => length))).toBeLessThanOrEqual(9);
  });

  it.each([1, 2, 3])('given batches of one instance, when they are ended and go on, then they are the undisturbed ones (seed %i)', async (seed) => {
    using place = new Workplace();
    const flow: Flow = (env, sources) => plain(env, sources).batch({ max: 9 }).map((batch) => batch.map(({ n }) => n));
    await undisturbedStages(write(flow), place.path('whole.jsonl'));
    await inStages(write(flow), { dir: place.path('checkpoints'), out: place.path('out.jsonl'), seed, parallelism: [1, 1, 1] });
    expect(place.read('out.jsonl', true)).toBe(place.read('whole.jsonl', true));
  });

  // Which row a record meets is a matter of arrival, but it is never one from before that of an earlier record of its key.
  it.each([
    ['a broadcast side', 1, [1, 3, 2], (env: LocalEnvironment, sources: StagedSources) => plain(env, sources).keyBy('k').connect(env.fromSource(sources.of(versions)).broadcast()).process(Label)],
    ['a broadcast side', 2, [2, 1, 3], (env: LocalEnvironment, sources: StagedSources) => plain(env, sources).keyBy('k').connect(env.fromSource(sources.of(versions)).broadcast()).process(Label)],
    ['a table', 1, [1, 3, 2], tableByArrival],
    ['a table', 2, [2, 1, 3], tableByArrival],
  ] as const)('given %s that goes by arrival, when it is ended and goes on, then no record meets less than those before it (seed %i, instances %j)', async (_name, seed, parallelism, flow) => {
    using place = new Workplace();
    await inStages(write(flow), { dir: place.path('checkpoints'), out: directory(place, 'parts'), seed, parallelism });
    const met = linesOfParts(place, 'parts').map((line) => JSON.parse(line) as { readonly n: number; readonly k: number; readonly version: number });
    expect(met.map(({ n }) => n).toSorted((a, b) => a - b)).toEqual(readings.map(({ n }) => n));
    for (const k of new Set(readings.map((reading) => reading.k))) {
      const ofKey = met.filter((record) => record.k === k).toSorted((a, b) => a.n - b.n).map(({ version }) => version);
      expect(ofKey).toEqual(ofKey.toSorted((a, b) => a - b));
      expect(ofKey.at(-1)).toBeGreaterThanOrEqual(0);
    }
  });
}
