import { SourceTimestampsTransformation } from '../../transformations/source-timestamps-transformation.ts';
import type { LogicalOperator, LogicalPlan } from '../logical-plan.ts';
import type { Link } from './link-operators.ts';
import { isNative } from './place-operators.ts';
import { StageGroups } from './stage-group.ts';

/** In place of `fuseStages`: a stage for each operator, and with it those that work only where their records are given. */
export function keepStagesApart(plan: LogicalPlan, links: readonly Link[], feedback: readonly Link[]): StageGroups {
  const groups = new StageGroups(plan, links, feedback);
  for (const operator of plan.operators) {
    const [link, ...others] = groups.into(operator);
    if (link !== undefined && others.length === 0 && link.separation === undefined && belongsTogether(link)) groups.join(operator, groups.of(link.from));
    else groups.add(operator);
  }
  return groups;
}

function belongsTogether({ from, to }: Link): boolean {
  // What is given beside results goes through no exchange of theirs, and an extract is the sending half of an aggregate.
  if (to.kind === 'sideOutput' || to.kind === 'extract') return true;
  // The class of what a source gives with its time is lost on the way.
  if (to.transformation instanceof SourceTimestampsTransformation) return true;
  // A chain in the core has one thread.
  if (isNative(from) || isNative(to) || (from.inCore && to.inCore)) return true;
  return isElastic(from, to) || (to.loop !== undefined && to.loop === from.loop);
}

/** Instances that come later share nothing with those of a neighbour but their number. */
function isElastic(from: LogicalOperator, to: LogicalOperator): boolean {
  return from.elastic || to.elastic;
}
