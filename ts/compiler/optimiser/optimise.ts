import type { AppliedRule, LogicalPlan, OptimisedPlan } from '../logical-plan.ts';
import { extractAggregateInputs } from './extract-aggregate-inputs.ts';
import { flattenUnions } from './flatten-unions.ts';
import { pushColumns } from './push-columns.ts';
import { removeDeadBranches } from './remove-dead-branches.ts';
import type { OptimiserRule } from './rule.ts';

/** In this order: dead consumers would keep rules from doing their work. */
const RULES: readonly OptimiserRule[] = [removeDeadBranches, flattenUnions, pushColumns, extractAggregateInputs];

/** Applies all rules once, one after the other. */
export function optimise(logical: LogicalPlan, rules: readonly OptimiserRule[] = RULES): OptimisedPlan {
  let plan = logical;
  const applied: AppliedRule[] = [];
  const warnings: string[] = [];
  for (const rule of rules) {
    const rewrite = rule.apply(plan);
    plan = rewrite.plan;
    applied.push(...rewrite.applied.map((one) => ({ rule: rule.name, ...one })));
    warnings.push(...rewrite.warnings);
  }
  return { operators: plan.operators, applied, warnings };
}
