import { planError } from '../common/errors.ts';
import type { SourceLocation } from '../common/source-location.ts';
import { Expression } from '../functions/expressions/expression.ts';
import type { UserFunction } from '../functions/user-function.ts';
import type { BaseTransformation } from '../transformations/base-transformation.ts';
import type { Transformation } from '../transformations/transformation.ts';
import { WindowTransformation } from '../transformations/window-transformation.ts';

/** The operator that gives records to a side output: the windows before a map or process of them, for late records. */
export function outputGiver(operator: BaseTransformation, tag: string): BaseTransformation {
  const [before] = operator.inputs;
  return before instanceof WindowTransformation && before.settings.lateTag === tag ? before : operator;
}

/** @throws SageError SAGE_PLAN_ARGUMENT when the operator gives nothing to this side output: it has no function class, which could call `output`, and no late records. */
export function checkHasOutputs(operator: BaseTransformation, tag: string, declaredAt: SourceLocation): void {
  if (operator instanceof WindowTransformation) {
    if (operator.settings.lateTag !== tag) throw otherThanLate(operator, tag, declaredAt);
    return;
  }
  const fn = functionWithOutputs(operator as Transformation);
  if (fn !== undefined && fn.form !== 'lambda') return;
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: `sideOutput was called on '${operator.name}', which has no side outputs`,
    expected: 'an operator with a function class that calls this.output(tag, record)',
    fix: 'Call sideOutput right behind map, filter, flatMap, process, comap, join, route or sink of such a class.',
    declaredAt,
    operator: operator.name,
  });
}

/** Windows have one side output at most, of late records. */
function otherThanLate({ name, settings: { lateTag } }: WindowTransformation, tag: string, declaredAt: SourceLocation): Error {
  const has = lateTag === undefined ? 'no side outputs' : `one side output, '${lateTag}' of lateTo`;
  return planError('SAGE_PLAN_ARGUMENT', {
    message: `sideOutput('${tag}') was called on '${name}', which has ${has}`,
    expected: lateTag === undefined ? 'lateTo(tag) before the result of the windows' : `sideOutput('${lateTag}')`,
    found: `'${tag}'`,
    fix: `Write window(...).lateTo('${tag}') for the records that are late.`,
    declaredAt,
    operator: name,
  });
}

/** Calls of a mapAsync that are in flight at the same time could not be told apart. */
function functionWithOutputs(transformation: Transformation): UserFunction | undefined {
  switch (transformation.kind) {
    case 'filter':
      return Expression.is(transformation.fn) ? undefined : transformation.fn;
    case 'map':
    case 'flatMap':
    case 'process':
    case 'join':
    case 'keyedProcess':
    case 'broadcastProcess':
      return transformation.fn;
    case 'comap':
      return transformation.handlers.form === 'methods' ? transformation.handlers.fn : undefined;
    case 'route':
      return transformation.router;
    case 'sink':
      return transformation.sink.form === 'function' ? transformation.sink.fn : undefined;
    default:
      return undefined;
  }
}
