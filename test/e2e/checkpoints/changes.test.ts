// Checkpoints that hold what has changed since the one before, in files.
import { cpSync, rmSync } from 'node:fs';

import { describe, expect, it, vi } from 'vitest';

import { type DataStream, KeyedProcessFunction, type KeyedStream, LocalEnvironment, MapFunction, type StateSettings, count, countWindow, session, sliding, sum, tumbling } from '../../../ts/index.ts';
import { SeededRandom } from '../../../ts/testing/seeded-random.ts';
import { Workplace } from './interrupted.ts';
import { Phases } from './phased-source.ts';

// Each epoch waits for the disk.
vi.setConfig({ testTimeout: 240_000 });

interface Order {
  readonly key: string;
  /** Nothing: the key goes. */
  readonly to?: number;
  readonly reads?: boolean;
}

class Keep extends KeyedProcessFunction<string, Order, { key: string; value: number | undefined; list: readonly number[] }> {
  execute({ key, to, reads }: Order): void {
    const { state, timers } = this.ctx;
    const value = state.value<number>('value');
    const list = state.list<number>('list');
    if (reads) return this.collect({ key, value: value.get(), list: [...list] });
    if (to === undefined) {
      value.clear();
      list.clear();
      return;
    }
    value.set(to);
    list.add(to);
    if (to % 2 === 0) timers.processingTime(4_000_000_000_000 + to);
  }
}

class KeepInMap extends MapFunction<Order, number> {
  execute({ to }: Order): number {
    const value = this.ctx.state.value<number>('value');
    value.set(to!);
    return to!;
  }
}

const MEBIBYTE = 2 ** 20;
type Orders = KeyedStream<string, Order>;

describe('a checkpoint of 100,000 keys of which 100 have changed since the one before', () => {
  const onDisk = (place: Workplace): StateSettings => ({ kind: 'disk', memoryBytes: 8 * MEBIBYTE, directory: place.path('state') });
  it.each<[string, (orders: Orders) => { sink(into: unknown[]): unknown }, (place: Workplace) => StateSettings]>([
    ['states and timers of a process function', (orders) => orders.process(Keep), () => 'memory'],
    ['states on disk', (orders) => orders.process(Keep), onDisk],
    ['state of a map', (orders) => orders.map(KeepInMap).filter(() => false), () => 'memory'],
    ['a reduce', (orders) => orders.reduce((_, order) => order), () => 'memory'],
  ])('given %s, then it has less than a fiftieth of the bytes', async (_, build, state) => {
    using place = new Workplace();
    const all = Array.from({ length: 100_000 }, (_, n): Order => ({ key: `key ${n}`, to: n }));
    const phases = new Phases<Order>([all, all.filter((_, n) => n % 1000 === 0).map(({ key }) => ({ key, to: 7 })), []]);
    const env = new LocalEnvironment('sizes', { parallelism: 1, checkpoint: { dir: place.path('epochs') }, state: state(place) });
    build(env.fromSource(phases.source).keyBy('key')).sink([]);
    const job = await env.submit();
    await phases.until(0);
    const whole = await job.checkpoint();
    phases.goOn(0);
    await phases.until(1);
    const changed = await job.checkpoint();
    phases.goOn(1);
    await phases.until(2);
    const unchanged = await job.checkpoint();
    await job.cancel();
    expect(whole.bytes).toBeGreaterThan(2 * MEBIBYTE);
    expect(changed.bytes).toBeLessThan(0.02 * whole.bytes);
    expect(unchanged.bytes).toBeLessThan(0.2 * changed.bytes);
  });
});

describe('a checkpoint of 10,000 keys of which 100 have changed since the one before', () => {
  const DAY_MS = 86_400_000;
  type Build = (orders: DataStream<Order>) => { sink(into: unknown[]): unknown };
  const keyed = (orders: DataStream<Order>): Orders => orders.keyBy('key');
  /** Nothing is over before the next day. */
  const timed = (orders: DataStream<Order>): Orders => keyed(orders.assignTimestamps('to', { outOfOrdernessMs: DAY_MS }));
  const sums = { orders: count(), total: sum(({ to }: Order) => to!) };

  it.each<[string, Build]>([
    ['an aggregate of the core', (orders) => keyed(orders).aggregate(sums)],
    ['an aggregate of the core with running results', (orders) => keyed(orders).aggregate(sums, { emit: 'update' }).filter(() => false)],
    ['tumbling windows of the core', (orders) => timed(orders).window(tumbling(DAY_MS)).aggregate(sums)],
    ['sliding windows of many panes in the core', (orders) => timed(orders).window(sliding(DAY_MS, DAY_MS / 100)).aggregate(sums)],
    ['sessions in the core', (orders) => timed(orders).window(session(DAY_MS)).aggregate(sums)],
    ['tumbling windows of a reduce', (orders) => timed(orders).window(tumbling(DAY_MS)).reduce((_, order) => order)],
    ['sessions of all records', (orders) => timed(orders).window(session(DAY_MS)).map((window) => window)],
    ['windows of elements', (orders) => keyed(orders).window(countWindow(100)).map((window) => window)],
    ['an interval join', (orders) => timed(orders).intervalJoin(timed(orders), { before: 0, after: 0 }, () => 1)],
    ['an as-of join', (orders) => timed(orders).asOfJoin(timed(orders), {}, () => 1)],
    ['a join with a table', (orders) => keyed(orders).join(keyed(orders).asTable(), {}, () => 1)],
    ['a dedup within the key', (orders) => keyed(orders).dedup('to')],
    ['a limit of each key', (orders) => keyed(orders).limit(5)],
    ['batches of each key', (orders) => keyed(orders).batch({ max: 100 })],
  ])('given %s, then it has less than a twentieth of the bytes', async (_, build) => {
    using place = new Workplace();
    const all = Array.from({ length: 10_000 }, (_, n): Order => ({ key: `key ${n}`, to: n }));
    const phases = new Phases<Order>([all, all.filter((_, n) => n % 100 === 0).map(({ key }) => ({ key, to: 7 })), []]);
    const env = new LocalEnvironment('sizes', { parallelism: 1, checkpoint: { dir: place.path('epochs') } });
    build(env.fromSource(phases.source)).sink([]);
    const job = await env.submit();
    await phases.until(0);
    const whole = await job.checkpoint();
    phases.goOn(0);
    await phases.until(1);
    const changed = await job.checkpoint();
    phases.goOn(1);
    await phases.until(2);
    const unchanged = await job.checkpoint();
    await job.cancel();
    expect(whole.bytes).toBeGreaterThan(200_000);
    expect(changed.bytes).toBeLessThan(0.05 * whole.bytes);
    expect(unchanged.bytes).toBeLessThan(changed.bytes);
  });
});

describe('checkpoints on top of each other', () => {
  const KEYS = Array.from({ length: 60 }, (_, key) => `key ${key}`);
  const EPOCHS = 21;

  it.each([['in memory', 'memory'], ['on disk', 'disk']] as const)('given keys %s that come, change and go, when a job goes on from any of them, then each key has what it had then', async (_, where) => {
    using place = new Workplace();
    const seed = Math.floor(Math.random() * 2 ** 31);
    const random = new SeededRandom(seed);
    const state: StateSettings = where === 'memory' ? 'memory' : { kind: 'disk', memoryBytes: 1, directory: place.path('state') };
    const model = new Map<string, number[]>();
    const models: ReadonlyMap<string, readonly number[]>[] = [];
    const phases = Array.from({ length: EPOCHS }, (_, phase) => {
      const orders = Array.from({ length: phase === 0 ? 80 : random.below(12) }, (_, n): Order => {
        const key = KEYS[random.below(KEYS.length)]!;
        if (random.below(3) === 0) {
          model.delete(key);
          return { key };
        }
        model.set(key, [...(model.get(key) ?? []), phase * 100 + n]);
        return { key, to: phase * 100 + n };
      });
      models.push(new Map(model));
      return orders;
    });
    const source = new Phases(phases);
    const env = new LocalEnvironment('changes', { parallelism: 2, checkpoint: { dir: place.path('epochs'), retained: 2 }, state });
    env.fromSource(source.source).parallelism(1).keyBy('key').process(Keep).sink([]);
    const job = await env.submit();
    const files: number[] = [];
    for (let phase = 0; phase < EPOCHS; phase++) {
      await source.until(phase);
      await job.checkpoint();
      copyDirectory(place.path('epochs'), place.path(`copy ${phase}`));
      files.push(place.namesIn(`copy ${phase}`, 'epoch-').length);
      source.goOn(phase);
    }
    await job.completion;
    // They are merged now and then, beside what is written.
    expect(Math.max(...files), `seed ${seed}`).toBeGreaterThan(3);
    expect(Math.max(...files), `seed ${seed}`).toBeLessThan(EPOCHS - 1);
    for (const phase of [1, 6, 12, EPOCHS - 1]) {
      const read = new Phases([KEYS.map((key): Order => ({ key, reads: true }))]);
      read.goOn(0);
      const values: { key: string; value: number | undefined; list: readonly number[] }[] = [];
      const fresh = new LocalEnvironment('changes', { parallelism: 1 + (phase % 3), checkpoint: { dir: place.path(`copy ${phase}`) }, state });
      fresh.fromSource(read.source).parallelism(1).keyBy('key').process(Keep).sink(values);
      await fresh.submit({ from: 'latest', autostop: true });
      const then = models[phase]!;
      const byKey = new Map(values.map(({ key, value, list }) => [key, { value, list }]));
      for (const key of KEYS) expect({ seed, phase, key, ...byKey.get(key) }).toEqual({ seed, phase, key, value: then.get(key)?.at(-1), list: then.get(key) ?? [] });
    }
  });
});

/** Of a job that runs: files come and go meanwhile. */
function copyDirectory(from: string, to: string): void {
  for (;;) {
    try {
      cpSync(from, to, { recursive: true });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      rmSync(to, { recursive: true, force: true });
    }
  }
}
