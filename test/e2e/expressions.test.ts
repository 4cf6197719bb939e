import { describe, expect, it } from 'vitest';
import { col, LocalEnvironment } from '../../ts/index.ts';
import { testExpressions } from './expressions.cases.ts';

describe('expressions', testExpressions);

it('refuses what is no expression where it is written', () => {
  const stream = new LocalEnvironment('mistakes').fromCollection([{ id: 1 }]);
  const mistakes: readonly (readonly [() => unknown, message: string])[] = [
    [() => stream.select({} as never), 'select was given an empty object'],
    [() => stream.select({ a: 5 as never }), "'a' of select is the number 5"],
    [() => stream.select({ a: (() => 5) as never }), "'a' of select is"],
    [() => stream.select(col('id') as never), 'select was given an object (Expression)'],
    [() => stream.withColumn('', col('id')), 'withColumn was given the string ""'],
    [() => stream.withColumn('a', {} as never), 'the expression of withColumn is an empty object'],
  ];
  for (const [make, message] of mistakes) {
    expect(make).toThrow(expect.objectContaining({ code: 'SAGE_PLAN_ARGUMENT', message: expect.stringContaining(message) as string }));
  }
});
