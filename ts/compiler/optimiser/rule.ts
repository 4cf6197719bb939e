import type { AppliedRule, LogicalPlan } from '../logical-plan.ts';

/** What a rule made of a plan. */
export interface Rewrite {
  readonly plan: LogicalPlan;
  readonly applied: readonly Omit<AppliedRule, 'rule'>[];
  /** What the user should know about it. */
  readonly warnings: readonly string[];
}

/** One way to make a plan better without changing its results. Pure: the same plan gives the same rewrite. */
export interface OptimiserRule {
  /** As `explain` prints it. */
  readonly name: string;
  apply(plan: LogicalPlan): Rewrite;
}

/** The rewrite of a rule that found nothing to do. */
export function unchanged(plan: LogicalPlan): Rewrite {
  return { plan, applied: [], warnings: [] };
}
