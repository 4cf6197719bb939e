// State on disk in checkpoints: all kinds of state and timers go on as if nothing had happened, on disk, in memory, and from one to the other.
import { rmSync } from 'node:fs';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { avg, END, JsonLinesSink, KeyedProcessFunction, LocalEnvironment, type Seekable, SourceFunction, type StateSettings, type ValueState } from '../../../ts/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { Workplace } from './interrupted.ts';
import { directory, inStages, linesOfParts, type StagedBuild, undisturbedStages } from './staged.ts';

// Each epoch waits for the disk, and state of one byte leaves memory with each batch.
vi.setConfig({ testTimeout: 120_000 });

let place: Workplace;
let stateDirectory: string;
beforeEach(() => {
  place = new Workplace();
  stateDirectory = place.path('state');
});
afterEach(() => {
  rmSync(stateDirectory, { recursive: true, force: true });
  place[Symbol.dispose]();
});

interface Reading {
  readonly n: number;
  readonly k: string;
  readonly at: number;
  readonly value: number;
}

/** Readings of keys that come again, and of as many that come once. */
const readings: readonly Reading[] = Array.from({ length: 1_200 }, (_, n) => ({ n, k: n % 3 === 0 ? `once ${n}` : `key ${(n * n) % 41}`, at: n * 10, value: ((n * 37) % 19) - 9 }));
const HOUR_MS = 3_600_000;

/** Uses each kind of state, declared when it is first needed. `span` is how long two of them live. */
function everyState(span: { readonly ttlMs?: number }): new () => KeyedProcessFunction<string, Reading, unknown> {
  return class extends KeyedProcessFunction<string, Reading, unknown> {
    execute({ n, at, value }: Reading): void {
      const { state, timers } = this.ctx;
      const seen = state.value<number>('seen', { default: 0, ...span }).update((before) => before + 1);
      const recent = state.list<{ n: number; text: string }>('recent', span);
      recent.add({ n, text: `€ ${n}` });
      if ([...recent].length > 4) recent.clear();
      const spans = state.map<number, number>('spans', { ttlMs: HOUR_MS });
      const end = at - (at % 500) + 500;
      spans.set(end, (spans.get(end) ?? 0) + 1);
      timers.eventTime(end);
      if (n % 7 === 0) timers.cancelEventTime(end);
      const total = state.reducing<number>('total', (a, b) => a + b);
      total.add(value);
      // Long after the others, when keys that have it are in memory already.
      const late = n % 5 === 4 ? state.aggregating('late', avg<Reading>('value')) : undefined;
      late?.add({ n, k: '', at, value });
      const gone = state.value<number>('gone');
      if (n % 4 === 0) gone.set(n);
      else if (n % 4 === 3) gone.clear();
      this.collect({ k: this.ctx.key, n, seen, recent: [...recent], total: total.get(), late: late?.get(), gone: gone.get() });
    }

    override onTimer(time: number): void {
      const spans = this.ctx.state.map<number, number>('spans', { ttlMs: HOUR_MS });
      this.collect({ k: this.ctx.key, time, records: spans.get(time) });
      spans.delete(time);
    }
  };
}

/** `spans`: of each attempt; the last one for all that follow. */
function pipeline(spans: readonly { readonly ttlMs?: number }[] = [{}]): StagedBuild {
  let built = 0;
  return (env, sources, out) => {
    const span = spans[Math.min(built++, spans.length - 1)]!;
    env
      .fromSource(sources.of(readings))
      .assignTimestamps('at', { outOfOrdernessMs: 0 })
      .parallelism(1)
      .keyBy('k')
      .process(everyState(span))
      .sink(new JsonLinesSink(out));
  };
}

const onDisk = (memoryBytes: number): StateSettings => ({ kind: 'disk', memoryBytes, directory: stateDirectory });
const LITTLE = 1;
const MUCH = 64 * 2 ** 20;

async function expectedLines(): Promise<string[]> {
  const out = directory(place, 'whole');
  await undisturbedStages(pipeline(), out);
  return linesOfParts(place, 'whole');
}

describe('state on disk that goes on from a checkpoint', () => {
  it.each([
    ['the same, with nothing in memory', [2, 2, 2], () => [onDisk(LITTLE), onDisk(LITTLE), onDisk(LITTLE)]],
    ['the same, with all of it in memory', [2, 2, 2], () => [onDisk(MUCH), onDisk(MUCH), onDisk(MUCH)]],
    ['another parallelism', [1, 3, 2, 4], () => [onDisk(LITTLE), onDisk(MUCH), onDisk(LITTLE), onDisk(LITTLE)]],
    ['in memory and on disk in turn', [1, 2, 2, 1], () => ['memory', onDisk(LITTLE), 'memory', onDisk(MUCH)] as StateSettings[]],
  ] as const)('given %s, when attempts end, then all is as in a run in memory that nobody disturbs', async (_, parallelism, settings) => {
    const out = directory(place, 'parts');
    await inStages(pipeline(), { dir: place.path('epochs'), out, seed: 17, parallelism, state: settings() });
    expect(linesOfParts(place, 'parts')).toEqual(await expectedLines());
  });

  it.each([
    ['have none any more', [{ ttlMs: HOUR_MS }, { ttlMs: HOUR_MS }, {}]],
    ['are given one', [{}, {}, { ttlMs: HOUR_MS }]],
  ])('given states with a time to live, when they %s, then their values are there', async (_, spans) => {
    // The first two builds are those that only count records.
    const out = directory(place, 'parts');
    await inStages(pipeline(spans), { dir: place.path('epochs'), out, seed: 5, parallelism: [1, 2, 2, 1], state: [onDisk(LITTLE), onDisk(MUCH), onDisk(LITTLE), 'memory'] });
    expect(linesOfParts(place, 'parts')).toEqual(await expectedLines());
  });

  it('given a state of another type, when it is declared, then the job fails and says which it was', async () => {
    const kept = class extends KeyedProcessFunction<string, Reading, unknown> {
      execute({ n }: Reading): void {
        this.ctx.state.value<number>('kept').set(n);
      }
    };
    const asList = class extends KeyedProcessFunction<string, Reading, unknown> {
      override open(): void {
        this.ctx.state.list<number>('kept');
      }
      execute(): void {}
    };
    let built = 0;
    const build: StagedBuild = (env, sources, out) => {
      // The first one only counts records.
      const fn = built++ < 2 ? kept : asList;
      env.fromSource(sources.of(readings)).keyBy('k').process(fn).sink(new JsonLinesSink(out));
    };
    const run = inStages(build, { dir: place.path('epochs'), out: directory(place, 'parts'), seed: 3, parallelism: [1, 1, 1], state: [onDisk(LITTLE), onDisk(LITTLE)] });
    expect(await failureOf(run)).toMatchObject({ code: 'SAGE_STATE_DECLARATION', message: expect.stringContaining('in the checkpoint that the job goes on from it is value') as string });
  });

  it.each([true, false])('given a migrate that throws, when a value comes from the disk, then the error names its key (declared in open(): %s)', async (inOpen) => {
    const kept = class extends KeyedProcessFunction<string, Reading, unknown> {
      execute({ n }: Reading): void {
        this.ctx.state.value<number>('kept').set(n);
      }
    };
    const migrating = class extends KeyedProcessFunction<string, Reading, unknown> {
      override open(): void {
        if (inOpen) this.#kept();
      }
      execute(): void {
        this.#kept().get();
      }
      #kept(): ValueState<number> {
        return this.ctx.state.value<number>('kept', { version: 2, migrate: () => { throw new Error('no such form'); } });
      }
    };
    const saved = place.path('saved');
    const build = (fn: typeof kept | typeof migrating, waits: boolean): LocalEnvironment => {
      let next = 0;
      const gone = Promise.withResolvers<undefined>();
      class One extends SourceFunction<Reading> implements Seekable<number> {
        execute(): Reading | typeof END | Promise<undefined> {
          if (next === 1 && waits) return gone.promise;
          return next === 2 ? END : { ...readings[0]!, k: 'key 7', n: next++ };
        }
        position(): number {
          return next;
        }
        seek(position: number): void {
          next = position;
        }
      }
      const env = new LocalEnvironment('kept', { state: onDisk(LITTLE) });
      env.fromSource(One).uid('one').keyBy('k').process(fn).uid('kept').sink([], { uid: 'out' });
      return env;
    };
    const job = await build(kept, true).submit();
    await expect.poll(() => job.metrics().operators.find(({ name }) => name === 'process')?.recordsIn).toBe(1);
    await job.stop({ savepoint: saved });
    const again = await build(migrating, false).submit({ from: saved });
    expect(await failureOf(again.completion)).toMatchObject({ message: expect.stringContaining('failed for the key the string "key 7", from version 1 to 2: no such form') as string });
  });
});
