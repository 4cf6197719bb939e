/** Kinds of keys; each has a handful of different ones, some of them equal by value only. */
export const KEY_KINDS = {
  number: (n: number): unknown => [0, -0, 1.5, -7, 2 ** 53, Number.NaN, Infinity][n % 7],
  string: (n: number): unknown => ['', 'a', 'é', '\ud800', 'a long key '.repeat(30), '0'][n % 6],
  boolean: (n: number): unknown => n % 2 === 0,
  nothing: (n: number): unknown => [null, undefined][n % 2],
  bigint: (n: number): unknown => [0n, -1n, 2n ** 80n][n % 3],
  date: (n: number): unknown => new Date([0, 1e12, Number.NaN][n % 3]!),
  array: (n: number): unknown => [[], [n % 2], [[n % 2, null]]][n % 3],
  object: (n: number): unknown => (n % 2 === 0 ? { a: n % 3, b: { c: '' } } : { b: { c: '' }, a: n % 3 }),
  mixed: (n: number): unknown => [0, '0', false, null, undefined, 0n, '', new Date(0), [0], { 0: 0 }, Number.NaN, 'x'][n % 12],
} satisfies Record<string, (n: number) => unknown>;

/** Name of a kind of keys. */
export type KeyKind = keyof typeof KEY_KINDS;

/** A text that is equal for equal keys and only for those: an oracle that shares nothing with the engine's key bytes. */
export function keyText(key: unknown): string {
  if (key instanceof Date) return `date ${key.getTime()}`;
  if (Array.isArray(key)) return `[${key.map(keyText).join()}]`;
  if (typeof key === 'object' && key !== null) {
    return `{${Object.entries(key).map(([name, value]) => `${name}:${keyText(value)}`).toSorted().join()}}`;
  }
  return `${typeof key} ${String(key === 0 ? 0 : key)}`;
}
