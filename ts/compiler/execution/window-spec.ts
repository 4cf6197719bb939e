import { zoneOffsets } from '../../common/zone-offsets.ts';
import type { BuiltinAggregator } from '../../functions/aggregator.ts';
import type { WindowAssigner } from '../../functions/windows/windows.ts';
import type { StageOp } from '../physical-plan.ts';
import type { WindowKeeper } from '../windows.ts';
import { aggregateSpecs } from './aggregate-specs.ts';

/** The windows of an operator as the core is told of them: docs/internals/windows.md. */
export function windowSpec(op: Extract<StageOp, { kind: 'window' }>, keeper: WindowKeeper): Readonly<Record<string, unknown>> {
  const { trigger, accumulation, allowedLatenessMs, assigner } = op.settings;
  return {
    keyed: op.keyed,
    time: op.time,
    assigner: assignerSpec(assigner),
    trigger: trigger.kind === 'custom' ? { kind: 'custom' } : trigger,
    accumulation,
    allowedLatenessMs,
    aggregates: keeper === 'core' && op.result.kind === 'aggregate' ? aggregateSpecs(op.result.spec as Readonly<Record<string, BuiltinAggregator<never, unknown>>>) : null,
    elements: keeper === 'elements',
  };
}

function assignerSpec(assigner: WindowAssigner): unknown {
  if (assigner.kind !== 'tumbling' && assigner.kind !== 'sliding') return assigner;
  const { timeZone, ...rest } = assigner;
  return { ...rest, zone: timeZone === undefined ? null : zoneOffsets(timeZone) };
}
