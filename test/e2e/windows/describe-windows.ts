import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

import { type DataStream, LocalEnvironment, type Trigger, type WindowAssigner, type WindowedStream, type WithKey, avg, collectList, count, everyCount, first, last, max, min, sum, topN } from '../../../ts/index.ts';
import { PROPERTY_RUNS, shareOfRuns } from '../../property-runs.ts';
import { type Event, type NaiveSettings, type Shown, naiveCountWindows, naiveWindows } from './naive-windows.ts';

vi.setConfig({ testTimeout: Math.max(120_000, 300 * PROPERTY_RUNS) });

/** Random streams: few keys, time that goes on more or less, with some records far behind. */
const events: fc.Arbitrary<Event[]> = fc
  .array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), stepMs: fc.oneof({ weight: 6, arbitrary: fc.integer({ min: -15, max: 25 }) }, { weight: 1, arbitrary: fc.integer({ min: -200, max: 200 }) }), value: fc.integer({ min: -9, max: 9 }) }), { maxLength: 40 })
  .map((steps) => {
    let at = 0;
    return steps.map(({ key, stepMs, value }, id) => ({ id, key, at: (at += stepMs), value }));
  });

const edges = { offsetMs: fc.constantFrom(0, 3), timeZone: fc.constant(undefined) };
const assigners: fc.Arbitrary<WindowAssigner> = fc.oneof(
  fc.record({ kind: fc.constant('tumbling' as const), sizeMs: fc.integer({ min: 1, max: 60 }), ...edges }),
  fc.record({ kind: fc.constant('sliding' as const), sizeMs: fc.integer({ min: 1, max: 60 }), slideMs: fc.integer({ min: 1, max: 40 }), ...edges }),
  fc.record({ kind: fc.constant('session' as const), gapMs: fc.integer({ min: 1, max: 40 }) }),
  fc.constant({ kind: 'global' as const }),
);

/** How records get to the windows: nothing of it may change a result. */
const shapes = ['at once', 'one by one', 'in turns of the event loop', 'over an exchange', 'to 2 instances', 'to 4 instances', 'over two exchanges', 'with records of changing shapes'] as const;
type Shape = (typeof shapes)[number];

function shaped(env: LocalEnvironment, all: readonly Event[], outOfOrdernessMs: number, shape: Shape): DataStream<Event> {
  const assigned = (stream: DataStream<Event>): DataStream<Event> => stream.assignTimestamps('at', { outOfOrdernessMs }).parallelism(1);
  switch (shape) {
    case 'one by one':
      return assigned(env.fromSource(async function* () { yield* all; }));
    case 'in turns of the event loop':
      return assigned(env.fromSource(async function* () {
        for (const event of all) {
          if (event.id % 7 === 3) await new Promise(setImmediate);
          yield event;
        }
      }));
    case 'over two exchanges':
      return assigned(env.fromCollection(all)).keyBy(({ key }) => key).parallelism(2).map((event) => event);
    case 'with records of changing shapes':
      return assigned(env.fromCollection(all).map((event) => (event.id % 3 === 0 ? { ...event, more: [event.id] } : event)));
    default:
      return assigned(env.fromCollection(all));
  }
}

const parallelismOf = (shape: Shape): number => ({ 'to 2 instances': 2, 'to 4 instances': 4, 'over an exchange': 2, 'over two exchanges': 3 })[shape as string] ?? 1;

/** Results in an order of their own: those of one window in the order in which they were given. */
const byWindow = <R extends { readonly key: string; readonly start: number; readonly end: number }>(results: readonly R[]): R[] =>
  results.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.start - b.start || a.end - b.end));

interface Case extends NaiveSettings {
  readonly events: readonly Event[];
  readonly shape: Shape;
}

const cases: fc.Arbitrary<Case> = fc
  .record({
    events,
    assigner: assigners,
    outOfOrdernessMs: fc.constantFrom(0, 5, 20, 1000),
    allowedLatenessMs: fc.constantFrom(0, 0, 10, 100),
    every: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
    atEnd: fc.boolean(),
    discarding: fc.boolean(),
    shape: fc.constantFrom(...shapes),
  })
  .map((one) => ({ ...one, atEnd: one.atEnd || one.every === undefined }));

function triggerOf({ every, atEnd }: NaiveSettings): Trigger {
  if (every === undefined) return { kind: 'time' };
  return atEnd ? { kind: 'early', early: everyCount(every) } : everyCount(every);
}

/** Runs windows and gives what they gave, and the records that came too late. */
async function run<R>(one: Case, result: (windows: WindowedStream<WithKey<string>, Event>) => DataStream<R>): Promise<{ results: R[]; late: Event[] }> {
  const env = new LocalEnvironment('windows');
  const windows = shaped(env, one.events, one.outOfOrdernessMs, one.shape)
    .keyBy(({ key }) => key)
    .parallelism(parallelismOf(one.shape))
    .window({ kind: 'windows', assigner: one.assigner })
    .allowedLateness(one.allowedLatenessMs)
    .trigger(triggerOf(one))
    .panes(one.discarding ? 'discarding' : 'accumulating')
    .lateTo('late');
  const stream = result(windows);
  const results: R[] = [];
  const late: Event[] = [];
  stream.sink(results);
  stream.sideOutput<Event>('late').sink(late);
  const { operators } = await env.submit({ autostop: true });
  expect(operators.find(({ name }) => name === 'window')!.recordsLate).toBe(late.length);
  return { results, late };
}

const numRuns = shareOfRuns(0.3);
const check = (property: (one: Case) => Promise<void>): Promise<void> => fc.assert(fc.asyncProperty(cases, property), { numRuns, endOnFailure: false });

const ids = (list: readonly Event[]): number[] => list.map(({ id }) => id).toSorted((a, b) => a - b);
const bounds = ({ key, start, end }: Shown): { key: string; start: number; end: number } => ({ key, start, end });

/** The property tests of windows, for generated code and for the linked form. */
export function describeWindows(form: string): void {
  describe(form, () => {
    describe('windows of time agree with their definition, whatever way their records come', () => {
      it('with all of their records', () =>
        check(async (one) => {
          const expected = naiveWindows(one.events, one);
          const { results, late } = await run(one, (windows) => windows.map((window) => window));
          const shown = (list: readonly Shown[]): unknown[] => byWindow(list).map((window) => ({ ...bounds(window), ids: window.elements.map(({ id }) => id) }));
          expect(shown(results)).toEqual(shown(expected.shown));
          expect(ids(late)).toEqual(ids(expected.late));
        }));

      it('with aggregates of the core', () =>
        check(async (one) => {
          const expected = byWindow(naiveWindows(one.events, one).shown).map((window) => {
            const values = window.elements.map(({ value }) => value);
            const total = values.reduce((a, b) => a + b, 0);
            return { ...bounds(window), n: values.length, total, mean: total / values.length, least: Math.min(...values), most: Math.max(...values) };
          });
          const { results } = await run(one, (windows) => windows.aggregate({ n: count(), total: sum('value'), mean: avg('value'), least: min('value'), most: max('value') }));
          expect(byWindow(results.map(({ key, window, ...rest }) => ({ key, ...window, ...rest })))).toEqual(expected);
        }));

      it('with aggregates of JavaScript', () =>
        check(async (one) => {
          const expected = byWindow(naiveWindows(one.events, one).shown).map((window) => {
            const top = window.elements.toSorted((a, b) => b.value - a.value || a.id - b.id).slice(0, 2);
            return { ...bounds(window), n: window.elements.length, least: Math.min(...window.elements.map(({ value }) => value)), top: top.map(({ value }) => value), all: ids(window.elements) };
          });
          const { results } = await run(one, (windows) => windows.aggregate({ n: count(), least: min('value'), top: topN<Event>(2, 'value'), all: collectList<Event>() }));
          expect(byWindow(results.map(({ key, window, top, all, ...rest }) => ({ key, ...window, ...rest, top: top.map(({ value }) => value), all: ids(all) })))).toEqual(expected);
        }));

      it('with the first and the last one that came', () =>
        check(async (one) => {
          const expected = byWindow(naiveWindows(one.events, one).shown).map((window) => ({ ...bounds(window), one: window.elements[0]!.id, other: window.elements.at(-1)!.id }));
          const { results } = await run(one, (windows) => windows.aggregate({ one: first('id'), other: last('id') }));
          expect(byWindow(results.map(({ key, window, ...rest }) => ({ key, ...window, ...rest })))).toEqual(expected);
        }));

      it('with a reduce', () =>
        check(async (one) => {
          const sortedSums = (list: readonly { key: string; total: number; n: number }[]): string[] => list.map(({ key, total, n }) => `${key} ${total} ${n}`).toSorted();
          const expected = naiveWindows(one.events, one).shown.map(({ key, elements }) => ({ key, total: elements.reduce((a, { value }) => a + value, 0), n: elements.length }));
          const { results } = await run(one, (windows) => windows.reduce((a, b) => ({ ...a, value: a.value + b.value, id: -1, n: ((a as { n?: number }).n ?? 1) + ((b as { n?: number }).n ?? 1) })));
          expect(sortedSums(results.map((event) => ({ key: event.key, total: event.value, n: (event as { n?: number }).n ?? 1 })))).toEqual(sortedSums(expected));
        }));
    });

    describe('windows of records agree with their definition', () => {
      it.each([1, 3])('at %i instances', (parallelism) =>
        fc.assert(
          fc.asyncProperty(events, fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }), async (all, size, slide) => {
            const env = new LocalEnvironment('count');
            const keyed = env.fromCollection(all).keyBy(({ key }) => key).parallelism(parallelism).countWindow(size, slide);
            const contents: Shown[] = [];
            const totals: { key: string; start: number; end: number; total: number }[] = [];
            keyed.map((window) => window).sink(contents);
            keyed.aggregate({ total: sum('value') }).map(({ key, window, total }) => ({ key, ...window, total })).sink(totals);
            await env.submit({ autostop: true });
            const expected = byWindow(naiveCountWindows(all, size, slide));
            expect(byWindow(contents)).toEqual(expected);
            expect(byWindow(totals)).toEqual(expected.map((window) => ({ ...bounds(window), total: window.elements.reduce((a, { value }) => a + value, 0) })));
          }),
          { numRuns },
        ),
      );
    });
  });
}
