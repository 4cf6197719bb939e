import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SlotColumn } from '../../../../ts/runtime/stage/slot-column.ts';

describe('a column of values by slot', () => {
  it('agrees with a map, whatever is set where', () => {
    // Slots around the ends of pieces, and far beyond the last one that was set.
    const slots = fc.oneof(fc.nat(20), fc.integer({ min: 8180, max: 8200 }), fc.nat(100_000));
    const steps = fc.array(fc.tuple(slots, fc.integer()), { maxLength: 60 });
    fc.assert(
      fc.property(steps, (sets) => {
        const column = new SlotColumn<number>();
        const oracle = new Map<number, number>();
        for (const [slot, value] of sets) {
          column.set(slot, value);
          oracle.set(slot, value);
          expect(column.length).toBe(Math.max(...oracle.keys()) + 1);
          for (const [known] of sets) expect(column.get(known)).toBe(oracle.get(known));
        }
      }),
    );
  });

  it('appends like a list, over many pieces', () => {
    const column = new SlotColumn<number>();
    for (let n = 0; n < 30_000; n++) column.push(n * 2);
    expect(column.length).toBe(30_000);
    for (let n = 0; n < 30_000; n++) if (column.get(n) !== n * 2) expect.fail(`slot ${n}: ${column.get(n)}`);
    expect(column.get(30_000)).toBeUndefined();
  });
});
