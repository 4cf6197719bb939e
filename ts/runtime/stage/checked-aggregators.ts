import { isBuiltinAggregator } from '../../functions/aggregator.ts';
import type { UserAggregator } from '../../functions/aggregator.ts';
import type { AnyAggregator } from '../../transformations/aggregate-transformation.ts';

/** Whether the aggregator says beforehand at which records it fails, so that with an error policy it is called when nothing else can fail any more. */
export function isAddedLast(aggregator: AnyAggregator): aggregator is UserAggregator<unknown, unknown, unknown> & AnyAggregator {
  return !isBuiltinAggregator(aggregator) && aggregator.check !== undefined;
}

/** @throws what the check of an aggregator throws. */
export function checkAll(aggregators: readonly AnyAggregator[], record: unknown): void {
  for (const aggregator of aggregators) if (isAddedLast(aggregator)) aggregator.check!(record);
}
