import { describe, expect, it } from 'vitest';

import { LocalEnvironment, type WindowContents, type Windows, type NoKey, sliding, tumbling } from '../../../ts/index.ts';
import { numbers } from '../support/run-to-array.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The days of a place in words, of its calendar and not of ours: `2011-10-16`. */
function calendar(timeZone: string): (ms: number) => string {
  const format = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
  return (ms) => format.format(ms);
}

async function windowsOf(times: readonly number[], windows: Windows): Promise<WindowContents<NoKey, { readonly at: number }>[]> {
  const found: WindowContents<NoKey, { readonly at: number }>[] = [];
  const env = new LocalEnvironment('days');
  env
    .fromCollection(times.map((at) => ({ at })))
    .assignTimestamps('at', { outOfOrdernessMs: 0, maxAheadMs: Number.POSITIVE_INFINITY })
    .window(windows)
    .map((window) => window)
    .sink(found);
  await env.submit({ autostop: true });
  return found;
}

// Half an hour of summer time; summer time that begins at midnight, which then does not exist; a day that was left out; changes twice in a month.
describe.each(['Europe/Berlin', 'Australia/Lord_Howe', 'America/Sao_Paulo', 'Africa/Cairo', 'Pacific/Apia', 'Africa/Casablanca', 'Asia/Kathmandu'])('windows of days in %s', (timeZone) => {
  it.each([2011, 2014, 2049])('are those of its calendar, in %i', async (year) => {
    const dayOf = calendar(timeZone);
    const times = numbers(366 * 8).map((n) => Date.UTC(year, 0) + n * 3 * HOUR_MS + (n % 7) * 60_000);
    const windows = await windowsOf(times, tumbling('1d', { timeZone }));
    expect(windows.flatMap(({ elements }) => elements.map(({ at }) => at))).toEqual(times);
    for (const { start, end, elements } of windows) {
      const day = dayOf(start);
      // From the first to the last moment of the day, however long it is.
      expect([dayOf(start - 1), dayOf(end - 1), dayOf(end)]).toEqual([expect.not.stringMatching(day), day, expect.not.stringMatching(day)]);
      expect(new Set(elements.map(({ at }) => dayOf(at)))).toEqual(new Set([day]));
    }
  });

  it('overlap by days where they slide', async () => {
    const dayOf = calendar(timeZone);
    const times = numbers(366 * 4).map((n) => Date.UTC(2014, 0) + n * 6 * HOUR_MS);
    const windows = await windowsOf(times, sliding(3 * DAY_MS, '1d', { timeZone }));
    const inWindows = new Map<number, number>();
    for (const { start, end, elements } of windows) {
      expect([dayOf(start - 1) === dayOf(start), dayOf(end - 1) === dayOf(end)]).toEqual([false, false]);
      expect(Math.abs(end - start - 3 * DAY_MS)).toBeLessThanOrEqual(HOUR_MS);
      for (const { at } of elements) inWindows.set(at, (inWindows.get(at) ?? 0) + 1);
    }
    expect(new Set(inWindows.values())).toEqual(new Set([3]));
  });
});
