import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { boundedText } from '../../../ts/common/bounded-text.ts';
import { plainValue, shortened } from '../../../ts/common/plain-value.ts';

/** Values that are hard to print. */
const odd: readonly (readonly [string, unknown])[] = [
  ['a cycle', (() => { const cycle: Record<string, unknown> = { n: 1 }; cycle['self'] = [cycle]; return cycle; })()],
  ['a deep chain', Array.from({ length: 10_000 }).reduce<unknown>((inner) => ({ inner }), 'deepest')],
  ['a huge string', 'x'.repeat(5e6)],
  ['a huge array', Array.from({ length: 1e5 }, (_, n) => n)],
  ['an object used as a map', Object.fromEntries(Array.from({ length: 1e5 }, (_, n) => [`key ${n}`, n]))],
  ['a getter that throws', { get odd() { throw new Error('no'); } }],
  ['a getter that never ends in the same value', { get next() { return { ...this }; } }],
  ['a proxy whose every trap throws', new Proxy({}, { get() { throw new Error('no'); }, ownKeys() { throw new Error('no'); }, getPrototypeOf() { throw new Error('no'); } })],
  ['a revoked proxy', (() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; })()],
  ['an inspect method that throws', { [Symbol.for('nodejs.util.inspect.custom')]() { throw new Error('no'); } }],
  ['a toJSON that throws', { toJSON() { throw new Error('no'); } }],
  ['an invalid date', new Date(Number.NaN)],
  ['an error that is its own cause', (() => { const error = new Error('x'); error.cause = error; return error; })()],
  ['a wide tree', (function tree(level: number): unknown { return level === 0 ? 'x'.repeat(1000) : Array.from({ length: 20 }, () => tree(level - 1)); })(4)],
];

describe.each(odd)('%s', (_, value) => {
  test('has a text of a few lines', () => {
    const text = boundedText(value);

    expect(text).not.toBe('');
    expect(text.length).toBeLessThan(2_100);
  });

  test('is a plain value that JSON can hold and that is not large', () => {
    const plain = plainValue(value);

    const json = JSON.stringify(plain);
    expect(JSON.parse(json)).toEqual(plain);
    expect(json.length).toBeLessThan(1.5e6);
  });
});

test('what JSON can hold is as JSON has it', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      expect(plainValue(value)).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

test('any value becomes one that JSON gives back as it is', () => {
  fc.assert(
    fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true, withNullPrototype: true }), (value) => {
      const plain = plainValue(value);
      // JSON has no -0.
      expect(JSON.stringify(JSON.parse(JSON.stringify(plain)))).toBe(JSON.stringify(plain));
      expect(boundedText(value).length).toBeLessThan(2_100);
    }),
  );
});

test('what is cut says how much', () => {
  expect(shortened('abcdef', 3)).toBe('abc... 3 more characters');
  expect(plainValue(Array.from({ length: 103 }, (_, n) => n))).toHaveLength(101);
  expect((plainValue(Array.from({ length: 103 }, (_, n) => n)) as unknown[]).at(-1)).toBe('[3 more]');
  expect(boundedText('x'.repeat(1000))).toMatch(/more characters/);
});

test('values of other kinds', () => {
  const when = new Date(0);
  expect(plainValue({ big: 5n, when, nan: Number.NaN, map: new Map([['a', 1]]), set: new Set([1]), bytes: new Uint8Array(3), url: new URL('https://example.com/'), pattern: /x/g, none: undefined })).toEqual({
    big: '5', when: when.toISOString(), nan: 'NaN', map: [['a', 1]], set: [1], bytes: '[Uint8Array of 3 bytes]', url: 'https://example.com/', pattern: '/x/g',
  });
  expect(plainValue(new RangeError('x', { cause: 'y' }))).toMatchObject({ name: 'RangeError', message: 'x', cause: 'y' });
});
