import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { StateValuesReader, StateValuesWriter } from '../../../../ts/runtime/codec/state-values.ts';
import { NotStorable, storedSize } from '../../../../ts/runtime/state/stored-size.ts';

/** A registry as the job has it. */
function registry(): { internShape(text: string): number; shapeText(id: number): string } {
  const shapes: string[] = [];
  return {
    internShape: (text) => (shapes.includes(text) ? shapes.indexOf(text) : shapes.push(text) - 1),
    shapeText: (id) => shapes[id]!,
  };
}

const anything = fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true, withSparseArray: true, withUnicodeString: true });

describe('values of states', () => {
  it('come back as a structured clone would have them, wherever they stand', () => {
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 5 }), (values) => {
        const shapes = registry();
        const writer = new StateValuesWriter(shapes);
        const ends = values.map((value) => writer.write(value));
        // Another reader, at a place of its own in memory.
        const bytes = Buffer.concat([Buffer.alloc(3), writer.bytes(), Buffer.alloc(5, 0xff)]).subarray(3);
        const reader = new StateValuesReader(shapes);
        const read = values.map((_, n) => reader.read(bytes, ends[n - 1] ?? 0, ends[n]!));
        expect(read).toStrictEqual(values.map((value) => structuredClone(value)));
      }),
    );
  });

  it('keep the names of an array that has as many of them as holes', () => {
    const value = Object.assign(new Array(2), { 0: 'a', named: 'b' });
    const shapes = registry();
    const writer = new StateValuesWriter(shapes);
    const end = writer.write(value);
    expect(new StateValuesReader(shapes).read(Buffer.from(writer.bytes()), 0, end)).toStrictEqual(structuredClone(value));
  });

  it('that are cut off are an error', () => {
    const writer = new StateValuesWriter(registry());
    const end = writer.write({ name: 'a text', n: 1.5 });
    const reader = new StateValuesReader(registry());
    for (const [start, stop] of [[0, 3], [1, end], [0, 9]] as const) expect(() => reader.read(Buffer.from(writer.bytes()), start, stop)).toThrow();
  });
});

describe('the size of a value', () => {
  it('grows with what it holds', () => {
    fc.assert(fc.property(anything, anything, (a, b) => storedSize([a, b]) > Math.max(storedSize(a), storedSize(b))));
    expect(storedSize(new Uint8Array(1_000_000))).toBeGreaterThan(1_000_000);
    expect(storedSize('x'.repeat(1_000))).toBeLessThan(1_100);
  });

  it('of one that leads back to itself is found', () => {
    const cycle: unknown[] = [1];
    cycle.push({ cycle });
    expect(storedSize(cycle)).toBeLessThan(2_000);
  });

  it.each([
    [() => 1, 'a function'],
    [{ deep: [Symbol('x')] }, 'a symbol'],
    [new (class Point { x = 1; })(), 'an object of the class Point'],
    [new Map([[new (class Key { n = 1; })(), 1]]), 'an object of the class Key'],
    [new (class Dates extends Date {})(), 'an object of the class Dates'],
    [new WeakMap(), 'a WeakMap'],
  ])('that would not come back is refused (%#)', (value, why) => {
    expect(() => storedSize(value)).toThrow(new NotStorable(why));
  });
});
