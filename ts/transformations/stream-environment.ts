import type { SourceLocation } from '../common/source-location.ts';
import type { BaseTransformation } from './base-transformation.ts';
import type { EnvironmentConfig } from './environment-config.ts';
import type { Job, JobResult, SubmitOptions } from './job.ts';
import type { PlanDescription } from './plan-description.ts';

/** What streams, compiler and runtime need to know of an environment. */
export interface StreamEnvironment {
  /** For people. */
  readonly name: string;
  /** Settings of the environment. */
  readonly config: EnvironmentConfig;
  /** The operators in the order of their calls. */
  readonly pipeline: readonly BaseTransformation[];
  /** The job of the last submit that has not ended. */
  readonly activeJob: Job | undefined;
  /** Appends a transformation: gives it its id and makes its name unique. */
  add<X extends BaseTransformation>(transformation: X): X;
  /** Sets a name, made unique by a suffix. */
  rename(transformation: BaseTransformation, name: string): void;
  /** Compiles the pipeline and starts it; with `autostop` it gives the result once the job has ended. */
  submit(options: SubmitOptions & { readonly autostop: true }): Promise<JobResult>;
  submit(options?: SubmitOptions & { readonly autostop?: false }): Promise<Job>;
}

/** How much `explain` prints. */
export type ExplainLevel = 'logical' | 'optimised' | 'physical' | 'all';

/** In which form `explain` gives the plan: `level` is for the text; `json` is data, `mermaid` and `svg` are pictures as text. */
export type ExplainOptions =
  | { readonly format?: 'text'; readonly level?: ExplainLevel }
  | { readonly format: 'json' }
  | { readonly format: 'mermaid' | 'svg' };

/** What `explain` gives for its options. */
export type Explained<O extends ExplainOptions> = O extends { readonly format: 'json' } ? PlanDescription : string;

/** Compiles and starts what an environment holds; the layers above fill it in. */
export interface JobSubmitter {
  /** The plans as text. Starts nothing. @param calledAt where the user asked for them. */
  explain(environment: StreamEnvironment, level: ExplainLevel, calledAt: SourceLocation): string;
  /** The plan as data. Starts nothing. @param calledAt where the user asked for it. */
  describe(environment: StreamEnvironment, calledAt: SourceLocation): PlanDescription;
  /**
   * Compiles and starts.
   *
   * @param calledAt where the user called submit.
   * @throws SageError a plan error, before anything runs.
   */
  submit(environment: StreamEnvironment, options: SubmitOptions, calledAt: SourceLocation): Promise<Job>;
}
