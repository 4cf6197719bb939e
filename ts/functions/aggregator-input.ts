import { planError, type SageError } from '../common/errors.ts';
import { captureSourceLocation } from '../common/source-location.ts';
import { describeValue } from './check-user-function.ts';
import { Expression } from './expressions/expression.ts';
import type { AnyExpression } from './expressions/expression-types.ts';
import { compileFieldPath, type FieldPath, fieldPathSegments } from './field-path.ts';

/** A public function that makes an aggregator: errors show where the user called it. */
export type AggregatorCall = (...args: never[]) => unknown;

/**
 * What an aggregator reads of each record: a function, an expression, or a path taken apart.
 *
 * @throws SageError SAGE_PLAN_ARGUMENT for anything else, with the user's line.
 */
export function aggregatorInput<T>(name: string, input: unknown, call: AggregatorCall): FieldPath | AnyExpression | ((record: T) => unknown) {
  if (Expression.is(input)) return input;
  if (typeof input === 'function') return input as (record: T) => unknown;
  if (typeof input === 'string' && fieldPathSegments(input) !== undefined) return compileFieldPath(input);
  throw wrongInput(name, input, call);
}

function wrongInput(name: string, input: unknown, call: AggregatorCall): SageError {
  const found = describeValue(input);
  const what = name === 'topN' ? '10, ' : '';
  return planError('SAGE_PLAN_ARGUMENT', {
    message: input === undefined ? `${name}() needs to know what to aggregate` : `${name} was given ${found}`,
    expected: "the path of a field ('price', 'user.age'), an expression or a function of the record",
    found,
    fix: `Write ${name}(${what}'price') or ${name}(${what}(record) => record.price).`,
    declaredAt: captureSourceLocation(call),
  });
}
