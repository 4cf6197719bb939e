import { planError } from '../common/errors.ts';
import type { SourceLocation } from '../common/source-location.ts';
import { describeValue } from '../functions/check-user-function.ts';
import { KeyedProcessFunction } from '../functions/keyed-process-function.ts';
import type { BaseTransformation } from '../transformations/base-transformation.ts';
import { checkKeyedState } from './plan-checks.ts';

/** Whether `process` was given a class that extends `KeyedProcessFunction`, or an object of one. */
export function isKeyedProcess(value: unknown): boolean {
  return value instanceof KeyedProcessFunction || (typeof value === 'function' && value.prototype instanceof KeyedProcessFunction) || value === KeyedProcessFunction;
}

/** @throws SageError SAGE_PLAN_NOT_KEYED without a key, SAGE_PLAN_KEY_STRATEGY where a key is not at one instance. */
export function checkKeyed(input: BaseTransformation, fn: unknown, declaredAt: SourceLocation): void {
  checkKeyedState(input, 'process', declaredAt);
  if (input.keyedBy !== undefined) return;
  throw planError('SAGE_PLAN_NOT_KEYED', {
    message: `process was given ${describeValue(fn)}, a KeyedProcessFunction, on a stream without a key`,
    expected: 'a keyed stream: state and timers belong to a key',
    found: `'${input.name}', whose records have no key`,
    fix: 'Call keyBy before it: stream.keyBy((record) => record.id).process(Class).',
    declaredAt,
  });
}
