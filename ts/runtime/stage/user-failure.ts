import { inspect } from 'node:util';

import { atOperator, type ErrorCode, type OperatorErrorOptions, SageError, coreError, operatorError } from '../../common/errors.ts';
import { isFieldPath, readField } from '../../functions/field-path.ts';
import { recordWithin } from '../../functions/timestamped.ts';
import { specOf } from '../../compiler/codegen/aggregates.ts';
import { isBuiltinAggregator } from '../../functions/aggregator.ts';
import { type Stage, type StageNode, failingOperator } from '../../compiler/physical-plan.ts';
import { type FailureReporter, NO_RECORD } from './stage-control.ts';

/** Code of an error that the user's function of this kind of operator threw. */
function codeOf(node: StageNode, how: 'threw' | 'rejected'): ErrorCode {
  switch (node.op.kind) {
    case 'source':
      return 'SAGE_USER_SOURCE';
    case 'sink':
      return 'SAGE_USER_SINK';
    default:
      return how === 'rejected' ? 'SAGE_USER_REJECTED' : 'SAGE_USER_THREW';
  }
}

/** User code can set anything as the message of an error. */
function messageOf(error: Error): string {
  return textOf(() => error.message);
}

function textOf(read: () => unknown): string {
  try {
    const text = read();
    return typeof text === 'object' ? inspect(text, { depth: 0 }) : String(text);
  } catch {
    return '(cannot be read)';
  }
}

function reason(error: unknown): string {
  if (error instanceof Error) return `${textOf(() => error.name)}: ${messageOf(error)}`;
  // Anything can be thrown, also what has no text of its own.
  return typeof error === 'object' ? inspect(error, { depth: 0 }) : String(error);
}

/** Turns what happened in an operator into the job's error: with its name, the user's line and the record. */
export function failureReporter(stage: Stage): FailureReporter {
  const operatorOf = (id: number): StageNode => stage.nodes[id] ?? stage.nodes[0]!;
  const whereabouts = (id: number, record: unknown): OperatorErrorOptions => {
    const node = operatorOf(id);
    const failing = failingOperator(node);
    const { declaredAt } = node.operator.transformation;
    const where =
      failing.transformation === node.operator.transformation
        ? { operator: failing.name, declaredAt }
        : { operator: failing.name, declaredAt: failing.transformation.declaredAt, related: [{ what: `the record comes from '${node.operator.name}'`, declaredAt }] };
    return record === NO_RECORD ? where : { ...where, record: recordWithin(record) };
  };
  /** A value that is no key is found where the key is used: the keyBy gave it. */
  const keyPlace = (id: number, record: unknown): OperatorErrorOptions => {
    const { transformation } = operatorOf(id).operator;
    const keyBy = transformation.inputs[0]?.keyedBy;
    const where = whereabouts(id, record);
    if (transformation.kind === 'keyBy' || keyBy === undefined) return where;
    return { ...where, operator: keyBy.name, declaredAt: keyBy.declaredAt, related: [{ what: `'${transformation.name}', which takes the key`, declaredAt: transformation.declaredAt }] };
  };
  return {
    failed(thrown, id, record, how = 'threw') {
      const where = whereabouts(id, record);
      const error = coreError(thrown) ?? thrown;
      if (error instanceof SageError) {
        // Errors that already know their operator come from a chain below; ours of the codec do not.
        return atOperator(error, error.code === 'SAGE_KEY_UNSUPPORTED' ? keyPlace(id, record) : where);
      }
      const node = operatorOf(id);
      const code = error instanceof TypeError && messageOf(error).startsWith('flatMap must return') ? 'SAGE_USER_WRONG_TYPE' : codeOf(node, how);
      return operatorError(code, `operator '${where.operator}' failed: ${reason(error)}`, { ...where, cause: error });
    },
    checkKey(id, record) {
      const { op } = operatorOf(id);
      if (op.kind !== 'keyBy' || !isFieldPath(op.selector)) return;
      readField(op.selector, record);
    },
    badInput(id, index, input, record) {
      const { op } = operatorOf(id);
      const [name, aggregator] = Object.entries(specOf(op))[index] ?? ['', undefined];
      const kind = isBuiltinAggregator(aggregator) ? aggregator.name : 'aggregate';
      throw operatorError(
        'SAGE_AGGREGATE_INPUT',
        `'${name}: ${kind}(...)' needs numbers; a record gave ${typeof input === 'object' ? 'an object' : `the ${typeof input} ${String(input)}`}`,
        whereabouts(id, record),
      );
    },
  };
}
