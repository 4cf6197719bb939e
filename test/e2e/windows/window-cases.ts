import fc from 'fast-check';

import { type DataStream, type LocalEnvironment, type Trigger, type WindowAssigner, everyCount } from '../../../ts/index.ts';
import { shareOfRuns } from '../../property-runs.ts';
import { oneByOne } from '../support/one-by-one.ts';
import type { Event, NaiveSettings, Shown } from './naive-windows.ts';

/** Random streams of at most so many records: few keys, time that goes on more or less, with some records far behind. */
export const eventsUpTo = (maxLength: number): fc.Arbitrary<Event[]> =>
  fc
    .array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), stepMs: fc.oneof({ weight: 6, arbitrary: fc.integer({ min: -15, max: 25 }) }, { weight: 1, arbitrary: fc.integer({ min: -200, max: 200 }) }), value: fc.integer({ min: -9, max: 9 }) }), { maxLength })
    .map((steps) => {
      let at = 0;
      return steps.map(({ key, stepMs, value }, id) => ({ id, key, at: (at += stepMs), value }));
    });
export const events: fc.Arbitrary<Event[]> = eventsUpTo(40);

const edges = { offsetMs: fc.constantFrom(0, 3, 75), timeZone: fc.constant(undefined) };
/** Windows that have a start and an end. */
export const boundedAssigners: fc.Arbitrary<WindowAssigner> = fc.oneof(
  fc.record({ kind: fc.constant('tumbling' as const), sizeMs: fc.integer({ min: 1, max: 60 }), ...edges }),
  fc.record({ kind: fc.constant('sliding' as const), sizeMs: fc.integer({ min: 1, max: 60 }), slideMs: fc.integer({ min: 1, max: 40 }), ...edges }),
  fc.record({ kind: fc.constant('session' as const), gapMs: fc.integer({ min: 1, max: 40 }) }),
);

/** What any windows may be asked for. */
export const settings = {
  outOfOrdernessMs: fc.constantFrom(0, 5, 20, 1000),
  allowedLatenessMs: fc.constantFrom(0, 0, 10, 100),
  every: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
  discarding: fc.boolean(),
} as const;

/** How records get to the windows: nothing of it may change a result. */
export const shapes = ['at once', 'one by one', 'in turns of the event loop', 'over an exchange', 'to 2 instances', 'to 4 instances', 'over two exchanges', 'with records of changing shapes'] as const;
export type Shape = (typeof shapes)[number];

/** Records with timestamps, that come in a way of their own. */
export function shaped(env: LocalEnvironment, all: readonly Event[], outOfOrdernessMs: number, shape: Shape): DataStream<Event> {
  const assigned = (stream: DataStream<Event>): DataStream<Event> => stream.assignTimestamps('at', { outOfOrdernessMs }).parallelism(1);
  switch (shape) {
    case 'one by one':
      return assigned(oneByOne(env, all));
    case 'in turns of the event loop':
      return assigned(oneByOne(env, all, ({ id }) => (id % 7 === 3 ? 1 : 0)));
    case 'over two exchanges':
      return assigned(env.fromCollection(all)).keyBy(({ key }) => key).parallelism(2).map((event) => event);
    case 'with records of changing shapes':
      return assigned(env.fromCollection(all).map((event) => (event.id % 3 === 0 ? { ...event, more: [event.id] } : event)));
    default:
      return assigned(env.fromCollection(all));
  }
}

/** Instances of the windows. */
export const parallelismOf = (shape: Shape): number => ({ 'to 2 instances': 2, 'to 4 instances': 4, 'over an exchange': 2, 'over two exchanges': 3 })[shape as string] ?? 1;

/** Results in an order of their own: those of one window in the order in which they were given. */
export const byWindow = <R extends { readonly key: string; readonly start: number; readonly end: number }>(results: readonly R[]): R[] =>
  results.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.start - b.start || a.end - b.end));

/** How far a record is at most behind one that came before it. */
function disorderMs(all: readonly Event[]): number {
  let greatest = Number.NEGATIVE_INFINITY;
  return all.reduce((most, { at }) => {
    greatest = Math.max(greatest, at);
    return Math.max(most, greatest - at);
  }, 0);
}

/** A random stream, and what its windows are asked for. */
export interface Case extends NaiveSettings {
  readonly events: readonly Event[];
  readonly shape: Shape;
}

/** All of that. */
export const cases: fc.Arbitrary<Case> = fc
  .record({
    events,
    assigner: fc.oneof({ weight: 3, arbitrary: boundedAssigners }, { weight: 1, arbitrary: fc.constant({ kind: 'global' as const }) }),
    ...settings,
    atEnd: fc.boolean(),
    shape: fc.constantFrom(...shapes),
  })
  .map((one) => ({
    ...one,
    atEnd: one.atEnd || one.every === undefined,
    // Over two exchanges a watermark comes to the windows on several ways, and a record that is late for it may be there before the last: none is.
    outOfOrdernessMs: one.shape === 'over two exchanges' ? Math.max(one.outOfOrdernessMs, disorderMs(one.events)) : one.outOfOrdernessMs,
  }));

/** Checks a property of cases, of which each runs a job. */
export const checkCases = (property: (one: Case) => Promise<void>): Promise<void> => fc.assert(fc.asyncProperty(cases, property), { numRuns: shareOfRuns(0.3), endOnFailure: false });

/** The built-in trigger for what windows are asked for. */
export function builtInTrigger({ every, atEnd }: Pick<NaiveSettings, 'every' | 'atEnd'>): Trigger {
  if (every === undefined) return { kind: 'time' };
  return atEnd ? { kind: 'early', early: everyCount(every) } : everyCount(every);
}

/** The numbers of records, in their order. */
export const ids = (list: readonly Event[]): number[] => list.map(({ id }) => id).toSorted((a, b) => a - b);
/** A result with the bounds of its window beside its other fields. */
export function withBounds<R extends { readonly window: { readonly start: number; readonly end: number } }>({ window, ...rest }: R): Omit<R, 'window'> & { readonly start: number; readonly end: number } {
  return { ...rest, start: window.start, end: window.end };
}
/** A window without what it shows. */
export const bounds = ({ key, start, end }: Shown): { key: string; start: number; end: number } => ({ key, start, end });
