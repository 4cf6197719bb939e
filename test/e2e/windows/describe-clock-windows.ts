import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

import { type DataStream, type Trigger, type WindowAssigner, collectList, count, early, everyCount, everyPeriod, sum } from '../../../ts/index.ts';
import { TestEnvironment } from '../../../ts/testing/index.ts';
import { PROPERTY_RUNS, shareOfRuns } from '../../property-runs.ts';
import { type ClockSettings, NaiveClockWindows } from './naive-clock-windows.ts';
import type { Event, Shown } from './naive-windows.ts';
import type { KeyedWindows } from './run-windows.ts';
import { boundedAssigners, bounds, byWindow, eventsUpTo, ids, settings, withBounds } from './window-cases.ts';
import { numbersOf } from './window-numbers.ts';

vi.setConfig({ testTimeout: Math.max(120_000, 300 * PROPERTY_RUNS) });

const START_MS = 1_000_000;

/** What happens to a stream: records come, the clock goes on. */
type Step = { readonly push: Event } | { readonly waitMs: number };

const steps: fc.Arbitrary<readonly Step[]> = fc
  .tuple(eventsUpTo(30), fc.array(fc.record({ at: fc.nat(30), waitMs: fc.integer({ min: 1, max: 60 }) }), { maxLength: 16 }))
  .map(([all, waits]) => [...all.flatMap((event, n): Step[] => [{ push: event }, ...waits.filter(({ at }) => at === n).map(({ waitMs }) => ({ waitMs }))]), ...waits.filter(({ at }) => at >= all.length).map(({ waitMs }) => ({ waitMs }))]);

/** A result: which window, and something of its records. */
interface Given {
  readonly key: string;
  readonly start: number;
  readonly end: number;
}

/** What is made of windows, and what the same is by its definition. */
const results: Readonly<Record<'all records' | 'aggregates of the core' | 'aggregates of JavaScript', { readonly of: (windows: KeyedWindows) => DataStream<Given>; readonly naive: (window: Shown) => Given }>> = {
  'all records': {
    of: (windows: KeyedWindows) => windows.map((window) => ({ ...bounds(window), ids: ids(window.elements) })),
    naive: (window: Shown) => ({ ...bounds(window), ids: ids(window.elements) }),
  },
  'aggregates of the core': {
    of: (windows: KeyedWindows) => windows.aggregate({ n: count(), total: sum('value') }).map(withBounds),
    naive: (window: Shown) => ({ ...bounds(window), n: window.elements.length, total: numbersOf(window.elements).total }),
  },
  'aggregates of JavaScript': {
    of: (windows: KeyedWindows) => windows.aggregate({ all: collectList<Event>() }).map(({ all, ...rest }) => ({ ...withBounds(rest), ids: ids(all) })),
    naive: (window: Shown) => ({ ...bounds(window), ids: ids(window.elements) }),
  },
};

interface Case extends ClockSettings {
  readonly steps: readonly Step[];
  readonly result: keyof typeof results;
  readonly parallelism: number;
  readonly seed: number;
}

const every: fc.Arbitrary<ClockSettings['every']> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ periodMs: fc.integer({ min: 1, max: 50 }) }) },
  { weight: 1, arbitrary: fc.record({ count: fc.integer({ min: 1, max: 4 }) }) },
);

const upToTen = (ms: number): number => Math.ceil(ms / 10) * 10;

function coarseAssigner(assigner: WindowAssigner): WindowAssigner {
  switch (assigner.kind) {
    case 'tumbling':
      return { ...assigner, sizeMs: upToTen(assigner.sizeMs), offsetMs: 0 };
    case 'sliding':
      return { ...assigner, sizeMs: upToTen(assigner.sizeMs), slideMs: upToTen(assigner.slideMs), offsetMs: 0 };
    case 'session':
      return { ...assigner, gapMs: upToTen(assigner.gapMs) };
    default:
      return assigner;
  }
}

/** The same in tens of milliseconds, so that several things are due at one moment. */
const coarse = (one: Case): Case => ({
  ...one,
  assigner: coarseAssigner(one.assigner),
  every: one.every !== undefined && 'periodMs' in one.every ? { periodMs: upToTen(one.every.periodMs) } : one.every,
  steps: one.steps.map((step) => ('waitMs' in step ? { waitMs: upToTen(step.waitMs) } : step)),
});

const cases = (time: ClockSettings['time']): fc.Arbitrary<Case> =>
  fc
    .record({
      steps,
      assigner: fc.oneof({ weight: 4, arbitrary: boundedAssigners }, { weight: 1, arbitrary: fc.constant({ kind: 'global' as const }) }),
      time: fc.constant(time),
      outOfOrdernessMs: settings.outOfOrdernessMs,
      allowedLatenessMs: settings.allowedLatenessMs,
      every: time === 'event' ? every : fc.option(every, { nil: undefined, freq: 2 }),
      atEnd: fc.boolean(),
      discarding: settings.discarding,
      result: fc.constantFrom(...(Object.keys(results) as (keyof typeof results)[])),
      parallelism: fc.integer({ min: 1, max: 4 }),
      seed: fc.nat(1000),
      isCoarse: fc.boolean(),
    })
    .map(({ isCoarse, ...one }) => ({ ...(isCoarse ? coarse(one) : one), atEnd: one.atEnd || one.every === undefined }));

function triggerOf({ every: asked, atEnd }: ClockSettings): Trigger {
  if (asked === undefined) return { kind: 'time' };
  const again = 'count' in asked ? everyCount(asked.count) : everyPeriod(asked.periodMs);
  return atEnd ? early(again) : again;
}

const event = (id: number): Event => ({ id, key: 'a', at: 0, value: 0 });

/** Runs the windows of a case, and their definition, step by step. */
async function check(one: Case): Promise<void> {
  const { of, naive } = results[one.result];
  await using env = new TestEnvironment({ startMs: START_MS, seed: one.seed });
  const source = env.testSource<Event>('events', { eventTime: false });
  const sink = env.collectSink<Given>();
  const stream = env.fromSource(source);
  const timed = one.time === 'event' ? stream.assignTimestamps('at', { outOfOrdernessMs: one.outOfOrdernessMs }).parallelism(1) : stream;
  const windows = timed.keyBy(({ key }) => key).parallelism(one.parallelism).window({ kind: 'windows', assigner: one.assigner });
  of(windows.allowedLateness(one.allowedLatenessMs).panes(one.discarding ? 'discarding' : 'accumulating').trigger(triggerOf(one))).sink(sink);
  await env.start();
  const byDefinition = new NaiveClockWindows(one, START_MS);
  const found: unknown[] = [];
  const expected: unknown[] = [];
  for (const step of one.steps) {
    if ('push' in step) void source.push(step.push);
    await ('push' in step ? env.settle() : env.advanceTime(step.waitMs));
    found.push(byWindow(sink.take()));
    expected.push(byWindow('push' in step ? byDefinition.push(step.push) : byDefinition.wait(step.waitMs)).map(naive));
  }
  const { operators } = await env.finish();
  found.push(byWindow(sink.take()));
  expected.push(byWindow(byDefinition.finish()).map(naive));
  expect(found).toEqual(expected);
  expect(operators.find(({ name }) => name === 'window')!.recordsLate).toBe(byDefinition.late);
}

/** The property tests of windows and triggers of the clock, for generated code and for the linked form. */
export function describeClockWindows(form: string): void {
  describe(`windows and the clock, ${form}`, () => {
    it('windows of event time whose triggers go by the clock give at each moment what their definition says', () =>
      fc.assert(fc.asyncProperty(cases('event'), check), { numRuns: shareOfRuns(1), endOnFailure: false }));

    it('a result that is due a millisecond before the end of a window comes then, and not at the end', () =>
      check({
        steps: [{ push: event(0) }, { waitMs: 7 }, { waitMs: 54 }, { push: event(1) }, { waitMs: 37 }, { push: event(2) }, { waitMs: 1 }],
        assigner: { kind: 'tumbling', sizeMs: 50, offsetMs: 0, timeZone: undefined }, time: 'clock', outOfOrdernessMs: 0, allowedLatenessMs: 0,
        every: { periodMs: 1 }, atEnd: false, discarding: false, result: 'all records', parallelism: 2, seed: 0,
      }));

    it('windows of the clock give at each moment what their definition says, with any trigger', () =>
      fc.assert(fc.asyncProperty(cases('clock'), check), { numRuns: shareOfRuns(1), endOnFailure: false }));
  });
}
