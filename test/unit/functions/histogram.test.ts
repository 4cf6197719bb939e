import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { LogHistogram } from '../../../ts/functions/histogram.ts';

/** The quantile of a sorted list, by its definition. */
function exactQuantile(values: readonly number[], fraction: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(fraction * sorted.length) - 1)]!;
}

describe('a histogram', () => {
  it('without records has no quantiles', () => {
    const histogram = new LogHistogram();
    expect([histogram.count, histogram.sum, histogram.min, histogram.max, histogram.quantile(0.5)]).toEqual([0, 0, Number.NaN, Number.NaN, Number.NaN]);
  });

  it('gives quantiles within 1 % of those of the sorted values (property)', () => {
    const values = fc.array(fc.oneof(fc.double({ min: 1e-6, max: 1e12, noNaN: true }), fc.constant(0), fc.double({ min: -1e6, max: -1e-6, noNaN: true })), { minLength: 1 });
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (recorded, fraction) => {
        const histogram = new LogHistogram();
        for (const value of recorded) histogram.record(value);
        const exact = exactQuantile(recorded, fraction);
        expect(Math.abs(histogram.quantile(fraction) - exact)).toBeLessThanOrEqual(Math.abs(exact) * 0.0101);
      }),
    );
  });

  it('of several threads, put together, is that of all their values (property)', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.integer({ min: -50, max: 50 }))), (threads) => {
        const together = new LogHistogram();
        const merged = new LogHistogram();
        for (const values of threads) {
          const own = new LogHistogram();
          for (const value of values) {
            own.record(value);
            together.record(value);
          }
          merged.merge(structuredClone(own.snapshot()));
        }
        for (const fraction of [0, 0.25, 0.5, 0.99, 1]) expect(merged.quantile(fraction)).toBe(together.quantile(fraction));
        expect([merged.count, merged.sum]).toEqual([together.count, together.sum]);
      }),
    );
  });
});
