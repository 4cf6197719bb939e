import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

import { type DataStream, type WindowAssigner, count, early, everyPeriod, sum, topN } from '../../../ts/index.ts';
import { TestEnvironment } from '../../../ts/testing/index.ts';
import { PROPERTY_RUNS, shareOfRuns } from '../../property-runs.ts';
import { type Event, naiveWindows } from './naive-windows.ts';
import { AtEnd, Delta, EarlyAndFinal, EveryCount, EveryPeriod } from './rebuilt-triggers.ts';
import { type KeyedWindows, expectAsDefined, runWindows } from './run-windows.ts';
import { type Case, bounds, byWindow, cases, checkCases, events, withBounds } from './window-cases.ts';
import { NUMBERS, numbersOf, topTwoOf } from './window-numbers.ts';

vi.setConfig({ testTimeout: Math.max(120_000, 300 * PROPERTY_RUNS) });

/** A trigger of the user's for what a case is asked for. */
function rebuilt(windows: KeyedWindows, { every, atEnd, allowedLatenessMs }: Case): KeyedWindows {
  if (every === undefined) return windows.trigger(AtEnd);
  return atEnd ? windows.trigger(EarlyAndFinal, every) : windows.trigger(EveryCount, every, allowedLatenessMs);
}

/** What happens to a stream in a test: records come, the clock goes on. */
type Step = { readonly push: Event } | { readonly waitMs: number };

const steps: fc.Arbitrary<readonly Step[]> = fc
  .tuple(events, fc.array(fc.record({ at: fc.nat(40), waitMs: fc.integer({ min: 1, max: 40 }) }), { maxLength: 12 }))
  .map(([all, waits]) => all.flatMap((event, n): Step[] => [{ push: event }, ...waits.filter(({ at }) => at === n).map(({ waitMs }) => ({ waitMs }))]));

/** What windows give at each step. */
async function runByClock(all: readonly Step[], assigner: WindowAssigner, eventTime: boolean, result: (windows: KeyedWindows) => DataStream<unknown>): Promise<unknown[]> {
  await using env = new TestEnvironment({ startMs: 1_000_000 });
  const source = env.testSource<Event>('events', { eventTime: false });
  const sink = env.collectSink<unknown>();
  const stream = env.fromSource(source);
  const timed = eventTime ? stream.assignTimestamps('at', { outOfOrdernessMs: 20 }) : stream;
  result(timed.keyBy(({ key }) => key).window({ kind: 'windows', assigner })).sink(sink);
  await env.start();
  const given: unknown[] = [];
  for (const step of all) {
    if ('push' in step) source.push(step.push);
    await ('push' in step ? env.settle() : env.advanceTime(step.waitMs));
    given.push(byWindow(sink.take() as { key: string; start: number; end: number }[]));
  }
  await env.finish();
  given.push(byWindow(sink.take() as { key: string; start: number; end: number }[]));
  return given;
}

const flat = (windows: KeyedWindows): DataStream<unknown> => windows.aggregate({ n: count(), total: sum('value') }).map(withBounds);

/** The property tests of triggers that users write, for generated code and for the linked form. */
export function describeCustomTriggers(form: string): void {
  describe(form, () => {
    describe('triggers of the user agree with their definition, whatever way their records come', () => {
      it('that do what built-in ones do, with all records', () =>
        checkCases(async (one) => {
          expectAsDefined(await runWindows(one, (windows) => rebuilt(windows, one).map((window) => window)), naiveWindows(one.events, one));
        }));

      it('that do what built-in ones do, with aggregates', () =>
        checkCases(async (one) => {
          const expected = byWindow(naiveWindows(one.events, one).shown).map((window) => ({ ...bounds(window), ...numbersOf(window.elements), top: topTwoOf(window.elements) }));
          const { results } = await runWindows(one, (windows) => rebuilt(windows, one).aggregate({ ...NUMBERS, top: topN<Event>(2, 'value') }));
          expect(byWindow(results.map(({ top, ...rest }) => ({ ...withBounds(rest), top: top.map(({ value }) => value) })))).toEqual(expected);
        }));

      it('that fire when a value has gone far from the last one that was shown', () =>
        fc.assert(
          fc.asyncProperty(cases, fc.integer({ min: 1, max: 12 }), async (one, least) => {
            const lastShown = (elements: readonly Event[], shown: ReadonlySet<Event>): Event | undefined => elements.findLast((event) => shown.has(event));
            const asks = (elements: readonly Event[], shown: ReadonlySet<Event>): boolean => {
              const before = lastShown(elements, shown);
              return before === undefined || Math.abs(elements.at(-1)!.value - before.value) >= least;
            };
            const expected = naiveWindows(one.events, { ...one, atEnd: false, every: undefined, asks });
            expectAsDefined(await runWindows(one, (windows) => windows.trigger(Delta, least, one.allowedLatenessMs).map((window) => window)), expected);
          }),
          { numRuns: shareOfRuns(0.3), endOnFailure: false },
        ));
    });

    it('those that go by the clock do what built-in ones do, at each moment', () =>
      fc.assert(
        fc.asyncProperty(steps, cases, fc.integer({ min: 1, max: 30 }), fc.boolean(), async (all, { assigner, discarding }, periodMs, final) => {
          const panes = discarding ? 'discarding' : 'accumulating';
          const builtIn = await runByClock(all, assigner, true, (windows) => flat(windows.trigger(final ? early(everyPeriod(periodMs)) : everyPeriod(periodMs)).panes(panes)));
          const own = await runByClock(all, assigner, true, (windows) => flat(windows.trigger(EveryPeriod, periodMs, final).panes(panes)));
          expect(own).toEqual(builtIn);
        }),
        { numRuns: shareOfRuns(0.1), endOnFailure: false },
      ));

    it('windows of the clock end when a built-in trigger says so', () =>
      fc.assert(
        fc.asyncProperty(steps, cases, async (all, { assigner }) => {
          const builtIn = await runByClock(all, assigner, false, flat);
          const own = await runByClock(all, assigner, false, (windows) => flat(windows.trigger({ onElement: new AtEnd().onElement, onProcessingTime: () => 'fire' })));
          expect(own).toEqual(builtIn);
        }),
        { numRuns: shareOfRuns(0.1), endOnFailure: false },
      ));
  });
}
