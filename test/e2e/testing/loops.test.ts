import { describe, expect, it } from 'vitest';

import { type DataStream, KeyedProcessFunction, type StateSettings, session, sum, tumbling } from '../../../ts/index.ts';
import { TestEnvironment } from '../../../ts/testing/index.ts';
import { ALWAYS_ON_DISK } from '../state/state-environment.ts';

interface Lap {
  readonly key: string;
  readonly left: number;
}

const later = ({ key, left }: Lap): Lap => ({ key, left: left - 1 });
const most = (a: Lap, b: Lap): Lap => (a.left > b.left ? a : b);

/** Gives each lap once more by a timer of its own, which is the later the more laps its key has had. */
class Echo extends KeyedProcessFunction<string, Lap, Lap> {
  execute(lap: Lap): void {
    const laps = this.ctx.state.list<number>('laps');
    laps.add(lap.left);
    this.ctx.timers.processingTime(laps.length * 100);
    this.collect(lap);
  }
  override onTimer(): void {
    this.collect({ key: this.ctx.key, left: 0 });
  }
}

/** What the loop is made of, and how many records have come out of it before time passes, after 60 ms, after 2,060 ms, and at the end. */
const bodies: Readonly<Record<string, { readonly body: (laps: DataStream<Lap>) => DataStream<Lap>; readonly counts: readonly (number | undefined)[] }>> = {
  'timers': { body: (laps) => laps.keyBy('key').process(Echo).map(later), counts: [27, 27, 54, 54] },
  'windows of the clock': { body: (laps) => laps.keyBy('key').window(tumbling('1s')).reduce(most).map(later), counts: [0, 0, 6, 9] },
  'sessions of the clock': { body: (laps) => laps.keyBy('key').window(session('1s')).reduce(most).map(later), counts: [0, 0, 6, 9] },
  'batches by time': { body: (laps) => laps.batch({ max: 100, waitMs: 30 }).flatMap((batch) => batch).map(later), counts: [0, 18, 27, 27] },
  'lookups in batches': { body: (laps) => laps.lookup((keys: readonly string[]) => Promise.resolve(keys), { key: 'key', concurrency: 5, batch: { max: 4, waitMs: 40 } }, later), counts: [undefined, undefined, 27, 27] },
  'records that are seen once': { body: (laps) => laps.dedup(({ key, left }) => `${key} ${left}`, { ttlMs: 100 }).map(later), counts: [9, 9, 9, 9] },
  'aggregates now and then': { body: (laps) => laps.keyBy('key').aggregate({ left: sum('left') }, { emit: { everyMs: 50 } }).map(({ key }) => ({ key, left: 0 })), counts: [undefined, undefined, undefined, undefined] },
};

/** Runs a loop with nine records; what came out, in order, and how much at each time. */
async function runLoop(body: (laps: DataStream<Lap>) => DataStream<Lap>, seed: number, state: StateSettings, parallelism: number): Promise<{ readonly order: readonly string[]; readonly counts: readonly number[] }> {
  await using env = new TestEnvironment({ seed, state, parallelism });
  const source = env.testSource<Lap>('laps', { eventTime: false });
  const found = env.collectSink<Lap>();
  const again = env.fromFuture<Lap>('again');
  const went = body(env.fromSource(source).union(again));
  went.filter(({ left }) => left > 0).fillFuture(again);
  went.sink(found);
  await env.start();
  for (const key of ['a', 'b', 'c', 'a', 'b', 'c', 'a', 'b', 'c']) source.push({ key, left: 3 });
  const counts: number[] = [];
  for (const ms of [0, 60, 2_000]) {
    await env.advanceTime(ms);
    counts.push(found.records.length);
  }
  const { edges } = await env.finish();
  for (const { sent, received } of edges) expect(sent).toBe(received);
  return { order: found.records.map(({ key, left }) => `${key} ${left}`), counts: [...counts, found.records.length] };
}

describe.each(Object.entries(bodies))('a loop with %s in a TestEnvironment', (_, { body, counts }) => {
  it.each([['memory', 1], ['memory', 3], [ALWAYS_ON_DISK, 2]] as const)('settles and ends, and a seed gives one order, with state in %j and %i instances', async (state, parallelism) => {
    const first = await runLoop(body, 5, state, parallelism);
    expect(await runLoop(body, 5, state, parallelism)).toEqual(first);
    const other = await runLoop(body, 6, state, parallelism);
    for (const [n, wanted] of counts.entries()) if (wanted !== undefined) expect([first.counts[n], other.counts[n]]).toEqual([wanted, wanted]);
  });
});
