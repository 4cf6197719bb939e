import { basename } from 'node:path';
import type { LogicalOperator, LogicalPlan, OptimisedPlan } from '../logical-plan.ts';
import { operatorsById } from '../logical/plan-edges.ts';
import { describeWork } from './describe-work.ts';

/** The logical plan as text: each operator with what it does, its input, and its parallelism with the reason. */
export function explainLogical(plan: LogicalPlan): string {
  return ['Logical plan', ...operatorLines(plan)].join('\n');
}

/** What the optimiser did, and the plan that came of it. */
export function explainOptimised(plan: OptimisedPlan): string {
  if (plan.applied.length === 0) return 'Optimised plan\n  no rule applies: the logical plan is kept';
  return [
    'Optimised plan',
    ...plan.applied.map(({ rule, what }) => `  ${rule}: ${what}`),
    ...operatorLines(plan),
  ].join('\n');
}

function operatorLines(plan: LogicalPlan): string[] {
  const byId = operatorsById(plan);
  return plan.operators.flatMap((operator) => {
    const { id, kind, name, inputs } = operator;
    const from = inputs.map((input) => `'${byId.get(input)!.name}'`).join(', ');
    const work = describeWork(operator);
    return [
      `  [${id}] ${kind} '${name}'${from === '' ? '' : ` <- ${from}`}${work === '' ? '' : `: ${work}`}${place(operator)}`,
      `        ${parallelism(operator)}`,
    ];
  });
}

function place({ transformation: { declaredAt } }: LogicalOperator): string {
  return declaredAt.line === 0 ? '' : `   (${basename(declaredAt.file)}:${declaredAt.line})`;
}

function parallelism({ parallelism, parallelismReason, elastic, region }: LogicalOperator): string {
  const own = `parallelism ${elastic ? `1 of up to ${parallelism}` : parallelism}: ${parallelismReason}`;
  return region === undefined ? own : `${own}; behind it ${region.parallelism}: ${region.reason}`;
}
