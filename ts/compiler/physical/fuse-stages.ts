import type { LogicalPlan } from '../logical-plan.ts';
import { type Link, partitionOf } from './link-operators.ts';
import { type Placements, runsInThreads } from './place-operators.ts';
import { type StageGroup, StageGroups } from './stage-group.ts';

/**
 * Puts into one stage whatever can be: an operator joins the stages of its producers; then consumers of the same records
 * join each other, so that these records travel once.
 */
export function fuseStages(plan: LogicalPlan, links: readonly Link[], placements: Placements, feedback: readonly Link[] = []): StageGroups {
  const groups = new StageGroups(plan, links, feedback);
  for (const operator of plan.operators) {
    const incoming = groups.into(operator);
    const joinable = incoming.filter((link) => link.separation === undefined);
    const producers = [...new Set(joinable.map((link) => groups.of(link.from)))];
    // Records of one stage alone: nothing can forbid it, and chains are what most plans are made of.
    if (producers.length === 1 && joinable.length === incoming.length) groups.join(operator, producers[0]!);
    else joinProducers(groups, groups.add(operator), producers);
  }
  for (const operator of plan.operators) joinConsumers(groups, groups.outOf(operator), placements);
  return groups;
}

function joinProducers(groups: StageGroups, own: StageGroup, producers: readonly StageGroup[]): void {
  if (producers.length === 0) return;
  if (groups.canMerge([own, ...producers])) {
    groups.merge([own, ...producers]);
    return;
  }
  // One by one: the first of two that exclude each other wins, and the rest comes through an exchange.
  let merged = own;
  for (const producer of producers) {
    if (producer === merged || !groups.canMerge([merged, producer])) continue;
    groups.merge([merged, producer]);
    merged = groups.of(own.operators[0]!);
  }
}

function joinConsumers(groups: StageGroups, links: readonly Link[], placements: Placements): void {
  const exchanged = links.filter((link) => groups.of(link.from) !== groups.of(link.to) && !runsInThreads(link.to));
  exchanged.forEach((link, index) => {
    for (const other of exchanged.slice(index + 1)) {
      const one = groups.of(link.to);
      const two = groups.of(other.to);
      if (one !== two && isSame(link, other, placements) && groups.canMerge([one, two])) groups.merge([one, two]);
    }
  });
}

function isSame(one: Link, two: Link, placements: Placements): boolean {
  return (
    partitionOf(one) === partitionOf(two) &&
    one.to.parallelism === two.to.parallelism &&
    placements.byId.get(one.to.id)!.placement === placements.byId.get(two.to.id)!.placement
  );
}
