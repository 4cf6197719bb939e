import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

import { type WindowAssigner, collectList } from '../../../ts/index.ts';
import { PROPERTY_RUNS, shareOfRuns } from '../../property-runs.ts';
import { type Event, naiveWindows } from './naive-windows.ts';
import { expectAsDefined, runWindows } from './run-windows.ts';
import { type Case, bounds, builtInTrigger, byWindow, cases, ids, withBounds } from './window-cases.ts';
import { NUMBERS, numbersOf } from './window-numbers.ts';

vi.setConfig({ testTimeout: Math.max(120_000, 300 * PROPERTY_RUNS) });

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Moments near which the clocks of a place change: by an hour, by half of one, at midnight, twice in a month, over a day that there was not; and a place where they do not. */
const changes: readonly (readonly [timeZone: string, near: string])[] = [
  ['Europe/Berlin', '2022-03-27T01:00Z'],
  ['Europe/Berlin', '2022-10-30T01:00Z'],
  ['America/New_York', '2021-03-14T07:00Z'],
  ['America/New_York', '2021-11-07T06:00Z'],
  ['Australia/Lord_Howe', '2022-04-02T15:00Z'],
  ['Australia/Lord_Howe', '2022-10-01T15:30Z'],
  ['America/Sao_Paulo', '2018-02-18T02:00Z'],
  ['America/Sao_Paulo', '2018-11-04T03:00Z'],
  ['Africa/Casablanca', '2022-03-27T02:00Z'],
  ['Africa/Casablanca', '2022-05-08T02:00Z'],
  ['Pacific/Apia', '2011-12-30T10:00Z'],
  ['Asia/Kathmandu', '2022-06-01T00:00Z'],
];

const days = (most: number): fc.Arbitrary<number> => fc.integer({ min: 1, max: most }).map((n) => n * DAY_MS);
const offsetMs = fc.constantFrom(0, 0, 30 * MINUTE_MS, 2 * HOUR_MS, 6 * HOUR_MS, 26 * HOUR_MS);

const zoned: fc.Arbitrary<Case> = fc
  .record({
    one: cases,
    change: fc.constantFrom(...changes),
    // What is a millisecond in the cases of other windows.
    unitMs: fc.constantFrom(7 * MINUTE_MS, 20 * MINUTE_MS, HOUR_MS),
    assigner: fc.oneof(
      fc.record({ kind: fc.constant('tumbling' as const), sizeMs: days(3), offsetMs }),
      fc.record({ kind: fc.constant('sliding' as const), sizeMs: days(4), slideMs: days(3), offsetMs }),
    ),
  })
  .map(({ one, change: [timeZone, near], unitMs, assigner }) => ({
    ...one,
    assigner: { ...assigner, timeZone } satisfies WindowAssigner,
    outOfOrdernessMs: one.outOfOrdernessMs * unitMs,
    allowedLatenessMs: one.allowedLatenessMs * unitMs,
    events: one.events.map((event) => ({ ...event, at: Date.parse(near) + event.at * unitMs })),
  }));

const check = (property: (one: Case) => Promise<void>): Promise<void> => fc.assert(fc.asyncProperty(zoned, property), { numRuns: shareOfRuns(0.4), endOnFailure: false });

/** The property tests of windows of local days, for generated code and for the linked form. */
export function describeZonedWindows(form: string): void {
  describe(`windows of days in time zones agree with their definition, ${form}`, () => {
    it('with all of their records', () =>
      check(async (one) => {
        expectAsDefined(await runWindows(one, (windows) => windows.trigger(builtInTrigger(one)).map((window) => window)), naiveWindows(one.events, one));
      }));

    it('with aggregates of the core', () =>
      check(async (one) => {
        const { results } = await runWindows(one, (windows) => windows.trigger(builtInTrigger(one)).aggregate(NUMBERS));
        expect(byWindow(results.map(withBounds))).toEqual(byWindow(naiveWindows(one.events, one).shown).map((window) => ({ ...bounds(window), ...numbersOf(window.elements) })));
      }));

    it('with aggregates of JavaScript', () =>
      check(async (one) => {
        const { results } = await runWindows(one, (windows) => windows.trigger(builtInTrigger(one)).aggregate({ all: collectList<Event>() }));
        expect(byWindow(results.map(({ all, ...rest }) => ({ ...withBounds(rest), all: ids(all) })))).toEqual(byWindow(naiveWindows(one.events, one).shown).map((window) => ({ ...bounds(window), all: ids(window.elements) })));
      }));
  });
}
