import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { pairedInterval } from '../../../bench/progress/paired-interval.ts';

describe('the interval of a paired measurement', () => {
  it('is that of the textbook: mean of logarithms, plus and minus Student\'s point times the standard error', () => {
    // Given ten pairs whose logarithms are 0.00, 0.01 ... 0.09: mean 0.045, standard deviation 0.0302765
    const pairs = Array.from({ length: 10 }, (_, n): [number, number] => [Math.exp(n / 100) * 7, 7]);
    const { ratio, low, high } = pairedInterval(pairs);
    // Student's two-sided 95 % point for 9 degrees of freedom is 2.262 in every table
    const reach = (2.262 * 0.030_276_5) / Math.sqrt(10);
    expect(ratio).toBeCloseTo(Math.exp(0.045), 6);
    expect(Math.log(low)).toBeCloseTo(0.045 - reach, 4);
    expect(Math.log(high)).toBeCloseTo(0.045 + reach, 4);
  });

  it('does not see what both sides of a pair have in common', () => {
    const value = fc.double({ min: 0.5, max: 2, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value, value), { minLength: 10, maxLength: 40 }), (triples) => {
        const plain = pairedInterval(triples.map(([on, off]) => [on, off]));
        const slowed = pairedInterval(triples.map(([on, off, factor]) => [on * factor, off * factor]));
        expect(slowed.ratio).toBeCloseTo(plain.ratio, 9);
        expect(slowed.low).toBeCloseTo(plain.low, 9);
        expect(plain.low).toBeLessThanOrEqual(plain.ratio);
        expect(plain.ratio).toBeLessThanOrEqual(plain.high);
      }),
    );
  });

  it('holds the true ratio about 95 times in a hundred', () => {
    // Given pairs from a generator that anybody can repeat (mulberry32), with noise of a tenth around a ratio of 1.02
    let state = 20_261_126;
    const random = (): number => {
      state = (state + 0x6d_2b_79_f5) | 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
    };
    const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    let held = 0;
    for (let n = 0; n < 2_000; n++) {
      const { low, high } = pairedInterval(Array.from({ length: 20 }, (): [number, number] => [1.02 * Math.exp(normal() / 10), Math.exp(normal() / 10)]));
      if (low <= 1.02 && 1.02 <= high) held++;
    }
    expect(held / 2_000).toBeGreaterThan(0.93);
    expect(held / 2_000).toBeLessThan(0.97);
  });
});
