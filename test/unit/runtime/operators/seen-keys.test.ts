import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { keyIdentity } from '../../../../ts/runtime/stage/key-identity.ts';
import { SeenKeys } from '../../../../ts/runtime/stage/seen-keys.ts';

describe('given keys that are remembered for ever', () => {
  it('when one comes again, then it is not new', () => {
    const seen = new SeenKeys(undefined);
    expect(['a', 'b', 'a', undefined, undefined, 'b'].map((key) => seen.add(key, 0))).toEqual([true, true, false, true, false, false]);
    expect(seen.size).toBe(3);
  });
});

describe('given keys with a time to live', () => {
  it('when it is over, then they are new again, and use no memory until then', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ key: fc.integer({ min: 0, max: 5 }), afterMs: fc.integer({ min: 0, max: 6 }) })), fc.integer({ min: 1, max: 10 }), (events, ttlMs) => {
        const seen = new SeenKeys(ttlMs);
        const until = new Map<number, number>();
        let nowMs = 0;
        for (const { key, afterMs } of events) {
          nowMs += afterMs;
          const isNew = (until.get(key) ?? -1) <= nowMs;
          if (isNew) until.set(key, nowMs + ttlMs);
          expect(seen.add(key, nowMs)).toBe(isNew);
          expect(seen.size).toBe([...until.values()].filter((end) => end > nowMs).length);
        }
      }),
    );
  });
});

describe('given the identity of keys', () => {
  /** Pairs that are equal as keys, by hand. */
  const same: readonly (readonly [unknown, unknown])[] = [[0, -0], [Number.NaN, 0 / 0], [{ a: 1, b: 2 }, { b: 2, a: 1 }], [[1, [2]], [1, [2]]], [new Date(7), new Date(7)], ['x', 'x'], [5n, 5n], [null, null]];
  const different: readonly unknown[] = [0, '0', 0n, false, null, undefined, '', [], {}, [0], ['0'], { 0: 0 }, new Date(0), '\0', '\0k', '\0\0', 'null', Number.NaN, [undefined], [null]];

  it.each(same.map(([one, two]) => ({ one, two })))('when $one and $two are compared, then they are the same', ({ one, two }) => {
    expect(new Set([keyIdentity(one), keyIdentity(two)]).size).toBe(1);
  });

  it('when keys differ, then no two have the same', () => {
    expect(new Set(different.map(keyIdentity)).size).toBe(different.length);
  });

  it.each([[new Map()], [new Set()], [() => 0], [Symbol('s')], [Promise.resolve(1)], [{ deep: [new Map()] }]])('when %s is no key, then it is refused', (key) => {
    expect(() => keyIdentity(key)).toThrow(expect.objectContaining({ code: 'SAGE_KEY_UNSUPPORTED' }));
  });
});
