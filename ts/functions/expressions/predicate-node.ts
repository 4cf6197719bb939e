import type { AnyExpression } from './expression-types.ts';
import { Expression } from './expression.ts';
import type { ExpressionNode } from './expression-node.ts';
import { OPERATIONS, type Operation } from './operation.ts';

/** What a filter evaluates: true, false or null for each record, where the expression itself may give something else. */
export function predicateNode(expression: AnyExpression): ExpressionNode {
  const node = Expression.nodeOf(expression);
  const { result }: Operation = node.kind === 'call' ? OPERATIONS[node.operation] : OPERATIONS.coalesce;
  return result === 'boolean' ? node : { kind: 'call', operation: 'filter', operands: [node] };
}
