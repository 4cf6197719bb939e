import type { Policy, Row } from './graph.ts';

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
  /** What a row sends to the side output, if anything. */
  side: (salt: number, row: Row): Row | undefined => (row.v % 3 === salt % 3 ? { v: row.v, k: row.k, tag: 'side' } : undefined),
  /** To which branches a row goes. */
  routes: (salt: number, row: Row): 'a' | 'b' | readonly ('a' | 'b')[] => (['a', 'b', ['a', 'b'], [], ['b', 'b'], 'a'] as const)[(row.v + salt) % 6]!,
  weight: (salt: number, row: Row): number => (row.v + salt) % 6,
  /** What makes rows equal; equal ones are the same, so that it does not matter which of them is the first. */
  sameness: (row: Row): string => `${row.v} ${row.k} ${row.tag}`,
  /** Whether the step fails at a row, whatever is tried. */
  fails: (salt: number, policy: Policy | undefined, row: Row): boolean => policy !== undefined && policy !== 'flaky' && (row.v + salt) % 7 === 3,
  /** Whether the first attempt at a row fails, and the second one succeeds. */
  isFlaky: (salt: number, policy: Policy | undefined, row: Row): boolean => policy === 'flaky' && (row.v + salt) % 5 === 1,
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

/** A dead letter as a row. */
export function rowOfLetter(row: Row, key: unknown, attempts: number, message: string): Row {
  return { v: row.v, k: row.k, tag: `dead ${attempts} ${textOfKey(key)} ${message}` };
}

/** What all rows that a limit lets pass become: which of them those are depends on who comes first. */
export function limitedRow(salt: number, row: Row, keyed: boolean): Row {
  return { v: salt % 997, k: keyed ? row.k : '' };
}

/** The last row of a process function. */
export function finishedRow(salt: number): Row {
  return { v: salt % 997, k: '', tag: 'finished' };
}
