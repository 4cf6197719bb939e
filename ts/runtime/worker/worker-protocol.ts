import type { Fingerprint } from '../../compiler/fingerprint/fingerprint.ts';
import type { EnvironmentConfig } from '../../transformations/environment-config.ts';
import type { PipelineOrigin } from './pipeline-origin.ts';

/** What a worker thread is started with; structured-cloneable. */
export interface WorkerAssignment {
  /** Handle of the job in the core; the same in all threads. */
  readonly job: number;
  readonly jobId: string;
  readonly jobName: string;
  /** Isolate index, from 1. */
  readonly isolate: number;
  readonly origin: PipelineOrigin;
  readonly config: EnvironmentConfig;
  /** Cores that the plan was made for: the worker's plan must be the same. */
  readonly cores: number;
  /** Of the main thread's pipeline. */
  readonly fingerprint: Fingerprint;
  readonly tasks: readonly { readonly task: number; readonly stage: number; readonly instance: number }[];
}

/** From the job to its workers. Data never goes this way. */
export type ToWorker = { readonly type: 'stop' } | { readonly type: 'cancel' };

/** From a worker to its job. */
export type FromWorker =
  | { readonly type: 'closed' }
  | { readonly type: 'failed'; readonly error: SerializedError };

/** An error as it travels between threads: causes keep class name, message and stack. */
export interface SerializedError {
  readonly code: string;
  readonly message: string;
  readonly operator: string | undefined;
  readonly declaredAt: { readonly file: string; readonly line: number; readonly column: number } | undefined;
  readonly record: unknown;
  readonly context: Readonly<Record<string, string | number>>;
  readonly help: string;
  readonly cause: { readonly name: string; readonly message: string; readonly stack: string | undefined; readonly code: string | undefined } | undefined;
}
