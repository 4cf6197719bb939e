import type { OperatorId } from '../../common/ids.ts';
import { outcomeOf } from '../../transformations/error-policy.ts';
import type { LogicalOperator, LogicalPlan } from '../logical-plan.ts';
import { callsWithContext } from './calls-with-context.ts';
import type { Link } from './link-operators.ts';

/**
 * The operators that need the key of the records they take: for state, for `ctx.key` of a class, or since something
 * behind them does. To all others records can go without it.
 */
export function findKeyNeeds(plan: LogicalPlan, links: readonly Link[]): ReadonlySet<OperatorId> {
  const outgoing = Map.groupBy(links, (link) => link.from.id);
  const needs = new Set<OperatorId>();
  for (const operator of plan.operators.toReversed()) {
    const below = outgoing.get(operator.id) ?? [];
    const handsOn = operator.keyedBy !== undefined && operator.kind !== 'keyBy';
    const isNeededBelow = handsOn && below.some(({ to, separation }) => needs.has(to.id) || separation?.partition === 'hash');
    if (isNeededBelow || usesKey(operator)) needs.add(operator.id);
  }
  return needs;
}

function usesKey({ kind, transformation }: LogicalOperator): boolean {
  if (kind === 'extract') return true;
  // A dead letter names the key of its record.
  if (transformation.kind !== 'keyBy' && outcomeOf(transformation.errorPolicy) === 'deadLetter') return true;
  switch (transformation.kind) {
    case 'reduce':
    case 'aggregate':
    case 'batch':
    case 'dedup':
    case 'limit':
    case 'window':
      return transformation.keyed;
    case 'join':
    case 'intervalJoin':
    case 'asOfJoin':
    case 'keyedProcess':
      return true;
    case 'mapAsync':
      return true; // a call knows its key
    default:
      return callsWithContext(transformation);
  }
}
