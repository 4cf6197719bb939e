import type { JobId } from '../common/ids.ts';

/** What a job is doing. The last four are final. */
export type JobStatus =
  | 'initializing'
  | 'running'
  | 'paused'
  | 'stopping'
  | 'restarting'
  | 'finished'
  | 'stopped'
  | 'failed'
  | 'canceled';

/** Counts of one operator: in = processed + skipped + dead. */
export interface OperatorCounts {
  readonly id: number;
  readonly name: string;
  readonly recordsIn: number;
  readonly recordsOut: number;
  /** `undefined` results of a map. */
  readonly recordsDropped: number;
  /** Records that a filter kept back. */
  readonly recordsFiltered: number;
  /** Records that an error policy left out, such as `onError: 'skip'` of a CSV file; 0 without one. */
  readonly recordsSkipped: number;
  /** Records that an error policy put aside; 0 as long as there are no error policies. */
  readonly deadLetters: number;
}

/** Counts of one edge between operators: sent = received. */
export interface EdgeCounts {
  /** Name of the operator that sends. */
  readonly from: string;
  /** Name of the operator that receives. */
  readonly to: string;
  readonly sent: number;
  readonly received: number;
}

/** What a job has done. */
export interface JobResult {
  readonly jobId: JobId;
  readonly name: string;
  readonly status: JobStatus;
  /** Records from sources. */
  readonly recordsIn: number;
  /** Records into sinks. */
  readonly recordsOut: number;
  /** `undefined` results of maps; what filters kept back is counted apart. */
  readonly recordsDropped: number;
  /** Records that error policies left out, such as `onError: 'skip'` of a CSV file; 0 without one. */
  readonly recordsSkipped: number;
  /** Records that error policies put aside; 0 as long as there are none. */
  readonly deadLetters: number;
  /** From the start of the job to its end, with the closing of all functions. */
  readonly durationMs: number;
  /** How many isolates really ran stages of the user's code. */
  readonly isolates: number;
  readonly operators: readonly OperatorCounts[];
  readonly edges: readonly EdgeCounts[];
}

/** What one parallel instance of a stage has done; times add up to the time since the job began. */
export interface TaskMetrics {
  /** Operators of the stage. */
  readonly stage: string;
  /** From 0. */
  readonly instance: number;
  /** -1: a native thread, 0: the main isolate, 1 and up: worker threads. */
  readonly isolate: number;
  /** Records, batches and bytes taken from and given to exchanges. */
  readonly numRecordsIn: number;
  readonly numRecordsOut: number;
  readonly numBatchesIn: number;
  readonly numBatchesOut: number;
  readonly numBytesIn: number;
  readonly numBytesOut: number;
  readonly busyTimeMs: number;
  readonly idleTimeMs: number;
  /** Time without credit downstream. */
  readonly backPressuredTimeMs: number;
}

/** A job's counts at one moment. Those of operators in other threads are at most about 100 ms old. */
export interface JobMetrics {
  readonly status: JobStatus;
  readonly operators: readonly OperatorCounts[];
  readonly edges: readonly EdgeCounts[];
  readonly tasks: readonly TaskMetrics[];
}

/** Options of `Job.stop`. */
export interface StopOptions {
  /** Also send the final watermark, so that everything fires; such a job cannot be resumed. */
  readonly drain?: boolean;
}

/** A running job. */
export interface Job {
  readonly id: JobId;
  readonly name: string;
  readonly status: JobStatus;
  /** Settles when the job has ended and was cleaned up; rejects with the error of a failed job. */
  readonly completion: Promise<JobResult>;
  /** Settles when the job has ended and was cleaned up, however it ended; never rejects. */
  readonly ended: Promise<void>;
  /** Counts and times as they are now. */
  metrics(): JobMetrics;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Sources stop, records in flight finish, sinks commit. */
  stop(options?: StopOptions): Promise<JobResult>;
  /** At once; records in flight are dropped. */
  cancel(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Options of `submit`. */
export interface SubmitOptions {
  /** Resolve to the result once the job has ended, instead of to the running job. */
  readonly autostop?: boolean;
  /** Cancels the job. */
  readonly signal?: AbortSignal;
}
