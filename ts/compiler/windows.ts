import { isBuiltinAggregator } from '../functions/aggregator.ts';
import type { WindowResult, WindowSettings } from '../transformations/window-transformation.ts';
import type { AggregatorSpec } from './physical-plan.ts';
import { runsInCore } from './native-aggregates.ts';

/**
 * Who keeps what windows hold.
 *
 * - `core`: built-in aggregators, in columns of the core, unless JavaScript decides when there is a result
 * - `accumulators`: JavaScript, an accumulator for each pane or window
 * - `elements`: JavaScript, all records of a pane or window
 */
export type WindowKeeper = 'core' | 'accumulators' | 'elements';

/** Who keeps what the windows of an operator hold. */
export function windowKeeper(result: WindowResult, settings: WindowSettings): WindowKeeper {
  if (result.kind === 'elements') return 'elements';
  if (result.kind === 'reduce') return 'accumulators';
  if (runsInCore(result.spec, 'final') && settings.trigger.kind !== 'custom') return 'core';
  return mergesPanes(settings) && !canMerge(result.spec) ? 'elements' : 'accumulators';
}

/** Whether a result is made of several accumulators. */
function mergesPanes({ assigner }: WindowSettings): boolean {
  return assigner.kind === 'session' || assigner.kind === 'sliding' || (assigner.kind === 'count' && assigner.slide !== assigner.size);
}

/** The order in which records came is not that of panes: what depends on it cannot be merged. */
function canMerge(spec: AggregatorSpec): boolean {
  return Object.values(spec).every((aggregator) => (isBuiltinAggregator(aggregator) ? aggregator.name !== 'first' && aggregator.name !== 'last' : aggregator.merge !== undefined));
}
