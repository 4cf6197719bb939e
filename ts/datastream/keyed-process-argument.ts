import { planError } from '../common/errors.ts';
import type { SourceLocation } from '../common/source-location.ts';
import { describeValue, toUserFunction } from '../functions/check-user-function.ts';
import { KeyedProcessFunction } from '../functions/keyed-process-function.ts';
import { ProcessFunction } from '../functions/process-function.ts';
import type { BaseTransformation } from '../transformations/base-transformation.ts';
import { KeyedProcessTransformation } from '../transformations/keyed-process-transformation.ts';
import { ProcessTransformation } from '../transformations/process-transformation.ts';
import { checkKeyedState } from './plan-checks.ts';

/** What `process` of one stream was given. @throws SageError SAGE_PLAN_FUNCTION; SAGE_PLAN_NOT_KEYED, SAGE_PLAN_KEY_STRATEGY */
export function toProcess(input: BaseTransformation, value: unknown, args: readonly unknown[], declaredAt: SourceLocation): BaseTransformation {
  const isKeyed = extendsBase(value, KeyedProcessFunction);
  if (isKeyed) checkKeyed(input, value, 'a KeyedProcessFunction', declaredAt);
  const fn = toUserFunction(value, args, { call: 'process', bases: [isKeyed ? KeyedProcessFunction : ProcessFunction], needsBase: true, declaredAt });
  return isKeyed ? new KeyedProcessTransformation([input], fn, 'one', declaredAt) : new ProcessTransformation(input, fn, declaredAt);
}

/** Whether it is a class that extends another one, or is that, or an object of it. */
export function extendsBase(value: unknown, base: abstract new (...args: never[]) => object): boolean {
  return value instanceof base || (typeof value === 'function' && value.prototype instanceof base) || value === base;
}

/** @throws SageError SAGE_PLAN_NOT_KEYED without a key, SAGE_PLAN_KEY_STRATEGY where a key is not at one instance. */
export function checkKeyed(input: BaseTransformation, fn: unknown, what: string, declaredAt: SourceLocation): void {
  checkKeyedState(input, 'process', declaredAt);
  if (input.keyedBy !== undefined) return;
  throw planError('SAGE_PLAN_NOT_KEYED', {
    message: `process was given ${describeValue(fn)}, ${what}, on a stream without a key`,
    expected: 'a keyed stream: state and timers belong to a key',
    found: `'${input.name}', whose records have no key`,
    fix: 'Call keyBy before it: stream.keyBy((record) => record.id).process(Class).',
    declaredAt,
  });
}
