import type { Policy, Row } from './graph.ts';

/** Rows of a source are less than that behind the latest before them, by their field `t`. */
export const DISORDER_MS = 50;
/** More disorder than there can be. */
export const MORE_THAN_ALL_MS = 1e6;

/** What the functions of a random pipeline compute; engine and interpreter share these and nothing else. */
export const compute = {
  source: (salt: number, n: number): Row => ({ v: (n * 37 + salt) % 997, k: '', t: n * 10 + ((n * 79 + salt) % DISORDER_MS) - 500 }),
  /** Drops some rows. */
  map: (salt: number, row: Row): Row | undefined => (row.v % 11 === salt % 11 ? undefined : { ...row, v: (row.v * 31 + salt) % 997 }),
  filter: (salt: number, row: Row): boolean => (row.v + salt) % 3 !== 0,
  flatMap: (salt: number, row: Row): Row[] => Array.from({ length: row.v % 4 }, (_, n) => ({ ...row, v: (row.v + n * salt) % 997 })),
  /** Few keys, of all kinds. */
  key: (salt: number, row: Row): unknown => [row.v % 5, `${row.v % 5}`, null, { part: row.v % 2 }, row.v % 2 === 0, undefined, '', BigInt(row.v % 3)][(row.v + salt) % 8],
  /** Commutative and associative: in which order instances add does not show. */
  reduce: (a: Row, b: Row): Row => ({ v: (a.v + b.v) % 997, k: a.k === b.k ? a.k : '*', t: Math.max(a.t, b.t) }),
  isAsync: (row: Row): boolean => row.v % 5 === 0,
  /** What a row sends to the side output, if anything. */
  side: (salt: number, row: Row): Row | undefined => (row.v % 3 === salt % 3 ? { v: row.v, k: row.k, t: row.t, tag: 'side' } : undefined),
  /** To which branches a row goes. */
  routes: (salt: number, row: Row): 'a' | 'b' | readonly ('a' | 'b')[] => (['a', 'b', ['a', 'b'], [], ['b', 'b'], 'a'] as const)[(row.v + salt) % 6]!,
  /** When a row happened, of times that have nothing to do with the order of rows. */
  time: (salt: number, row: Row): number => (row.v * 7 + salt) % 5000,
  /** The row of a pair; some are dropped. What is of the right row only must be the same for all that could be it. */
  pair: (salt: number, left: Row | undefined, right: Row | undefined): Row | undefined => {
    const v = ((left?.v ?? 500) * 3 + (right?.v ?? 500) * 5 + salt) % 997;
    return v % 5 === 0 ? undefined : { v, k: left?.k ?? right!.k, t: Math.max(left?.t ?? -Infinity, right?.t ?? -Infinity), tag: left === undefined ? 'right' : right === undefined ? 'left' : 'pair' };
  },
  /** The row of a left row with the latest right one: of several of one time it may be any. */
  asOf: (salt: number, left: Row, right: Row | undefined): Row | undefined => compute.pair(salt, left, right && { v: 1, k: '', t: right.t }),
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
  const v = ((result['n'] as number) * 7 + ((result['total'] as number | undefined) ?? 0)) % 997;
  return { v, k: textOfKey(key), t: v * 10, tag };
}

/** A dead letter as a row. */
export function rowOfLetter(row: Row, key: unknown, attempts: number, message: string): Row {
  return { v: row.v, k: row.k, t: row.t, tag: `dead ${attempts} ${textOfKey(key)} ${message}` };
}

/** What all rows that a limit lets pass become: which of them those are depends on who comes first. */
export function limitedRow(salt: number, row: Row, keyed: boolean): Row {
  return { v: salt % 997, k: keyed ? row.k : '', t: salt };
}

/** The last row of a process function. */
export function finishedRow(salt: number): Row {
  return { v: salt % 997, k: '', t: salt, tag: 'finished' };
}

/** Bounds of a window as a row notes them. */
interface Bounds {
  readonly start: number;
  readonly end: number;
}

/** The row of a window's result, with the bounds of the window. */
export function windowRow({ start, end }: Bounds, row: Row): Row {
  return { ...row, tag: `${row.tag} ${start} ${end}` };
}

/** Rows that a class with state of keys gives. */
export const keyedRows = {
  /** Of how many rows there have been. Which of them it is depends on who comes first. */
  count: (key: unknown, n: number): Row => ({ v: n % 997, k: textOfKey(key), t: 0, tag: 'count' }),
  /** When the time of a row is over. */
  bucketEnd: (atMs: number): number => Math.floor(atMs / BUCKET_MS) * BUCKET_MS + BUCKET_MS,
  bucket: (key: unknown, endMs: number, n: number, total: number): Row => ({ v: (n * 7 + total) % 997, k: textOfKey(key), t: endMs, tag: `bucket ${endMs} ${n} ${total}` }),
  /** Behind all rows. */
  total: (key: unknown, n: number, total: number): Row => ({ v: (n * 7 + total) % 997, k: textOfKey(key), t: END_OF_TIME_MS, tag: `total ${n} ${total}` }),
};

const BUCKET_MS = 70;
/** No row has a time behind it, and `MORE_THAN_ALL_MS` of disorder reach it. */
export const END_OF_TIME_MS = 500_000;
