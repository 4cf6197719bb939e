import { formatSourceLocation } from '../../common/source-location.ts';
import { isTransactionalFunction } from '../../functions/transactional-sink.ts';
import { hasCheckpoints } from '../../transformations/checkpoint-settings.ts';
import type { PlanConfig } from '../compile-options.ts';
import type { LogicalPlan } from '../logical-plan.ts';

/** A warning for each transactional sink of a job without an end that has no checkpoints to commit at. */
export function uncommittedSinks({ operators }: LogicalPlan, config: PlanConfig): readonly string[] {
  if (hasCheckpoints(config) || operators.every(({ source }) => source?.bounded !== false)) return [];
  return operators.flatMap(({ name, transformation }) => {
    if (transformation.kind !== 'sink' || transformation.sink.form !== 'function' || !isTransactionalFunction(transformation.sink.fn)) return [];
    return [`'${name}' (${formatSourceLocation(transformation.declaredAt)}) commits at checkpoints, and without any only when the job is stopped: give the environment checkpoint: { dir, intervalMs }`];
  });
}
