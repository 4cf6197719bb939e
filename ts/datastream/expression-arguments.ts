import { planError } from '../common/errors.ts';
import type { SourceLocation } from '../common/source-location.ts';
import { describeValue } from '../functions/check-user-function.ts';
import { Expression } from '../functions/expressions/expression.ts';
import type { AnyExpression } from '../functions/expressions/expression-types.ts';
import type { LiteralValue } from '../functions/expressions/expression-node.ts';
import type { NamedExpressions } from '../functions/expressions/linked-record.ts';
import { literalNode } from '../functions/expressions/make-call.ts';

/** @throws SageError SAGE_PLAN_ARGUMENT unless it is one object of expressions with at least one name, or names of fields. */
export function checkColumns(columns: readonly unknown[], declaredAt: SourceLocation): NamedExpressions {
  const example = "Write select({ item: col('item'), total: col('price').mul(col('count')) }), or select('item', 'price').";
  const [first] = columns;
  if (columns.length > 0 && columns.every((name) => typeof name === 'string' && name !== '')) {
    return [...new Set(columns as readonly string[])].map((name) => [name, fieldOf(name)]);
  }
  if (columns.length !== 1 || typeof first !== 'object' || first === null || Array.isArray(first) || Expression.is(first) || Object.keys(first).length === 0) {
    const isEmpty = typeof first === 'object' && first !== null && !Expression.is(first) && Object.keys(first).length === 0;
    const found = columns.length === 0 ? 'nothing' : columns.length > 1 ? columns.map(describeValue).join(', ') : isEmpty ? 'an empty object' : describeValue(first);
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: `select was given ${found}`,
      expected: 'an object with an expression for each field, or names of fields',
      found,
      fix: example,
      declaredAt,
    });
  }
  return Object.entries(first).map(([name, expression]) => [name, checkExpression(expression, `'${name}' of select`, example, declaredAt)]);
}

/** The record's own field of that name, dots and all. */
function fieldOf(name: string): AnyExpression {
  return new Expression({ kind: 'column', path: { form: 'path', path: name, segments: [name] } });
}

/** @throws SageError SAGE_PLAN_ARGUMENT unless it is the name of a field and an expression. */
export function checkColumnName(name: unknown, expression: unknown, declaredAt: SourceLocation): NamedExpressions[number] {
  const example = "Write withColumn('total', col('price').mul(col('count'))).";
  if (typeof name !== 'string' || name === '') {
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: `withColumn was given ${describeValue(name)} as the name of a field`,
      expected: 'a text that is not empty',
      found: describeValue(name),
      fix: example,
      declaredAt,
    });
  }
  if (isConstant(expression)) return [name, new Expression(literalNode(expression, checkColumnName))];
  return [name, checkExpression(expression, 'the expression of withColumn', example, declaredAt)];
}

function checkExpression(value: unknown, what: string, example: string, declaredAt: SourceLocation): AnyExpression {
  if (Expression.is(value)) return value;
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: `${what} is ${describeValue(value)}`,
    expected: 'an expression made by col, lit or cond',
    found: describeValue(value),
    fix: typeof value === 'function' ? 'Use map for a function.' : isConstant(value) ? 'Write lit(...) around a constant.' : example,
    declaredAt,
  });
}

function isConstant(value: unknown): value is LiteralValue {
  return value === null || typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean' || value instanceof Date;
}
