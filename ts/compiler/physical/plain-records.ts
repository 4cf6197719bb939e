import type { OperatorId } from '../../common/ids.ts';
import { isBuiltinAggregator } from '../../functions/aggregator.ts';
import type { LogicalOperator, LogicalPlan } from '../logical-plan.ts';

/**
 * The operators whose records are known to have no prototypes that a copy would lose: what the core read or computed,
 * as long as no user code made something else of it.
 */
export function findPlainRecords(plan: LogicalPlan): ReadonlySet<OperatorId> {
  const plain = new Set<OperatorId>();
  for (const operator of plan.operators) if (isPlain(operator, plain)) plain.add(operator.id);
  return plain;
}

function isPlain({ kind, source, inputs, transformation }: LogicalOperator, plain: ReadonlySet<OperatorId>): boolean {
  switch (kind) {
    case 'source':
      return source?.form === 'native';
    case 'extract':
      return true;
    case 'filter':
    case 'select':
    case 'keyBy':
    case 'union':
    case 'dedup':
    case 'sample':
    case 'limit':
    case 'rebalance':
    case 'route':
      return inputs.every((input) => plain.has(input));
    case 'sideOutput':
      return transformation.kind === 'sideOutput' && transformation.channel === 'branch' && inputs.every((input) => plain.has(input));
    case 'aggregate': {
      if (transformation.kind !== 'aggregate') return false;
      // `first` and `last` give what they were given.
      const makesNumbers = (name: string): boolean => name !== 'first' && name !== 'last';
      return Object.values(transformation.spec).every((one) => isBuiltinAggregator(one) && makesNumbers(one.name));
    }
    default:
      return false;
  }
}
