import { planError } from '../../common/errors.ts';
import { captureSourceLocation } from '../../common/source-location.ts';
import { describeValue } from '../check-user-function.ts';
import type { CallNode, ExpressionNode, LiteralNode } from './expression-node.ts';
import { expressionText } from './expression-text.ts';
import { OPERATIONS, type Operation, type OperationName, operandKind } from './operation.ts';
import { kindOf } from './scalar-operation.ts';

/** The public call that an error should point behind. */
export type PublicCall = (...args: never[]) => unknown;

/** A constant. @throws SageError SAGE_PLAN_ARGUMENT for what is none. */
export function literalNode(value: unknown, call: PublicCall): LiteralNode {
  if (value instanceof Date) return { kind: 'literal', value: new Date(value) };
  const kind = kindOf(value);
  if (value === null || kind === 'number' || kind === 'string' || kind === 'boolean') return { kind: 'literal', value: value as LiteralNode['value'] };
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: `an expression was given ${describeValue(value)}`,
    expected: 'an expression, or a constant: a number, string, boolean, Date or null',
    found: describeValue(value),
    fix: typeof value === 'function' ? 'Write it with col(...), or give the function to map or filter themselves.' : "Name a field with col('price').",
    declaredAt: captureSourceLocation(call),
  });
}

/**
 * One operation, after a look at what is known of its operands.
 *
 * @throws SageError SAGE_PLAN_ARGUMENT when an operand can never be what the operation needs.
 */
export function callNode(operation: OperationName, operands: readonly ExpressionNode[], call: PublicCall): CallNode {
  const node: CallNode = { kind: 'call', operation, operands };
  let comparable: string | undefined;
  operands.forEach((operand, place) => {
    const needed = operandKind(operation, place);
    const kind = knownKind(operand);
    if (kind === undefined || needed === 'any') return;
    if (kind === 'null') {
      if (needed === 'comparable') throw comparedWithNull(node, call);
      throw wrongOperand(node, place, kind, needed, call);
    }
    if (needed === 'comparable' ? comparable !== undefined && comparable !== kind : needed !== kind) {
      throw wrongOperand(node, place, kind, comparable ?? needed, call);
    }
    if (needed === 'comparable') comparable = kind;
  });
  return node;
}

/** The kind that a value of the expression always has, if it has one. */
function knownKind(node: ExpressionNode): string | undefined {
  if (node.kind === 'column') return undefined;
  if (node.kind === 'literal') return kindOf(node.value);
  const { result }: Operation = OPERATIONS[node.operation];
  return result === 'any' ? undefined : result;
}

function comparedWithNull(node: CallNode, call: PublicCall): Error {
  return planError('SAGE_PLAN_ARGUMENT', {
    message: `${expressionText(node)} compares with null, which gives null for every record`,
    expected: 'a value to compare with',
    found: 'null',
    fix: `Write ${expressionText(node.operands[0]!)}.isNull(), or .isNull().not().`,
    declaredAt: captureSourceLocation(call),
  });
}

function wrongOperand(node: CallNode, place: number, kind: string, needed: string, call: PublicCall): Error {
  const casts: Readonly<Record<string, string>> = { number: 'toNumber', string: 'toString', boolean: 'toBoolean', date: 'toDate' };
  const cast = casts[needed];
  return planError('SAGE_PLAN_ARGUMENT', {
    message: `${expressionText(node.operands[place]!)} is a ${kind}, and ${expressionText(node)} needs a ${needed}`,
    expected: `a ${needed}`,
    found: `a ${kind}`,
    fix: cast === undefined || kind === 'null' ? 'Use a value of the right type.' : `Convert it with .${cast}(), or use a field of the right type.`,
    declaredAt: captureSourceLocation(call),
  });
}
