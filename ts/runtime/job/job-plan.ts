import type { ExecutionGraph } from '../../compiler/execution-graph.ts';
import type { PhysicalPlan } from '../../compiler/physical-plan.ts';
import type { EnvironmentConfig } from '../../transformations/environment-config.ts';
import type { PipelineOrigin } from '../worker/pipeline-origin.ts';

/** A compiled pipeline, ready to be started. */
export interface JobPlan {
  readonly name: string;
  readonly config: EnvironmentConfig;
  readonly physical: PhysicalPlan;
  readonly graph: ExecutionGraph;
  readonly origin: PipelineOrigin;
  /** One text for each operator, to be compared with what workers build. */
  readonly fingerprint: readonly string[];
  /** Cores that the plan was made for. */
  readonly cores: number;
}
