import { isBuiltinAggregator } from '../functions/aggregator.ts';
import { Expression } from '../functions/expressions/expression.ts';
import type { ExpressionNode } from '../functions/expressions/expression-node.ts';
import type { UserFunction } from '../functions/user-function.ts';
import type { StageOp } from './physical-plan.ts';

/** Whether a filter is one by an expression. */
export function isExpressionNode(fn: UserFunction | ExpressionNode): fn is ExpressionNode {
  return 'kind' in fn;
}

/** The expressions of a node, by the places under which generated code knows them: of an aggregate, those of its aggregators. */
export function expressionsOf(op: StageOp): readonly (ExpressionNode | undefined)[] {
  switch (op.kind) {
    case 'filter':
      return isExpressionNode(op.fn) ? [op.fn] : [];
    case 'select':
      return op.columns.map(([, expression]) => Expression.nodeOf(expression));
    case 'keyBy':
      return Expression.is(op.selector) ? [Expression.nodeOf(op.selector)] : [];
    case 'aggregate':
    case 'extract':
      return Object.values(op.spec).map((aggregator) =>
        isBuiltinAggregator(aggregator) && Expression.is(aggregator.input) ? Expression.nodeOf(aggregator.input) : undefined,
      );
    default:
      return [];
  }
}
