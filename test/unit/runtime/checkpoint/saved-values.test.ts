// Values of the user in checkpoints. The oracle is `structuredClone`, V8's own idea of what comes back.
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

import { EntryReader } from '../../../../ts/runtime/checkpoint/entry-reader.ts';
import { EntryWriter } from '../../../../ts/runtime/checkpoint/entry-writer.ts';
import { SavedValuesReader } from '../../../../ts/runtime/checkpoint/saved-values-reader.ts';
import { SavedValuesWriter } from '../../../../ts/runtime/checkpoint/saved-values-writer.ts';
import type { SavedState } from '../../../../ts/runtime/state/saved-state.ts';
import { isStorable } from '../../../../ts/runtime/state/stored-size.ts';
import { PROPERTY_RUNS } from '../../../property-runs.ts';

vi.setConfig({ testTimeout: Math.max(60_000, 100 * PROPERTY_RUNS) });

const anything = fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withSparseArray: true, withTypedArray: true, withNullPrototype: true, stringUnit: 'binary', maxDepth: 4 });

function copy(value: unknown, writer = new SavedValuesWriter(), reader = new SavedValuesReader()): unknown {
  return reader.decode(Buffer.from(writer.encode(value)));
}

describe('given a value that states may hold', () => {
  it('when it is saved and read, then it is what a structured clone is', () => {
    const [writer, reader] = [new SavedValuesWriter(), new SavedValuesReader()];
    fc.assert(
      fc.property(anything, (value) => {
        fc.pre(isStorable(value));
        // One writer and one reader for all of them, as in a task.
        expect(copy(value, writer, reader)).toStrictEqual(structuredClone(value));
      }),
      { numRuns: PROPERTY_RUNS * 10 },
    );
  });

  it('when it is there many times, so that code is generated for its objects, then each one is the same', () => {
    fc.assert(
      fc.property(fc.array(fc.dictionary(fc.constantFrom('a', 'b', 'ä', '7', '__proto__', '"', '\ud800', '\u2028'), anything), { minLength: 1, maxLength: 6 }), (kinds) => {
        fc.pre(isStorable(kinds));
        const [writer, reader] = [new SavedValuesWriter(), new SavedValuesReader()];
        for (let n = 0; n < 100; n++) {
          const value = kinds[n % kinds.length];
          expect(copy(value, writer, reader)).toStrictEqual(structuredClone(value));
        }
      }),
      { numRuns: PROPERTY_RUNS },
    );
  });

  it.each<[string, () => unknown, (value: never) => boolean]>([
    ['an object twice', () => ((shared) => [shared, { shared }])({ n: 1 }), ([first, { shared }]: [object, { shared: object }]) => first === shared],
    ['an object that holds itself', () => ((own: { own?: object }) => ((own.own = own), own))({}), (value: { own: object }) => value.own === value],
    ['one of many objects again', () => ((all: object[]) => [...all, all[57]])(Array.from({ length: 100 }, (_, n) => ({ n }))), (value: object[]) => value[57] === value[100] && value.length === 101],
  ])('when it has %s, then that is one object again', (_, make, isOne) => {
    expect(isOne(copy(make()) as never)).toBe(true);
  });

  it.each<[string, () => unknown]>([
    ['nested a thousand deep', () => Array.from({ length: 1000 }).reduce<unknown>((inner) => ({ inner }), 'end')],
    ['an array with names', () => Object.assign([1, 2], { named: 3 })],
    ['an array with as many names as holes', () => Object.assign(new Array(2), { 0: 'a', named: 'b' })],
    ['an array with a long hole', () => Object.assign([], { 5000: 1 })],
    ['an array with a hole at its end', () => Object.assign([1], { length: 3 })],
    ['-0', () => [-0, 0, NaN, -Infinity, 2 ** 31, -(2 ** 31)]],
    ['an invalid date', () => new Date(NaN)],
    ['texts of all lengths', () => Array.from({ length: 400 }, (_, n) => [...'aäあ'].map((unit) => unit.repeat(n)))],
    ['a very long text', () => 'あ'.repeat(2 ** 20 + 1)],
    ['a surrogate that stands alone, in a long text', () => `${'x'.repeat(100)}\ud800`],
    ['a field __proto__', () => JSON.parse('{"__proto__": {"a": 1}, "b": 2}') as unknown],
    ['a hundred fields', () => Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`field ${n}`, n]))],
    ['an object with a field that is not there', () => ({ there: 1, gone: undefined })],
  ])('when it is %s, then it comes back', (_, make) => {
    expect(copy(make())).toStrictEqual(structuredClone(make()));
  });
});

describe('given a value that would not come back as it is', () => {
  class Point {
    x = 1;
  }
  class Names extends Map<string, number> {}

  it.each<[string, unknown, string]>([
    ['a function', () => 1, 'a function'],
    ['a symbol', Symbol('s'), 'a symbol'],
    ['an object of a class', new Point(), 'an object of the class Point'],
    ['an object of a class that extends a built-in one', new Names(), 'an object of the class Names'],
    ['one of these deep within', [{ a: [{ b: new Point() }] }], 'an object of the class Point'],
    ['one of these in a Map', new Map([['a', new Point()]]), 'an object of the class Point'],
    ['a promise', Promise.resolve(1), 'a Promise'],
  ])('when it is %s, then that is said, and nothing is written', (_, value, what) => {
    const writer = new EntryWriter(() => undefined);
    writer.putValue('before', 1);
    const before = writer.length;
    expect(() => writer.putValue('key', value)).toThrow(what);
    expect(() => writer.putStates('key', [['state', 'value', false, 1], ['other', 'value', false, value]])).toThrow(what);
    expect(writer.length).toBe(before);
  });
});

describe('given what states hold for keys', () => {
  const state = fc
    .tuple(fc.constantFrom('a', 'b', 'ü\ud800'), fc.constantFrom('value', 'list', 'aggregating with avg'), fc.boolean(), anything, fc.constantFrom(undefined, 2, 70_000))
    .filter(([, , , value]) => isStorable(value))
    .map(([name, type, hasTtl, value, version]): SavedState => (version === undefined ? [name, type, hasTtl, value] : [name, type, hasTtl, value, version]));
  const keys = fc.oneof(fc.string({ unit: 'binary' }), fc.double(), fc.bigInt(), fc.boolean(), fc.constant(null), fc.array(fc.nat(), { maxLength: 3 }));

  it('when they are saved and read, then each key has its states', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(keys, fc.array(state, { maxLength: 4 })), { maxLength: 30 }), (all) => {
        const writer = new EntryWriter(() => undefined);
        for (const [key, states] of all) writer.putStates(key, states);
        const read = [...new EntryReader(Buffer.from(writer.finish())).states()];
        const positive = (key: unknown): unknown => (key === 0 ? 0 : key);
        expect(read).toStrictEqual(all.map(([key, states]) => [positive(key), structuredClone(states)]));
      }),
      { numRuns: PROPERTY_RUNS },
    );
  });

  it('when the bytes of an entry are cut off, then that is an error and no value', () => {
    const writer = new EntryWriter(() => undefined);
    writer.putStates('key', [['state', 'value', false, { text: 'a text that is longer than a short one, so that it has its length in four bytes', n: 1 }]]);
    const bytes = Buffer.from(writer.finish());
    for (let length = 1; length < bytes.length; length++) expect(() => [...new EntryReader(bytes.subarray(0, length)).states()]).toThrow(RangeError);
  });
});
