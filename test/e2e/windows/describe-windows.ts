import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

import { type DataStream, LocalEnvironment, collectList, count, first, last, min, sum, topN } from '../../../ts/index.ts';
import { PROPERTY_RUNS, shareOfRuns } from '../../property-runs.ts';
import { type Event, type Shown, naiveCountWindows, naiveWindows } from './naive-windows.ts';
import { type KeyedWindows, type WindowsOutcome, expectAsDefined, runWindows } from './run-windows.ts';
import { type Case, bounds, builtInTrigger, byWindow, checkCases, events, ids, withBounds } from './window-cases.ts';
import { NUMBERS, numbersOf, topTwoOf } from './window-numbers.ts';

vi.setConfig({ testTimeout: Math.max(120_000, 300 * PROPERTY_RUNS) });

/** Runs the windows of a case with the built-in trigger for it. */
const run = <R>(one: Case, result: (windows: KeyedWindows) => DataStream<R>): Promise<WindowsOutcome<R>> => runWindows(one, (windows) => result(windows.trigger(builtInTrigger(one))));

/** The property tests of windows, for generated code and for the linked form. */
export function describeWindows(form: string): void {
  describe(form, () => {
    describe('windows of time agree with their definition, whatever way their records come', () => {
      it('with all of their records', () =>
        checkCases(async (one) => {
          expectAsDefined(await run(one, (windows) => windows.map((window) => window)), naiveWindows(one.events, one));
        }));

      it('with aggregates of the core', () =>
        checkCases(async (one) => {
          const expected = byWindow(naiveWindows(one.events, one).shown).map((window) => ({ ...bounds(window), ...numbersOf(window.elements) }));
          const { results } = await run(one, (windows) => windows.aggregate(NUMBERS));
          expect(byWindow(results.map(withBounds))).toEqual(expected);
        }));

      it('with aggregates of JavaScript', () =>
        checkCases(async (one) => {
          const expected = byWindow(naiveWindows(one.events, one).shown).map((window) => {
            const { n, least } = numbersOf(window.elements);
            return { ...bounds(window), n, least, top: topTwoOf(window.elements), all: ids(window.elements) };
          });
          const { results } = await run(one, (windows) => windows.aggregate({ n: count(), least: min('value'), top: topN<Event>(2, 'value'), all: collectList<Event>() }));
          expect(byWindow(results.map(({ top, all, ...rest }) => ({ ...withBounds(rest), top: top.map(({ value }) => value), all: ids(all) })))).toEqual(expected);
        }));

      it('with the first and the last one that came', () =>
        checkCases(async (one) => {
          const expected = byWindow(naiveWindows(one.events, one).shown).map((window) => ({ ...bounds(window), one: window.elements[0]!.id, other: window.elements.at(-1)!.id }));
          const { results } = await run(one, (windows) => windows.aggregate({ one: first('id'), other: last('id') }));
          expect(byWindow(results.map(withBounds))).toEqual(expected);
        }));

      it('with a reduce', () =>
        checkCases(async (one) => {
          const sortedSums = (list: readonly { key: string; total: number; n: number }[]): string[] => list.map(({ key, total, n }) => `${key} ${total} ${n}`).toSorted();
          const expected = naiveWindows(one.events, one).shown.map(({ key, elements }) => ({ key, ...numbersOf(elements) }));
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
            keyed.aggregate({ total: sum('value') }).map(withBounds).sink(totals);
            await env.submit({ autostop: true });
            const expected = byWindow(naiveCountWindows(all, size, slide));
            expect(byWindow(contents)).toEqual(expected);
            expect(byWindow(totals)).toEqual(expected.map((window) => ({ ...bounds(window), total: numbersOf(window.elements).total })));
          }),
          { numRuns: shareOfRuns(0.3) },
        ),
      );
    });
  });
}
