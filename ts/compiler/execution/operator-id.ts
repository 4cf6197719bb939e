import type { LogicalOperator } from '../logical-plan.ts';

/** What a checkpoint knows an operator by: its uid, or its name where it has none. Both are unique in a pipeline. */
export function operatorId({ uid, name }: Pick<LogicalOperator, 'uid' | 'name'>): string {
  return uid ?? `name:${name}`;
}
