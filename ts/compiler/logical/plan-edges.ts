import type { OperatorId } from '../../common/ids.ts';
import type { LogicalOperator, LogicalPlan } from '../logical-plan.ts';

/** A plan's operators by id. */
export function operatorsById(plan: LogicalPlan): ReadonlyMap<OperatorId, LogicalOperator> {
  return new Map(plan.operators.map((operator) => [operator.id, operator]));
}

/**
 * Who takes the records of each operator, in plan order; operators whose records nobody takes have an empty list. A union
 * that names an input twice is listed twice.
 */
export function consumersById(plan: LogicalPlan): ReadonlyMap<OperatorId, readonly LogicalOperator[]> {
  const consumers = new Map<OperatorId, LogicalOperator[]>(plan.operators.map(({ id }) => [id, []]));
  for (const operator of plan.operators) for (const input of operator.inputs) consumers.get(input)!.push(operator);
  return consumers;
}
