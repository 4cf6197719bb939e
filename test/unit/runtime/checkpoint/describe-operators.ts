import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import type { StageOp } from '../../../../ts/compiler/physical-plan.ts';
import { KeyedProcessFunction, type LocalEnvironment, MapFunction, avg, collectList, count, countWindow, early, everyCount, everyPeriod, globalWindow, max, min, session, sliding, sum, tumbling } from '../../../../ts/index.ts';
import { loadCore } from '../../../../ts/runtime/native/load-core.ts';
import type { Core } from '../../../../ts/runtime/native/core.ts';
import { VirtualClock } from '../../../../ts/testing/virtual-clock.ts';
import { AtEnd, EveryCount, EveryPeriod } from '../../../e2e/windows/rebuilt-triggers.ts';
import { tinyGraph } from '../../../native/support/tiny-job.ts';
import { PROPERTY_RUNS, shareOfRuns } from '../../../property-runs.ts';
import { slotsCore } from './slots-core.ts';
import { type BenchResult, type BenchStep, StageBench } from './stage-bench.ts';

vi.setConfig({ testTimeout: Math.max(240_000, 1000 * PROPERTY_RUNS) });

interface Reading {
  readonly id: number;
  readonly key: string;
  readonly at: number;
  readonly value: number;
}

const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];

/** Records that are late now and then, watermarks, and time of the clock that passes. */
const steps: fc.Arbitrary<BenchStep[]> = fc
  .array(
    fc.oneof(
      { weight: 8, arbitrary: fc.record({ key: fc.constantFrom(...keys), stepMs: fc.integer({ min: -12, max: 16 }), value: fc.integer({ min: -9, max: 9 }) }) },
      { weight: 2, arbitrary: fc.record({ behindMs: fc.constantFrom(0, 5, 20) }) },
      { weight: 1, arbitrary: fc.record({ passMs: fc.integer({ min: 1, max: 30 }) }) },
    ),
    { maxLength: 50, size: 'max' },
  )
  .map((drawn) => {
    let at = 0;
    let watermark = 0;
    return drawn.map((step, id): BenchStep => {
      if ('passMs' in step) return step;
      if ('behindMs' in step) return { watermark: (watermark = Math.max(watermark, at - step.behindMs)) };
      at += step.stepMs;
      return { input: 0, key: step.key, record: { id, key: step.key, at, value: step.value } satisfies Reading, at };
    });
  });

/** Keeps state of all kinds, with and without a time to live, and timers of both clocks. */
class Watch extends KeyedProcessFunction<string, Reading, unknown> {
  execute({ id, at, value }: Reading): void {
    const { state, timers } = this.ctx;
    const seen = state.value<number>('seen', { default: 0 }).update((n) => n + 1);
    const recent = state.list<number>('recent', { ttlMs: 25 });
    recent.add(id);
    // Declared by some records only.
    if (value > 3) state.map<string, number>('large', { ttlMs: 60 }).set(`v${value % 3}`, id);
    state.reducing<number>('total', (a, b) => a + b).add(value);
    if (value % 2 === 0) timers.eventTime(at + 10);
    if (value % 3 === 0) timers.processingTime(this.ctx.state.value<number>('now', { default: 1_000_000 }).get() + 5 * seen);
    if (value === -9) timers.cancelEventTime(at + 10);
    this.collect({ key: this.ctx.key, id, seen, recent: [...recent], large: Array.from(state.map<string, number>('large', { ttlMs: 60 })), total: state.reducing<number>('total', (a, b) => a + b).get() });
  }

  override onTimer(time: number, kind: 'event' | 'processing'): void {
    const total = this.ctx.state.reducing<number>('total', (a, b) => a + b);
    this.collect({ key: this.ctx.key, time, kind, total: total.get() });
    if (kind === 'event') total.clear();
  }
}

/** Keeps state that goes again. */
class Remember extends MapFunction<Reading, unknown> {
  execute({ id, key, value }: Reading): unknown {
    const last = this.ctx.state.value<number>('last');
    const large = this.ctx.state.map<number, number>('large', { ttlMs: 40 });
    const before = { last: last.get(), large: [...large] };
    if (value > 2) large.set(value, id);
    if (value % 3 === 0) last.clear();
    else last.set(id);
    return { key, id, ...before };
  }
}

type Build = (env: LocalEnvironment) => unknown;
const timed = (env: LocalEnvironment) => env.fromCollection<Reading>([]).assignTimestamps('at', { outOfOrdernessMs: 0 }).keyBy(({ key }) => key);
const untimed = (env: LocalEnvironment) => env.fromCollection<Reading>([]).keyBy(({ key }) => key);
const first = (a: Reading, b: Reading): Reading => ({ ...a, value: a.value + b.value, id: b.id });
const longest = { init: () => ({ n: 0 }), add: (a: { n: number }, r: Reading) => ({ n: Math.max(a.n, Math.abs(r.value)) }), merge: (a: { n: number }, b: { n: number }) => ({ n: Math.max(a.n, b.n) }), result: (a: { n: number }) => a.n };

/** `last`: when results are given before the last one of a key begins anew behind a restart. */
type Case = readonly [kind: StageOp['kind'], build: Build, compared?: 'all' | 'last'];

const operators: Readonly<Record<string, Case>> = {
  'a function with state and timers': ['keyedProcess', (env) => timed(env).process(Watch).sink([])],
  'a function with state in the middle of a segment': ['map', (env) => untimed(env).map(Remember).sink([])],
  'a keyed reduce with running results': ['reduce', (env) => untimed(env).reduce(first, { emit: 'update' }).sink([])],
  'a keyed reduce that gives results at the end': ['reduce', (env) => untimed(env).reduce(first).sink([])],
  'a keyed reduce that gives what has changed': ['reduce', (env) => untimed(env).reduce(first, { emit: { everyMs: 10_000 } }).sink([]), 'last'],
  'a keyed aggregate of user aggregators': ['aggregate', (env) => untimed(env).aggregate({ n: count(), longest, all: collectList() }).sink([])],
};

const windows: typeof operators = {
  'tumbling windows of user aggregators': ['window', (env) => timed(env).window(tumbling(20)).allowedLateness(10).aggregate({ n: count(), longest }).sink([])],
  'sliding windows of a reduce': ['window', (env) => timed(env).window(sliding(30, 10)).reduce(first).sink([])],
  'sessions of all records': ['window', (env) => timed(env).window(session(8)).map((window) => window).sink([])],
  'sessions of user aggregators with late results': ['window', (env) => timed(env).window(session(8)).allowedLateness(15).aggregate({ longest }).sink([])],
  'windows of elements': ['window', (env) => timed(env).window(countWindow(4, 2)).map((window) => window).sink([])],
  'windows by the clock': ['window', (env) => untimed(env).window(tumbling(40)).map((window) => window).sink([])],
  'windows with early results': ['window', (env) => timed(env).window(tumbling(30)).trigger(early(everyCount(2))).map((window) => window).sink([])],
  'windows with early results by the clock': ['window', (env) => timed(env).window(tumbling(30)).trigger(early(everyPeriod(20))).map((window) => window).sink([])],
  'a global window': ['window', (env) => timed(env).window(globalWindow()).trigger(everyCount(3)).map((window) => window).sink([])],
  'windows with a trigger of the user at their end': ['window', (env) => timed(env).window(tumbling(20)).trigger(AtEnd).map((window) => window).sink([])],
  'sessions with a trigger of the user that counts': ['window', (env) => timed(env).window(session(8)).allowedLateness(10).trigger(EveryCount, 2, 10).map((window) => window).sink([])],
  'windows with a trigger of the user that goes by the clock': ['window', (env) => timed(env).window(tumbling(30)).trigger(EveryPeriod, 20, false).aggregate({ longest }).sink([])],
  'tumbling windows of sums': ['window', (env) => timed(env).window(tumbling(20)).allowedLateness(10).aggregate({ n: count(), total: sum('value'), least: min('value') }).sink([])],
  'sliding windows of sums': ['window', (env) => timed(env).window(sliding(30, 10)).aggregate({ n: count(), mean: avg('value') }).sink([])],
  'sessions of sums': ['window', (env) => timed(env).window(session(8)).allowedLateness(5).aggregate({ n: count(), most: max('value') }).sink([])],
  'a keyed aggregate of sums': ['aggregate', (env) => untimed(env).aggregate({ n: count(), total: sum('value') }).sink([])],
};

interface Stop {
  readonly after: number;
  readonly parallelism: number;
  /** Twice in a row, with nothing in between. */
  readonly twice: boolean;
  /** Epochs while it runs, before which step each is, and whether it becomes durable: those behind one that does are changes. */
  readonly epochs: readonly { readonly before: number; readonly isDurable: boolean }[];
}

async function play(core: Core, job: number, [kind, build]: Case, all: readonly BenchStep[], parallelism: number, stop?: Stop): Promise<BenchResult[]> {
  let clock = new VirtualClock(1_000_000);
  let bench = await new StageBench(core, job, build, kind, parallelism, clock).open();
  const results: BenchResult[] = [];
  for (const [n, step] of all.entries()) {
    if (n === stop?.after) {
      for (let times = stop.twice ? 2 : 1; times > 0; times--) {
        const epoch = await bench.barrier();
        await bench.abandon();
        results.push(...bench.results);
        clock = new VirtualClock(clock.now());
        bench = await new StageBench(core, job, build, kind, stop.parallelism, clock, epoch).open();
      }
    }
    for (const { before, isDurable } of stop?.epochs ?? []) if (before === n) await bench.barrier(isDurable);
    await bench.do(step);
  }
  await bench.end();
  results.push(...bench.results);
  return results;
}

const keyOf = ({ key, record }: BenchResult): string => String((record as { key?: unknown }).key ?? key ?? JSON.stringify((record as unknown[])[0]));

/** The results of each key, in their order. */
function byKey(results: readonly BenchResult[], [, , compared]: Case): Readonly<Record<string, unknown[]>> {
  const lists: Record<string, unknown[]> = {};
  for (const result of results.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0))) (lists[keyOf(result)] ??= []).push({ record: result.record, time: result.time });
  return compared === 'last' ? Object.fromEntries(Object.entries(lists).map(([key, list]) => [key, list.slice(-1)])) : lists;
}

const stops: fc.Arbitrary<Stop> = fc.record({
  after: fc.nat({ max: 49 }),
  parallelism: fc.integer({ min: 1, max: 3 }),
  twice: fc.boolean(),
  epochs: fc.array(fc.record({ before: fc.nat({ max: 49 }), isDurable: fc.integer({ min: 0, max: 4 }).map((n) => n > 0) }), { maxLength: 20 }),
});

/** Operators that keep everything here, saved at a barrier and going on in fresh tasks. */
export function describeOperators(form: string): void {
  describeCases(form, operators, () => [slotsCore(), 0]);
}

/** Windows, of which the core keeps a part. */
export function describeWindows(form: string): void {
  const core = loadCore();
  let job: number;
  beforeAll(() => {
    job = core.createJob(tinyGraph());
  });
  afterAll(() => core.dropJob(job));
  describeCases(form, windows, () => [core, job]);
}

function describeCases(form: string, cases: typeof operators, make: () => readonly [core: Core, job: number]): void {
  describe.each(Object.entries(cases))(`${form}: given %s whose tasks are left at a barrier`, (_name, operator) => {
    it('when one to three fresh tasks go on, then the results of each key are those of one that was never stopped', () =>
      fc.assert(
        fc.asyncProperty(steps, fc.integer({ min: 1, max: 3 }), stops, async (all, parallelism, stop) => {
          const around = make();
          expect(byKey(await play(...around, operator, all, parallelism, stop), operator)).toEqual(byKey(await play(...around, operator, all, 1), operator));
        }),
        { numRuns: shareOfRuns(0.1) },
      ));
  });
}
