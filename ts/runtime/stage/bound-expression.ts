import { type CallNode, type ExpressionNode, type LiteralValue, callsOf, datesOf } from '../../functions/expressions/expression-node.ts';
import { type ScalarOperation, scalarOperation } from '../../functions/expressions/scalar-operation.ts';

/** The parts of an expression that generated code cannot write down. */
export interface BoundExpression {
  /** By the places of calls. */
  readonly calls: readonly ScalarOperation[];
  /** Constants that are dates, in the order in which they stand in the expression. */
  readonly dates: readonly LiteralValue[];
  /** For each `in` whether a value is one of its constants, by the places of calls. */
  readonly members: readonly (((value: unknown) => unknown) | undefined)[];
}

/** Binds the parts of an expression. */
export function bindExpression(node: ExpressionNode): BoundExpression {
  const calls = callsOf(node);
  return { calls: calls.map(scalarOperation), dates: datesOf(node).map(({ value }) => value), members: calls.map(membership) };
}

/** As the scalar operation, with a set in place of the list. */
function membership(call: CallNode): ((value: unknown) => unknown) | undefined {
  if (call.operation !== 'in') return undefined;
  const constants = call.operands.slice(1).map((operand) => (operand.kind === 'literal' ? operand.value : null));
  const check = scalarOperation(call);
  const kind = typeof constants[0];
  // NaN equals nothing, but is found in a set.
  const members = new Set<unknown>(constants.filter((constant) => !Number.isNaN(constant)));
  return (value) => (constants.length > 0 && kind !== 'object' && typeof value === kind ? members.has(value) : check(value, ...constants));
}
