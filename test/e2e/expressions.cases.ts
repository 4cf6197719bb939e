// What operators by expressions do; run with generated code, and without.
import { expect, it } from 'vitest';
import { col, cond, count, isSageError, lit, LocalEnvironment, sum } from '../../ts/index.ts';

const orders = [
  { id: 1, item: 'pen', price: 5, count: 3, at: new Date('2024-05-01T10:00:00Z'), customer: { city: 'Oslo' } },
  { id: 2, item: 'ink', price: 9, count: null, at: new Date('2024-05-01T23:00:00Z'), customer: null },
  { id: 3, item: 'cup', price: 12, count: 1, at: new Date('2024-05-02T01:00:00Z'), customer: { city: 'Rome' } },
];

/** Tests of one form. */
export function testExpressions(): void {
  it('make new records, beside lambdas', async () => {
    const env = new LocalEnvironment('select');
    const made: unknown[] = [];
    env
      .fromCollection(orders)
      .filter((order) => order.id > 0)
      .filter(col('price').lt(10).or(col('count').gt(0)))
      .select({ id: col('id'), total: col('price').mul(col('count')), day: col('at').truncate('day'), city: col('customer.city').coalesce('nowhere'), kind: cond(col('price').ge(10), 'dear', lit('cheap')) })
      .withColumn('id', col('id').neg())
      .map((record) => ({ ...record, mapped: true }))
      .sink(made);

    await env.submit({ autostop: true });

    expect(made).toStrictEqual([
      { id: -1, total: 15, day: new Date('2024-05-01'), city: 'Oslo', kind: 'cheap', mapped: true },
      { id: -2, total: null, day: new Date('2024-05-01'), city: 'nowhere', kind: 'cheap', mapped: true },
      { id: -3, total: 12, day: new Date('2024-05-02'), city: 'Rome', kind: 'dear', mapped: true },
    ]);
  });

  it('give keys, null too, and inputs of aggregates', async () => {
    const env = new LocalEnvironment('keys');
    const results: unknown[] = [];
    env.fromCollection(orders).keyBy(col('customer.city').isNull()).aggregate({ n: count(), total: sum(col('price').mul(2)) }).sink(results);
    env.fromCollection(orders).keyBy(col('count')).reduce((a) => a).map(({ count }) => count).sink(results as unknown[]);

    await env.submit({ autostop: true });

    expect(results).toStrictEqual(expect.arrayContaining([{ key: false, n: 2, total: 34 }, { key: true, n: 1, total: 18 }, 3, null, 1]));
    expect(results).toHaveLength(5);
  });

  it('fail at a record, which the policy of the operator decides about', async () => {
    const mixed = [{ price: 1 }, { price: 'two' }, { price: 3 }] as { price: number }[];
    const env = new LocalEnvironment('policies');
    const passed: unknown[] = [];
    const selected: unknown[] = [];
    const letters: unknown[] = [];
    env.fromCollection(mixed).filter(col('price').gt(0)).onError('skip').sink(passed);
    const tried = env.fromCollection(mixed).select({ double: col('price').mul(2) }).named('double').onError('deadLetter');
    tried.sink(selected);
    tried.deadLetters().map(({ record, error }) => ({ record, message: error.message })).sink(letters);

    const { operators } = await env.submit({ autostop: true });

    expect(passed).toStrictEqual([{ price: 1 }, { price: 3 }]);
    expect(selected).toStrictEqual([{ double: 2 }, { double: 6 }]);
    expect(letters).toStrictEqual([{ record: { price: 'two' }, message: 'price is a string, and price * 2 needs a number' }]);
    expect(operators.find(({ name }) => name === 'filter')).toMatchObject({ recordsIn: 3, recordsOut: 2, recordsSkipped: 1, recordsFiltered: 0 });
    expect(operators.find(({ name }) => name === 'double')).toMatchObject({ recordsIn: 3, recordsOut: 2, deadLetters: 1 });
  });

  it('fail the job with the operator, its line and the record', async () => {
    const env = new LocalEnvironment('fails');
    env.fromCollection([{ price: 1 }, { price: 'two' } as unknown as { price: number }]).withColumn('double', col('price').mul(2)).sink([]);

    const error: unknown = await env.submit({ autostop: true }).catch((reason: unknown) => reason);

    expect(isSageError(error, 'SAGE_EXPRESSION_VALUE')).toBe(true);
    expect(error).toMatchObject({
      operator: 'withColumn',
      record: { price: 'two' },
      message: "price is a string, and price * 2 needs a number (operator 'withColumn')",
      declaredAt: { file: expect.stringContaining('expressions.cases.ts') as string },
    });
  });
}
