import { isSageError, planError } from '../common/errors.ts';
import type { SourceLocation } from '../common/source-location.ts';
import { describeValue, toUserFunction } from '../functions/check-user-function.ts';
import { isClass } from '../functions/class-detection.ts';
import { Expression } from '../functions/expressions/expression.ts';
import type { AnyExpression } from '../functions/expressions/expression-types.ts';
import { compileFieldPath, type FieldPath } from '../functions/field-path.ts';
import { KeyByFunction } from '../functions/key-by-function.ts';
import type { UserFunction } from '../functions/user-function.ts';
import type { KeyStrategy } from '../transformations/key-by-transformation.ts';

const STRATEGIES: readonly KeyStrategy[] = ['hash', 'broadcast', 'roundRobin'];

/** What selects the key: a function, a class, an object, an expression, or a compiled path. @throws SageError a plan error. */
export function toKeySelector(value: unknown, args: unknown, declaredAt: SourceLocation): UserFunction | FieldPath | AnyExpression {
  if (Expression.is(value)) return value;
  if (typeof value !== 'string') {
    const isExecutable = typeof value === 'object' && value !== null && 'execute' in value;
    if (typeof value !== 'function' && !isExecutable) throw notASelector(value, declaredAt);
    const classArgs = isClass(value) ? checkArgs(args, declaredAt) : [];
    return toUserFunction(value, classArgs, { call: 'keyBy', bases: [KeyByFunction], declaredAt });
  }
  try {
    return compileFieldPath(value);
  } catch (error) {
    if (!isSageError(error)) throw error;
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: `keyBy was given ${describeValue(value)}`,
      expected: "the name of a field, or names joined by dots: 'id', 'user.id'",
      fix: "Write keyBy('id') or keyBy((record) => record.id).",
      found: describeValue(value),
      declaredAt,
    });
  }
}

function notASelector(value: unknown, declaredAt: SourceLocation): Error {
  return planError('SAGE_PLAN_FUNCTION', {
    message: `keyBy was given ${describeValue(value)}`,
    expected: "a function, the path of a field ('id', 'user.id'), a class that extends KeyByFunction, or an object with execute()",
    fix: Array.isArray(value) ? 'For a key of several fields write keyBy((record) => [record.a, record.b]).' : "Write keyBy('id') or keyBy((record) => record.id).",
    found: describeValue(value),
    declaredAt,
  });
}

/** @throws SageError SAGE_PLAN_ARGUMENT for an unknown strategy. */
export function checkStrategy(value: unknown, declaredAt: SourceLocation): KeyStrategy {
  if (value === undefined) return 'hash';
  const strategy = STRATEGIES.find((known) => known === value);
  if (strategy !== undefined) return strategy;
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: `the strategy of keyBy is ${describeValue(value)}`,
    expected: STRATEGIES.map((known) => `'${known}'`).join(', '),
    fix: "Leave it away: 'hash' brings equal keys to the same instance.",
    found: describeValue(value),
    declaredAt,
  });
}

/** Constructor arguments in options: an array. @throws SageError SAGE_PLAN_ARGUMENT */
export function checkArgs(value: unknown, declaredAt: SourceLocation): readonly unknown[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value;
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: `args is ${describeValue(value)}`,
    expected: 'an array with the constructor arguments of the class',
    fix: 'Write { args: [value] }.',
    found: describeValue(value),
    declaredAt,
  });
}
