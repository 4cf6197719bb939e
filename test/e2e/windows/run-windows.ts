import { expect } from 'vitest';

import { type DataStream, LocalEnvironment, type WindowedStream, type WithKey } from '../../../ts/index.ts';
import type { Event, NaiveSettings, Shown } from './naive-windows.ts';
import { type Case, bounds, byWindow, ids, parallelismOf, shaped } from './window-cases.ts';

/** Windows of each key, whose trigger and result are still to be said. */
export type KeyedWindows = WindowedStream<WithKey<string>, Event>;

/** What windows gave, and the records that came too late for them. */
export interface WindowsOutcome<R> {
  readonly results: R[];
  readonly late: Event[];
}

/** Lateness and panes as a case asks for them. */
export const asAsked = <Key>(windows: WindowedStream<Key, Event>, { allowedLatenessMs, discarding }: Omit<NaiveSettings, 'atEnd'>): WindowedStream<Key, Event> =>
  windows.allowedLateness(allowedLatenessMs).panes(discarding ? 'discarding' : 'accumulating');

/** Runs the windows of a case, each with a result of its own. */
export async function runWindows<R>(one: Case, result: (windows: KeyedWindows) => DataStream<R>): Promise<WindowsOutcome<R>> {
  const env = new LocalEnvironment('windows');
  const windows = shaped(env, one.events, one.outOfOrdernessMs, one.shape)
    .keyBy(({ key }) => key)
    .parallelism(parallelismOf(one.shape))
    .window({ kind: 'windows', assigner: one.assigner });
  const stream = result(asAsked(windows, one).lateTo('late'));
  const results: R[] = [];
  const late: Event[] = [];
  stream.sink(results);
  stream.sideOutput<Event>('late').sink(late);
  const { operators } = await env.submit({ autostop: true });
  expect(operators.find(({ name }) => name === 'window')!.recordsLate).toBe(late.length);
  return { results, late };
}

/** That windows gave all of their records, as often as their definition says, and what was late. */
export function expectAsDefined(found: WindowsOutcome<Shown>, expected: { readonly shown: readonly Shown[]; readonly late: readonly Event[] }): void {
  const shownOf = (list: readonly Shown[]): unknown[] => byWindow(list).map((window) => ({ ...bounds(window), ids: window.elements.map(({ id }) => id) }));
  expect(shownOf(found.results)).toEqual(shownOf(expected.shown));
  expect(ids(found.late)).toEqual(ids(expected.late));
}
