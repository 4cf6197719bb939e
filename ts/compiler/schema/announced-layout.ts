import type { EdgeEncoding } from '../layout/infer-layout.ts';
import type { LayoutNode } from '../layout/layout.ts';
import type { LogicalOperator, LogicalPlan } from '../logical-plan.ts';
import { ValidateTransformation } from '../../transformations/validate-transformation.ts';
import { schemaLayout } from './schema-layout.ts';

/** The columns that a schema has announced for the records of an operator, if nothing has made other records of them. */
export function announcedLayout(plan: LogicalPlan, operator: LogicalOperator, encoding: EdgeEncoding): LayoutNode | undefined {
  let from: LogicalOperator | undefined = operator;
  while (from !== undefined && (from.kind === 'filter' || from.kind === 'keyBy')) {
    const [input] = from.inputs as [number];
    from = plan.operators.find(({ id }) => id === input);
  }
  return from?.transformation instanceof ValidateTransformation ? schemaLayout(from.transformation.schema, encoding) : undefined;
}
