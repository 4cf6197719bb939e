import { planError } from '../common/errors.ts';
import { captureSourceLocation } from '../common/source-location.ts';
import type { UserAggregator } from './aggregator.ts';
import { aggregatorInput, type AggregatorCall } from './aggregator-input.ts';
import { describeValue } from './check-user-function.ts';
import { distinctText } from './distinct-text.ts';
import { evaluatorOf } from './expressions/evaluate-expression.ts';
import { Expression } from './expressions/expression.ts';
import { isFieldPath, readOptionalField } from './field-path.ts';
import type { PathOf, PathTo, PathValue } from './path-types.ts';

/** Distinct values met: primitives as they are, the others by a text of their value. */
export interface DistinctValues {
  /** Met so far, as they are. */
  readonly primitives: Set<unknown>;
  /** Texts of the objects met so far. */
  readonly texts: Set<string>;
}

/** How many different values; objects, arrays, dates, Maps and Sets count by value, -0 is 0 and NaN is NaN. `null` is a value. */
export function countDistinct<T>(input?: PathOf<T> | ((record: T) => unknown)): UserAggregator<T, DistinctValues, number> {
  const read = input === undefined ? whole : reader<T>('countDistinct', input, countDistinct);
  return {
    init: () => ({ primitives: new Set(), texts: new Set() }),
    check(record) {
      const value = read(record);
      if (typeof value === 'object' && value !== null) distinctText(value);
    },
    add(accumulator, record) {
      const value = read(record);
      if (typeof value === 'object' && value !== null) accumulator.texts.add(distinctText(value));
      else accumulator.primitives.add(value);
      return accumulator;
    },
    merge(left, right) {
      for (const value of right.primitives) left.primitives.add(value);
      for (const text of right.texts) left.texts.add(text);
      return left;
    },
    result: ({ primitives, texts }) => primitives.size + texts.size,
  };
}

/** All values in order of arrival, or all records. It holds them all in memory. */
export function collectList<T>(): UserAggregator<T, T[], T[]>;
export function collectList<T, V>(input: (record: T) => V): UserAggregator<T, V[], V[]>;
export function collectList<T, P extends PathOf<T>>(path: P): UserAggregator<T, PathValue<T, P>[], PathValue<T, P>[]>;
export function collectList(
  input?: string | ((record: never) => unknown),
): UserAggregator<never, unknown[], unknown[]> {
  const read = input === undefined ? whole : reader<unknown>('collectList', input, collectList);
  return {
    init: () => [],
    check: (record) => void read(record),
    add(accumulator, record) {
      accumulator.push(read(record));
      return accumulator;
    },
    merge: (left, right) => left.concat(right),
    result: (accumulator) => accumulator.slice(),
  };
}

/** What can be ranked. */
type Rankable = number | bigint | string | Date | null | undefined;

/** A record with the value that it is ranked by. */
export interface Ranked<T> {
  /** By what it is ranked. */
  readonly rank: number | bigint | string;
  /** The record itself. */
  readonly record: T;
}

/**
 * The `n` records with the largest value at `by`, largest first; the earlier record wins a tie. Records whose value is
 * `null`, `undefined`, missing or NaN are left out.
 *
 * @param n how many, at least 1.
 */
export function topN<T>(n: number, by: PathTo<T, Rankable> | ((record: T) => Rankable)): UserAggregator<T, Ranked<T>[], T[]> {
  if (!Number.isInteger(n) || n < 1) {
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: `topN cannot keep ${typeof n === 'number' ? String(n) : describeValue(n)} records`,
      expected: 'a whole number from 1 and what to rank by',
      found: describeValue(n),
      fix: "Write topN(10, 'price').",
      declaredAt: captureSourceLocation(topN),
    });
  }
  const read = reader<T>('topN', by, topN);
  const insert = (top: Ranked<T>[], candidate: Ranked<T>): void => {
    if (top.length === n && !(candidate.rank > top[n - 1]!.rank)) return;
    let low = 0;
    for (let high = top.length; low < high; ) {
      const middle = (low + high) >>> 1;
      if (candidate.rank > top[middle]!.rank) high = middle;
      else low = middle + 1;
    }
    top.splice(low, 0, candidate);
    if (top.length > n) top.pop();
  };
  return {
    init: () => [],
    check: (record) => void read(record),
    add(accumulator, record) {
      const value = read(record);
      const rank = value instanceof Date ? value.getTime() : value;
      if (typeof rank === 'string' || typeof rank === 'bigint' || (typeof rank === 'number' && !Number.isNaN(rank))) {
        insert(accumulator, { rank, record });
      }
      return accumulator;
    },
    merge(left, right) {
      for (const candidate of right) insert(left, candidate);
      return left;
    },
    result: (accumulator) => accumulator.map(({ record }) => record),
  };
}

function whole<T>(record: T): T {
  return record;
}

function reader<T>(name: string, input: unknown, call: AggregatorCall): (record: T) => unknown {
  const read = aggregatorInput<T>(name, input, call);
  if (Expression.is(read)) return evaluatorOf(read);
  return isFieldPath(read) ? (record) => readOptionalField(read, record) : read;
}
