import { describe, expect, it } from 'vitest';

import { LocalEnvironment, count, sum, tumbling } from '../../../ts/index.ts';

interface Reading {
  readonly sensor: string;
  readonly at: number;
  readonly value: number;
}

const SIZE_MS = 1_000;
const DISORDER_MS = 50;
const READINGS = 200_000;
/** Some readings are later than anybody waits for. */
const readings: readonly Reading[] = Array.from({ length: READINGS }, (_, n) => {
  const dice = Math.imul(n, 2_654_435_761) >>> 0;
  return { sensor: `sensor ${dice % 97}`, at: n - (dice % 1_000 === 7 ? 5_000 : dice % DISORDER_MS), value: dice % 100 };
});

/** What each window and sensor has, by plain JavaScript: all readings that are not late, whatever the watermark was when they came. */
function byHand(isLate: (reading: Reading) => boolean): Map<string, { n: number; total: number }> {
  const windows = new Map<string, { n: number; total: number }>();
  for (const reading of readings) {
    if (isLate(reading)) continue;
    const id = `${Math.floor(reading.at / SIZE_MS) * SIZE_MS} ${reading.sensor}`;
    const window = windows.get(id) ?? { n: 0, total: 0 };
    windows.set(id, { n: window.n + 1, total: window.total + reading.value });
  }
  return windows;
}

// So many batches that a thread helps, where there is a core for it.
describe('windows of many batches', () => {
  it.each(['built-in aggregates', 'all elements'] as const)('give with %s what they give by hand, windows in order, and late records to those who take them', async (kind) => {
    // given
    const env = new LocalEnvironment();
    const found = new Map<string, { n: number; total: number }>();
    const starts: number[] = [];
    const late: Reading[] = [];
    const windows = env.fromCollection(readings).assignTimestamps('at', { outOfOrdernessMs: DISORDER_MS }).keyBy('sensor').window(tumbling(SIZE_MS)).lateTo('late');
    const note = (start: number, sensor: string, n: number, total: number): void => {
      starts.push(start);
      found.set(`${start} ${sensor}`, { n, total });
    };
    if (kind === 'all elements') {
      const results = windows.map(({ key, start, elements }) => ({ key, start, n: elements.length, total: elements.reduce((total, { value }) => total + value, 0) }));
      results.sink(({ key, start, n, total }) => note(start, key, n, total));
      results.sideOutput<Reading>('late').sink((reading) => void late.push(reading));
    } else {
      const results = windows.aggregate({ n: count(), total: sum('value') });
      results.sink(({ key, window, n, total }) => note(window.start, key, n, total));
      results.sideOutput<Reading>('late').sink((reading) => void late.push(reading));
    }
    // when
    const result = await env.submit({ autostop: true });
    // then
    const isLate = new Set(late);
    expect(late.length).toBeGreaterThan(0);
    expect(isLate.size).toBe(late.length);
    const all = new Set(readings);
    expect(late.filter((reading) => !all.has(reading))).toEqual([]);
    expect(found).toEqual(byHand((reading) => isLate.has(reading)));
    expect(starts).toEqual(starts.toSorted((a, b) => a - b));
    expect(result.operators.find(({ recordsLate }) => (recordsLate ?? 0) > 0)?.recordsLate).toBe(late.length);
  });
});
