import type { OperatorId } from '../../common/ids.ts';
import { isBuiltinAggregator } from '../../functions/aggregator.ts';
import type { LogicalOperator, LogicalPlan } from '../logical-plan.ts';
import type { AggregatorSpec } from '../physical-plan.ts';

const NUMBERS: ReadonlySet<string> = new Set(['count', 'sum', 'avg', 'min', 'max', 'countDistinct']);

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
    // What comes back was copied on its way.
    case 'fromFuture':
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
    case 'aggregate':
      return transformation.kind === 'aggregate' && makesNumbers(transformation.spec);
    case 'window':
      return transformation.kind === 'window' && transformation.result.kind === 'aggregate' && makesNumbers(transformation.result.spec);
    default:
      return false;
  }
}

/** `first`, `last` and what collects give what they were given. */
function makesNumbers(spec: AggregatorSpec): boolean {
  return Object.values(spec).every((one) => isBuiltinAggregator(one) && NUMBERS.has(one.name));
}
