import { formatSourceLocation } from '../../common/source-location.ts';
import { outcomeOf } from '../../transformations/error-policy.ts';
import type { LogicalPlan } from '../logical-plan.ts';

/** A warning for each operator that puts failing records aside where nobody looks. */
export function unreadDeadLetters(plan: LogicalPlan): readonly string[] {
  const read = new Set(
    plan.operators.flatMap(({ transformation, inputs }) => (transformation.kind === 'sideOutput' && transformation.channel === 'deadLetters' ? inputs : [])),
  );
  return plan.operators
    .filter(({ id, kind, transformation }) => kind !== 'extract' && outcomeOf(transformation.errorPolicy) === 'deadLetter' && !read.has(id))
    .map(({ name, transformation }) => `nobody reads the dead letters of '${name}' (${formatSourceLocation(transformation.declaredAt)}): they are counted and left out; call deadLetters() behind it`);
}
