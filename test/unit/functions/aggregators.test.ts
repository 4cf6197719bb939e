import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isBuiltinAggregator, isUserAggregator, type UserAggregator } from '../../../ts/functions/aggregator.ts';
import { avg, count, first, last, max, min, sum } from '../../../ts/functions/builtin-aggregators.ts';
import { collectList, countDistinct, topN } from '../../../ts/functions/collecting-aggregators.ts';

interface Row {
  readonly id: number;
  readonly value?: unknown;
}

/** Runs an aggregator over records, in one piece and in two merged pieces, which must agree. */
function run<A, R>(aggregator: UserAggregator<Row, A, R>, rows: readonly Row[]): R {
  const add = (part: readonly Row[]): A => part.reduce((a, row) => aggregator.add(a, row) as A, aggregator.init());
  const whole = aggregator.result(add(rows));
  const middle = rows.length >> 1;
  const merged = aggregator.result(aggregator.merge!(add(rows.slice(0, middle)), add(rows.slice(middle))));
  expect(merged).toEqual(whole);
  return whole;
}

const rows = (...values: unknown[]): Row[] => values.map((value, id) => ({ id, value }));

test('built-in aggregators are descriptions: a name and an input', () => {
  const fn = (row: Row) => row.id;
  expect(count()).toEqual({ kind: 'builtin', name: 'count', input: undefined });
  expect(sum<Row>('id')).toMatchObject({ name: 'sum', input: { path: 'id', segments: ['id'] } });
  expect(avg(fn)).toMatchObject({ name: 'avg', input: fn });
  expect([min<Row>('id'), max<Row>('id'), first<Row, 'id'>('id'), last<Row, 'id'>('id')].map(({ name }) => name)).toEqual(['min', 'max', 'first', 'last']);
  expect(isBuiltinAggregator(count())).toBe(true);
  expect(isBuiltinAggregator(collectList())).toBe(false);
  expect(isUserAggregator(collectList())).toBe(true);
  expect(isUserAggregator({ init: 0, add() {}, result() {} })).toBe(false);
});

test('an aggregator without what it aggregates is refused', () => {
  for (const make of [sum, avg, min, max, first, last]) {
    expect(() => (make as unknown as () => void)()).toThrow(expect.objectContaining({ code: 'SAGE_PLAN_ARGUMENT' }));
  }
});

test('countDistinct counts by value', () => {
  const values = [1, 1, '1', true, null, null, undefined, 0, -0, Number.NaN, Number.NaN, 10n, 10n];
  expect(run(countDistinct<Row>('value'), rows(...values))).toBe(8);
  const objects = [{ a: 1, b: [2] }, { b: [2], a: 1 }, { a: 1, b: ['2'] }, new Date(5), new Date(5), [1, 2], [1, 2], ['1,2']];
  expect(run(countDistinct<Row>((row) => row.value), rows(...objects))).toBe(5);
  expect(run(countDistinct<Row>(), rows(1, 1))).toBe(2);
});

test('countDistinct tells Maps, Sets, typed arrays, patterns and errors by what is in them', () => {
  const pairs: [unknown, unknown][] = [
    [new Map([[1, { a: 1 }], [2, { a: 2 }]]), new Map([[2, { a: 2 }], [1, { a: 1 }]])],
    [new Set(['a', 'b']), new Set(['b', 'a'])],
    [new Set(['a']), new Set(['a'])],
    [/a/g, /a/g],
    [/a/, /a/],
    [new Uint8Array([1]), new Uint8Array([1])],
    [new Int8Array([1]), new Int8Array([1])],
    [new RangeError('x'), new RangeError('x')],
    [new Error('x'), new Error('x')],
    [[1], [1]],
    [{ 0: 1 }, { 0: 1 }],
    [new Map(), new Map()],
    [new Set(), new Set()],
    [{}, {}],
  ];
  expect(run(countDistinct<Row>('value'), rows(...pairs.flat()))).toBe(pairs.length);
});

test('countDistinct refuses a value that contains itself, and takes one that is there twice', () => {
  const shared = { a: 1 };
  expect(run(countDistinct<Row>('value'), rows([shared, shared], [{ a: 1 }, { a: 1 }]))).toBe(1);
  const cycle: unknown[] = [];
  cycle.push([cycle]);
  expect(() => run(countDistinct<Row>('value'), rows(cycle))).toThrow(expect.objectContaining({ code: 'SAGE_USER_WRONG_TYPE' }));
});

test('collectList keeps order, and nulls', () => {
  expect(run(collectList((row: Row) => row.value), rows(3, null, 1))).toEqual([3, null, 1]);
  expect(run(collectList<Row>(), rows('x'))).toEqual([{ id: 0, value: 'x' }]);
});

test('topN gives the largest first, the earlier of equals first, and leaves out what has no rank', () => {
  const ids = (n: number, ...values: unknown[]) => run(topN<Row>(n, (row) => row.value as number), rows(...values)).map(({ id }) => id);
  expect(ids(2, 5, 9, 7)).toEqual([1, 2]);
  expect(ids(3, 5, 5, 5, 5)).toEqual([0, 1, 2]);
  expect(ids(5, null, 1, undefined, Number.NaN, 2)).toEqual([4, 1]);
  expect(ids(1)).toEqual([]);
  expect(ids(2, new Date(1), new Date(3), new Date(2))).toEqual([1, 2]);
  expect(ids(1, 'a', 'c', 'b')).toEqual([1]);
});

test.each([0, -1, 1.5, Number.NaN, '3'])('topN cannot keep %s records', (n) => {
  expect(() => topN<Row>(n as number, 'id')).toThrow(expect.objectContaining({ code: 'SAGE_PLAN_ARGUMENT' }));
});

test('topN of any values agrees with a stable sort', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 })), fc.integer({ min: 1, max: 9 }), (values, n) => {
      const input = rows(...values);
      const sorted = input.toSorted((a, b) => (b.value as number) - (a.value as number));
      expect(run(topN<Row>(n, (row) => row.value as number), input)).toEqual(sorted.slice(0, n));
    }),
  );
});

test('countDistinct of any values agrees with comparing them one by one', () => {
  fc.assert(
    fc.property(fc.array(fc.json({ maxDepth: 2 })), (texts) => {
      const values = texts.map((text) => JSON.parse(text) as unknown);
      const distinct = values.filter((value, index) => values.findIndex((other) => isDeepStrictEqual(other, value)) === index);
      expect(run(countDistinct<Row>('value'), rows(...values))).toBe(distinct.length);
    }),
  );
});
