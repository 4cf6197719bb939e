import { isBuiltinAggregator, type BuiltinAggregator, type BuiltinAggregatorName } from '../functions/aggregator.ts';
import type { AnyAggregator } from '../transformations/aggregate-transformation.ts';
import type { Emit } from '../transformations/emit.ts';

/** Aggregates of numbers, which the core keeps in columns. `first` and `last` give values of any type: JavaScript keeps those. */
const IN_CORE: ReadonlySet<BuiltinAggregatorName> = new Set(['count', 'sum', 'avg', 'min', 'max']);

/** Whether the core can compute a keyed aggregate by itself. */
export function runsInCore(
  spec: Readonly<Record<string, AnyAggregator>>,
  emit: Emit,
): spec is Readonly<Record<string, BuiltinAggregator<never, unknown>>> {
  if (typeof emit !== 'string') return false;
  return Object.values(spec).every((aggregator) => isBuiltinAggregator(aggregator) && IN_CORE.has(aggregator.name));
}

/** Whether the aggregator takes numbers only. */
export function takesNumbers(aggregator: BuiltinAggregator<never, unknown>): boolean {
  return IN_CORE.has(aggregator.name);
}
