import type { ExecutionGraph } from '../../compiler/execution-graph.ts';
import type { Fingerprint } from '../../compiler/fingerprint/fingerprint.ts';
import type { PhysicalPlan } from '../../compiler/physical-plan.ts';
import type { EnvironmentConfig } from '../../transformations/environment-config.ts';
import type { JobControls } from './job-controls.ts';
import type { OutcomeRecords } from './outcome-records.ts';
import type { PipelineOrigin } from '../worker/pipeline-origin.ts';

/** A compiled pipeline, ready to be started. */
export interface JobPlan {
  readonly name: string;
  readonly config: EnvironmentConfig;
  readonly physical: PhysicalPlan;
  readonly graph: ExecutionGraph;
  readonly origin: PipelineOrigin;
  /** To be compared with that of what workers build. */
  readonly fingerprint: () => Fingerprint;
  /** Cores that the plan was made for. */
  readonly cores: number;
  /** What the plan was made for, as in `CompileOptions`. */
  readonly splits: ReadonlyMap<number, number>;
  /** Of a test. */
  readonly controls?: JobControls | undefined;
  /** Keeps the outcomes of asynchronous calls. */
  readonly outcomes?: OutcomeRecords | undefined;
}
