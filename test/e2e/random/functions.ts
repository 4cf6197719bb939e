import type { Row } from './graph.ts';

/** What the functions of a random pipeline compute; engine and interpreter share these and nothing else. */
export const compute = {
  source: (salt: number, n: number): Row => ({ v: (n * 37 + salt) % 997, k: '' }),
  /** Drops some rows. */
  map: (salt: number, row: Row): Row | undefined => (row.v % 11 === salt % 11 ? undefined : { ...row, v: (row.v * 31 + salt) % 997 }),
  filter: (salt: number, row: Row): boolean => (row.v + salt) % 3 !== 0,
  flatMap: (salt: number, row: Row): Row[] => Array.from({ length: row.v % 4 }, (_, n) => ({ ...row, v: (row.v + n * salt) % 997 })),
  /** Few keys, of all kinds. */
  key: (salt: number, row: Row): unknown => [row.v % 5, `${row.v % 5}`, null, { part: row.v % 2 }, row.v % 2 === 0, undefined, '', BigInt(row.v % 3)][(row.v + salt) % 8],
  /** Commutative and associative: in which order instances add does not show. */
  reduce: (a: Row, b: Row): Row => ({ v: (a.v + b.v) % 997, k: a.k === b.k ? a.k : '*' }),
  isAsync: (row: Row): boolean => row.v % 5 === 0,
};

/** A text that is equal for equal keys only. */
export function textOfKey(key: unknown): string {
  return typeof key === 'object' && key !== null ? JSON.stringify(key) : `${typeof key} ${String(key)}`;
}

/** The results of an aggregate as a row again, so that a pipeline can go on. */
export function rowOfResult(result: Readonly<Record<string, unknown>>): Row {
  const { key, ...rest } = result;
  const tag = JSON.stringify({ ...rest, key: textOfKey(key) }, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
  return { v: ((result['n'] as number) * 7 + ((result['total'] as number | undefined) ?? 0)) % 997, k: textOfKey(key), tag };
}
