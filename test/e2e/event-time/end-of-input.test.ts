import { describe, expect, it } from 'vitest';

import { TestEnvironment, exploreSchedules } from '../../../ts/testing/index.ts';
import { type DataStream, LocalEnvironment, ProcessFunction, aggregator, count, countWindow, globalWindow, session, sliding, sum, tumbling } from '../../../ts/index.ts';

interface Event {
  readonly at: number;
  readonly value: number;
}

const events: Event[] = [{ at: 1_000, value: 5 }, { at: 4_000, value: 7 }];
const IN_ORDER = { outOfOrdernessMs: 0 };

/** What windows of ten seconds hold of a stream: how much of what is given at the end of the input arrives in time. */
async function windowed(build: (env: LocalEnvironment) => DataStream<Event>): Promise<{ windows: unknown[]; late: number }> {
  const env = new LocalEnvironment('end of input');
  const windows: unknown[] = [];
  build(env).window(tumbling('10s')).aggregate({ n: count(), total: sum('value') }).named('seconds').map(({ window, n, total }) => [window.start, n, total]).sink(windows);
  const { operators } = await env.submit({ autostop: true });
  return { windows, late: operators.find(({ name }) => name === 'seconds')!.recordsLate! };
}

class GivesTotal extends ProcessFunction<Event, Event> {
  #total = 0;
  execute({ value }: Event): void {
    this.#total += value;
  }
  override finish(): void {
    this.collect({ at: 15_000, value: this.#total });
  }
}

describe('what operators give when their input has ended is not late below', () => {
  it('for a finish, whose record has the time up to which all have come', async () => {
    expect(await windowed((env) => env.fromCollection(events).assignTimestamps('at', IN_ORDER).process(GivesTotal))).toEqual({ windows: [[0, 1, 12]], late: 0 });
  });

  it.each<[string, (env: LocalEnvironment) => DataStream<Event>, unknown[]]>([
    ['for a finish before assignTimestamps', (env) => env.fromCollection(events).process(GivesTotal).assignTimestamps('at', IN_ORDER), [[10_000, 1, 12]]],
    ['for a window over all of the input', (env) => env.fromCollection(events).window(globalWindow()).reduce((a, b) => ({ at: b.at, value: a.value + b.value })).assignTimestamps('at', IN_ORDER), [[0, 1, 12]]],
    ['for a window of records that is not full', (env) => env.fromCollection(events).assignTimestamps('at', IN_ORDER).window(countWindow(5)).map(({ elements }) => ({ at: 21_000, value: elements.length })).assignTimestamps('at', IN_ORDER), [[20_000, 1, 2]]],
    ['for the last record that a limit lets pass, which ends the source', (env) => env.fromCollection(events).limit(1).assignTimestamps('at', IN_ORDER), [[0, 1, 5]]],
    ['for such a record that is still awaited', (env) => env.fromCollection(events).limit(1).map(async (event) => event).assignTimestamps('at', IN_ORDER), [[0, 1, 5]]],
    ['for an aggregate beside its own input', (env) => {
      const source = env.fromCollection(events);
      return source.union(source.reduce((a, b) => ({ at: 30_000, value: a.value + b.value }))).assignTimestamps('at', IN_ORDER);
    }, [[0, 2, 12], [30_000, 1, 12]]],
  ])('%s', async (_, build, windows) => {
    expect(await windowed(build)).toEqual({ windows, late: 0 });
  });

  it('for a record that an async function has in hand while its isolate has nothing else to do', async () => {
    const found = await windowed((env) => {
      const stream = env.fromCollection(events).assignTimestamps('at', IN_ORDER).keyBy('value');
      return stream.asOfJoin(stream, {}, async (left) => {
        for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
        return left;
      });
    });
    expect(found).toEqual({ windows: [[0, 2, 12]], late: 0 });
  });
});

it('dead letters of calls whose time is over come before its end, whenever their step is cut off', async () => {
  await exploreSchedules(20, async () => {
    await using env = new TestEnvironment();
    const windows: unknown[] = [];
    env
      .fromCollection(events)
      .mapAsync((): Promise<Event> => Promise.reject(new RangeError('no reply')), { concurrency: 2 })
      .onError('deadLetter')
      .deadLetters<Event>()
      .assignTimestamps(({ record }) => record.at, IN_ORDER)
      .window(tumbling('10s'))
      .aggregate({ n: count() })
      .map(({ window, n }) => [window.start, n])
      .sink(windows);
    await env.start();
    await env.finish();
    expect(windows).toEqual([[0, 2]]);
  });
});

it('a window gives no result when its only record was left out', async () => {
  const env = new LocalEnvironment('left out');
  const windows: unknown[] = [];
  const squares = aggregator({ init: () => 0, add: (a: number, { value }: Event) => a + value ** 2, merge: (a, b) => a + b, result: (a) => a });
  env
    .fromCollection<Event>([...events, { at: 50_000, value: -1 }])
    .assignTimestamps('at', IN_ORDER)
    .window(sliding('10s', '5s'))
    .aggregate({
      n: count(),
      total: sum(({ value }) => {
        if (value < 0) throw new RangeError('negative');
        return value;
      }),
      squares,
    })
    .onError('skip')
    .map(({ window, n, squares: all }) => [window.start, n, all])
    .sink(windows);
  const { recordsSkipped } = await env.submit({ autostop: true });
  expect(recordsSkipped).toBe(1);
  expect(windows).toEqual([[-5_000, 2, 74], [0, 2, 74]]);
});

it('sessions too', async () => {
  const env = new LocalEnvironment('left out of sessions');
  const windows: unknown[] = [];
  env
    .fromCollection<Event>([...events, { at: 50_000, value: -1 }])
    .assignTimestamps('at', IN_ORDER)
    .window(session('10s'))
    .aggregate({ n: count(), all: aggregator({ init: () => 0, add: (a: number, { value }: Event) => (value < 0 ? fail() : a + value), merge: (a, b) => a + b, result: (a) => a }) })
    .onError('skip')
    .map(({ n, all }) => [n, all])
    .sink(windows);
  await env.submit({ autostop: true });
  expect(windows).toEqual([[2, 12]]);
});

function fail(): never {
  throw new RangeError('negative');
}
