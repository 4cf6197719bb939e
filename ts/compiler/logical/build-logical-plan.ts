import type { Transformation } from '../../transformations/transformation.ts';
import { checkPipeline } from '../checks/check-pipeline.ts';
import type { CompileOptions, PlanConfig } from '../compile-options.ts';
import type { LogicalOperator, LogicalPlan, Pipeline } from '../logical-plan.ts';
import { findCoreOperators } from './core-operators.ts';
import { endlessSources } from './endless-sources.ts';
import { timedOperators } from './event-time.ts';
import { findLoops } from './loops.ts';
import { findMixedEventTime } from './mixed-event-time.ts';
import { resolveParallelism } from './resolve-parallelism.ts';

/**
 * Checks a pipeline and says for each operator what it is keyed by, how many instances it has, and whether it ends.
 *
 * @throws SageError SAGE_PLAN_*, before anything runs.
 */
export function buildLogicalPlan(pipeline: Pipeline, config: PlanConfig, options: CompileOptions): LogicalPlan {
  checkPipeline(pipeline, config, options);
  const places = findCoreOperators(pipeline, config);
  const parallelisms = resolveParallelism(pipeline, config, options, places);
  const operators: LogicalOperator[] = [];
  const timed = timedOperators(pipeline);
  const loops = findLoops(pipeline);
  const endless = endlessSources(pipeline);
  for (const transformation of pipeline as readonly Transformation[]) {
    const { parallelism, reason, elastic, region } = parallelisms[transformation.id]!;
    operators.push({
      id: transformation.id,
      uid: transformation.uid,
      name: transformation.name,
      kind: transformation.kind,
      inputs: transformation.inputs.map((input) => input.id),
      parallelism,
      parallelismReason: reason,
      elastic,
      region,
      keyedBy: transformation.keyedBy?.id,
      takesTime: transformation.inputs.length > 0 && transformation.inputs.every(({ id }) => timed[id]!),
      mixedTime: transformation.kind === 'keyedProcess' ? findMixedEventTime(transformation, ({ id }) => timed[id]!) : undefined,
      timed: timed[transformation.id]!,
      bounded: endless[transformation.id]!.length === 0,
      transformation,
      source: transformation.kind === 'source' ? transformation.source : undefined,
      inCore: places.get(transformation.id)?.inCore === true,
      whyNotInCore: places.get(transformation.id)?.why,
      loop: loops.of[transformation.id],
      behindLoops: loops.behind[transformation.id]!,
      timeless: loops.timeless[transformation.id]!,
      aggregateInput: transformation.kind === 'aggregate' ? 'record' : undefined,
    });
  }
  return { operators };
}
