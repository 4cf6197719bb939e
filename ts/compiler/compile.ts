import type { CompileOptions, PlanConfig } from './compile-options.ts';
import { buildExecutionGraph } from './execution/build-execution-graph.ts';
import type { ExecutionGraph } from './execution-graph.ts';
import { buildLogicalPlan } from './logical/build-logical-plan.ts';
import type { LogicalPlan, OptimisedPlan, Pipeline } from './logical-plan.ts';
import { optimise } from './optimiser/optimise.ts';
import { buildPhysicalPlan } from './physical/build-physical-plan.ts';
import type { PhysicalPlan } from './physical-plan.ts';

/** All steps from a pipeline to what the core is given. */
export interface CompiledPipeline {
  readonly logical: LogicalPlan;
  readonly optimised: OptimisedPlan;
  readonly physical: PhysicalPlan;
  readonly graph: ExecutionGraph;
}

/**
 * Compiles a pipeline. Pure: nothing is opened or started, and the same pipeline, config and options give the same
 * result in every isolate.
 *
 * @throws SageError SAGE_PLAN_*: what is wrong with the pipeline as a whole, with the user's own line and one fix.
 */
export function compile(pipeline: Pipeline, config: PlanConfig, options: CompileOptions): CompiledPipeline {
  const logical = buildLogicalPlan(pipeline, config, options);
  const optimised = optimise(logical);
  const physical = buildPhysicalPlan(optimised, config, options);
  return { logical, optimised, physical, graph: buildExecutionGraph(physical) };
}
