import type { OperatorId } from '../../common/ids.ts';
import { hasContext } from '../../functions/user-function.ts';
import type { LogicalOperator, LogicalPlan } from '../logical-plan.ts';
import { callsWithContext } from './calls-with-context.ts';
import type { Link } from './link-operators.ts';

/**
 * The operators that need the event time of the records they take, and watermarks: for themselves, or since something behind
 * them does. To all others records can go without it.
 */
export function findTimeNeeds(plan: LogicalPlan, links: readonly Link[]): ReadonlySet<OperatorId> {
  const outgoing = Map.groupBy(links, (link) => link.from.id);
  const needs = new Set<OperatorId>();
  // What is needed behind a future is needed where it is filled, which is further down.
  for (let before = -1; before !== needs.size; ) {
    before = needs.size;
    for (const operator of plan.operators.toReversed()) {
      const below = outgoing.get(operator.id) ?? [];
      const handsOn = operator.timed && operator.kind !== 'assignTimestamps';
      const { transformation } = operator;
      const comesBack = transformation.kind === 'fillFuture' && needs.has(transformation.future.id);
      if ((handsOn && (comesBack || below.some(({ to }) => needs.has(to.id)))) || usesTime(operator)) needs.add(operator.id);
    }
  }
  return needs;
}

function usesTime({ kind, transformation }: LogicalOperator): boolean {
  if (kind === 'extract') return false;
  switch (transformation.kind) {
    case 'assignTimestamps':
      // The function is given the timestamp that the record had.
      return typeof transformation.selector === 'function' && transformation.selector.length > 1;
    case 'window':
    case 'intervalJoin':
    case 'asOfJoin':
    case 'keyedProcess':
    case 'broadcastProcess':
      return true;
    case 'join':
      return hasContext(transformation.fn);
    default:
      return callsWithContext(transformation);
  }
}
