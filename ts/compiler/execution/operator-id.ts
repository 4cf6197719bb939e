import type { LogicalOperator } from '../logical-plan.ts';

/** Under what the state of an operator is found again in a checkpoint: the `uid` that the user gave, else its name, which no other operator of the plan has. */
export function operatorId({ uid, name }: Pick<LogicalOperator, 'uid' | 'name'>): string {
  return uid ?? `name:${name}`;
}
