import { SageError } from '../../common/errors.ts';
import type { AnyExpression } from './expression-types.ts';
import { Expression } from './expression.ts';
import { type Evaluate, linkExpression } from './evaluate-expression.ts';
import { kindOf } from './scalar-operation.ts';

/** Expressions by the names of the fields that they give, in the order of the record. */
export type NamedExpressions = readonly (readonly [name: string, expression: AnyExpression])[];

/** Makes records of these fields, behind those that the record has where `keepsOthers`. */
export function linkRecord(columns: NamedExpressions, keepsOthers: boolean): Evaluate {
  const fields = columns.map(([name, expression]) => [name, linkExpression(Expression.nodeOf(expression))] as const);
  return (record) => {
    const computed = fields.map(([name, evaluate]) => [name, evaluate(record)] as const);
    if (!keepsOthers) return Object.fromEntries(computed);
    checkRecord(record);
    const result = { ...(record as object) };
    for (const [name, value] of computed) Object.defineProperty(result, name, { value, writable: true, enumerable: true, configurable: true });
    return result;
  };
}

/** @throws SageError SAGE_EXPRESSION_VALUE unless a field can be added to the record. */
export function checkRecord(record: unknown): void {
  const kind = kindOf(record);
  if (kind === 'object') return;
  throw new SageError('SAGE_EXPRESSION_VALUE', `the record is ${kind === 'array' ? 'an array' : kind === 'null' ? 'null' : `a ${kind}`}, and withColumn needs an object`);
}
