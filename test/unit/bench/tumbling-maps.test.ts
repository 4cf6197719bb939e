import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { TumblingMaps } from '../../../bench/pipelines/tumbling-maps.ts';
import { rightChecksum } from '../../../bench/pipelines/window-counts.ts';

const SIZE_MS = 10;
const DISORDER_MS = 4;

describe('windows by hand, which benchmarks are compared with', () => {
  it('given records in any order, then counts and late records are those of the definition', () => {
    const records = fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), at: fc.nat(100) }));
    fc.assert(
      fc.property(records, (all) => {
        const given: Record<string, number> = {};
        const windows = new TumblingMaps(SIZE_MS, DISORDER_MS, (key, start, n) => {
          expect(given).not.toHaveProperty(`${key} ${start}`);
          given[`${key} ${start}`] = n;
        });
        for (const { key, at } of all) windows.add(key, at);
        windows.finish();
        // By the definition: a record is late when the greatest time before it has left its window behind
        const windowOf = (at: number): number => Math.floor(at / SIZE_MS) * SIZE_MS;
        const isLate = (n: number): boolean => windowOf(all[n]!.at) + SIZE_MS <= Math.max(...all.slice(0, n).map(({ at }) => at)) - DISORDER_MS;
        const right = Object.groupBy(all.filter((_, n) => !isLate(n)), ({ key, at }) => `${key} ${windowOf(at)}`);
        expect(given).toEqual(Object.fromEntries(Object.entries(right).map(([name, of]) => [name, of!.length])));
        expect(windows.late).toBe(all.filter((_, n) => isLate(n)).length);
      }),
    );
  });

  it('given the readings of the files, then some are late, and all others are counted', () => {
    // One of 10,007 is a straggler
    expect(rightChecksum(100_000)).toMatch(/ counts of 99991 readings, 9 late, /);
  });
});
