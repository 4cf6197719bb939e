import type { WaitOptions } from '../common/abortable-wait.ts';
import type { JobId } from '../common/ids.ts';
import type { RestoreOptions } from './checkpoint-settings.ts';
import type { JobGuarantee } from './job-guarantee.ts';

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

/** What a histogram of user code has counted, in all instances of its operator; quantiles within 1 %. */
export interface HistogramSummary {
  /** Values counted. */
  readonly count: number;
  /** Of all values. */
  readonly sum: number;
  /** The smallest value. */
  readonly min: number;
  /** The largest value. */
  readonly max: number;
  /** Half of the values are at most this. */
  readonly p50: number;
  /** 90 % of the values are at most this. */
  readonly p90: number;
  /** 99 % of the values are at most this. */
  readonly p99: number;
}

/** Metrics that functions of an operator keep with `ctx.metrics`, put together over its instances. */
export interface UserMetrics {
  /** Sums. */
  readonly counters: Readonly<Record<string, number>>;
  /** The value of each instance that has set one, by its number. */
  readonly gauges: Readonly<Record<string, Readonly<Record<number, number>>>>;
  /** All values of all instances. */
  readonly histograms: Readonly<Record<string, HistogramSummary>>;
}

/** Counts of one operator: in = processed + skipped + dead. */
export interface OperatorCounts {
  /** Its place in `env.pipeline`. */
  readonly id: number;
  /** As `named` set it, or made of its kind. */
  readonly name: string;
  /** Records that it took; of a source, those that it read. */
  readonly recordsIn: number;
  /** Records that it gave. */
  readonly recordsOut: number;
  /** `undefined` results of a map or mapAsync, records that no branch of a route takes, and of a fillFuture those that a stopped loop no longer sends around. */
  readonly recordsDropped: number;
  /** Records that a filter, dedup, sample or limit kept back. */
  readonly recordsFiltered: number;
  /** Records that an error policy left out, or the source, such as `onError: 'skip'` of a CSV file. */
  readonly recordsSkipped: number;
  /** Records that an error policy put aside. */
  readonly deadLetters: number;
  /** What its functions count themselves; not there when they count nothing. */
  readonly metrics?: UserMetrics;
  /** Records that came too late for all of their windows; not there for other operators. */
  readonly recordsLate?: number;
  /**
   * Of an `assignTimestamps`: records that its error policy left out or put aside because their timestamp was more than `maxAheadMs` ahead of the clock.
   * They are among `recordsSkipped` or `deadLetters`; with a policy that lets the job fail the error speaks of the first.
   */
  readonly recordsAhead?: number;
  /**
   * How far event time is behind the operator, in epoch milliseconds: all records before it have been given. Infinity at the end;
   * not there without timestamps, or before the first record.
   */
  readonly watermark?: number;
  /** Records of a sink that nobody read, because the pipe was closed before; not there when there are none. */
  readonly recordsUnread?: number;
}

/** Counts of the way back of a feedback loop. */
export interface FeedbackCounts {
  /** Name of the future. */
  readonly loop: string;
  /** Records that were on disk on their way, as there was no memory left for them. */
  readonly recordsSpilled: number;
  /** Records that did not go around any more, because the job was stopped without `drain`; not among those sent. */
  readonly recordsDropped: number;
}

/** Counts of one edge between operators: sent = received. */
export interface EdgeCounts {
  /** Name of the operator that sends. */
  readonly from: string;
  /** Name of the operator that receives. */
  readonly to: string;
  /** Records that went in. */
  readonly sent: number;
  /** Records that came out. */
  readonly received: number;
  /** Only where records go back in a feedback loop. */
  readonly feedback?: FeedbackCounts;
}

/** That a stage with parallelism `'auto'` got another instance while its job ran, or why it gets no other. */
export interface ScalingDecision {
  /** Operators of the stage that was the bottleneck. */
  readonly stage: string;
  /** How many instances it has from now on. */
  readonly instances: number;
  /** Since the job began to run. */
  readonly atMs: number;
  /** In words, with the numbers that decided. */
  readonly reason: string;
}

/** What a job has done. */
export interface JobResult {
  /** That of the job. */
  readonly jobId: JobId;
  /** The name of the environment. */
  readonly name: string;
  /** How it ended. */
  readonly status: JobStatus;
  /** Records from sources. */
  readonly recordsIn: number;
  /** Records into sinks. */
  readonly recordsOut: number;
  /** `undefined` results of maps, and records that no branch of a route takes; what filters kept back is counted apart. */
  readonly recordsDropped: number;
  /** Records that error policies left out, or the source, such as `onError: 'skip'` of a CSV file. */
  readonly recordsSkipped: number;
  /** Records that error policies put aside. */
  readonly deadLetters: number;
  /** From the start of the job to its end, with the closing of all functions. */
  readonly durationMs: number;
  /** How many isolates really ran stages of the user's code; a worker that came too late for any record is none. */
  readonly isolates: number;
  /** What became of stages with parallelism `'auto'` on the way, oldest first. */
  readonly scaling: readonly ScalingDecision[];
  /** Counts of each operator. */
  readonly operators: readonly OperatorCounts[];
  /** Counts of each edge. */
  readonly edges: readonly EdgeCounts[];
  /** How often it was started again after a failure. Counts are those of the last attempt: of what it has worked on since the checkpoint that it went on from. */
  readonly restarts: number;
  /** What its records could count on, and which sources and sinks limited that. */
  readonly guarantee: JobGuarantee;
}

/** What one parallel instance of a stage has done; times add up to the time since the job began. */
export interface TaskMetrics {
  /** Operators of the stage. */
  readonly stage: string;
  /** From 0. */
  readonly instance: number;
  /** -1: a native thread, 0: the main isolate, 1 and up: worker threads. */
  readonly isolate: number;
  /** Records taken from exchanges. */
  readonly numRecordsIn: number;
  /** Records given to exchanges. */
  readonly numRecordsOut: number;
  /** Batches taken from exchanges. */
  readonly numBatchesIn: number;
  /** Batches given to exchanges. */
  readonly numBatchesOut: number;
  /** Bytes of the batches taken. */
  readonly numBytesIn: number;
  /** Bytes of the batches given. */
  readonly numBytesOut: number;
  /** Time in which it worked. */
  readonly busyTimeMs: number;
  /** Time in which there was nothing to do. */
  readonly idleTimeMs: number;
  /** Time without credit downstream. */
  readonly backPressuredTimeMs: number;
}

/** An edge between operators while a job runs. */
export interface EdgeMetrics extends EdgeCounts {
  /** Records in its queues. */
  readonly queuedRecords: number;
  /** Bytes in its queues. */
  readonly queuedBytes: number;
  /**
   * How full the fullest of its queues is, by records or by bytes: 0 is empty, at 1 its producer waits. It may be above 1, as
   * a batch is never divided.
   */
  readonly queueFill: number;
  /** Only where records go back in a feedback loop: bytes of those that wait on disk. */
  readonly diskBytes?: number;
}

/** All instances of a stage together: operators that run as one function. */
export interface StageMetrics {
  /** Its operators. */
  readonly name: string;
  /** Ids of its operators, as in `OperatorCounts`. */
  readonly operators: readonly number[];
  /** How many there are by now. */
  readonly instances: number;
  /** Instances that have done all of their work. */
  readonly finishedInstances: number;
  /** Records taken, of all instances. */
  readonly numRecordsIn: number;
  /** Records given, of all instances. */
  readonly numRecordsOut: number;
  /** Times of all instances added up. */
  readonly busyTimeMs: number;
  /** Time in which there was nothing to do, of all instances added up. */
  readonly idleTimeMs: number;
  /** Time without credit downstream, of all instances added up. */
  readonly backPressuredTimeMs: number;
  /** How full the fullest queue is that it takes records from, as `EdgeMetrics.queueFill`; `undefined` for sources. */
  readonly queueFill: number | undefined;
}

/** Counts of an operator while its job runs. */
export interface OperatorMetrics extends OperatorCounts {
  /** How far the clock is ahead of the watermark; not there without one, or at the end. */
  readonly watermarkLagMs?: number;
  /**
   * Of an operator with event time of several streams: the name of the `assignTimestamps` that it waits for, while another one is further. Not
   * there when nothing holds it back; a stream without records holds the others back unless it has `idleMs`.
   */
  readonly heldBackBy?: string;
}

/** A checkpoint that was written. */
export interface CheckpointSummary {
  /** Its number, from 1; it rises over the life of the directory. */
  readonly epoch: number;
  /** Its size. */
  readonly bytes: number;
  /** From its beginning until it was safe on disk. */
  readonly durationMs: number;
}

/** A savepoint that was written: one file, which needs no other. */
export interface SavepointSummary {
  /** The file, as an absolute path. */
  readonly path: string;
  /** The checkpoint that it is a copy of. */
  readonly epoch: number;
  /** Its size. */
  readonly bytes: number;
  /** From the beginning of the checkpoint until the savepoint was safe on disk. */
  readonly durationMs: number;
}

/** What has become of the checkpoints of a job. */
export interface CheckpointMetrics {
  /** Checkpoints that were written. */
  readonly completed: number;
  /** Checkpoints that could not be written; the job went on. */
  readonly failed: number;
  /** Size of the last one. */
  readonly lastBytes: number | undefined;
  /** From the beginning of the last one until it was safe on disk. */
  readonly lastDurationMs: number | undefined;
  /** The longest time in which an operator of the last one waited for the barrier of another input. */
  readonly lastAlignmentMs: number | undefined;
  /** The checkpoint that the job went on from. */
  readonly restoredEpoch: number | undefined;
}

/** A job's counts at one moment. Those of operators in other threads are at most about 100 ms old. */
export interface JobMetrics {
  /** What the job is doing, or how it ended. */
  readonly status: JobStatus;
  /** Counts of each operator. */
  readonly operators: readonly OperatorMetrics[];
  /** Counts and queues of each edge. */
  readonly edges: readonly EdgeMetrics[];
  /** Producers before consumers. */
  readonly stages: readonly StageMetrics[];
  /** Each instance of each stage. */
  readonly tasks: readonly TaskMetrics[];
  /** What has become of stages with parallelism `'auto'` so far, oldest first. */
  readonly scaling: readonly ScalingDecision[];
  /** How often it was started again after a failure. Counts are those of the last attempt: of what it has worked on since the checkpoint that it went on from. */
  readonly restarts: number;
  /** Only of a job with checkpoints, or one that went on from a savepoint. */
  readonly checkpoints?: CheckpointMetrics;
  /** What its records can count on when it goes on from a checkpoint, and which sources and sinks limit that. */
  readonly guarantee: JobGuarantee;
}

/** Options of `Job.stop`. */
export interface StopOptions extends WaitOptions {
  /** Also send the final watermark, so that everything fires; such a job cannot be resumed. */
  readonly drain?: boolean;
  /**
   * Write a savepoint behind everything that the job has done, to a file that is not there yet; folders that are missing are made. Not with `drain`,
   * behind which nothing is left to go on with.
   */
  readonly savepoint?: string;
}

/** One state of an operator, by name. */
export interface JobState {
  /**
   * What it holds for a key now: the value, an array of a list, a `Map` of a map, the result of an aggregate; `undefined` for none. It is a copy
   * where the operator runs in a worker thread, and may be of the middle of a record.
   *
   * @throws SageError SAGE_JOB_STATE when the function has declared no such state, or the job has ended; SAGE_KEY_UNSUPPORTED for what can be no key.
   */
  get(key: unknown): Promise<unknown>;
}

/** A running job. */
export interface Job {
  /** Another one for each run. */
  readonly id: JobId;
  /** The name of the environment. */
  readonly name: string;
  /** What it is doing, or how it ended. */
  readonly status: JobStatus;
  /** Settles when the job has ended and was cleaned up; rejects with the error of a failed job. */
  readonly completion: Promise<JobResult>;
  /** Settles when the job has ended and was cleaned up, however it ended; never rejects. */
  readonly ended: Promise<void>;
  /** Counts and times as they are now. */
  metrics(): JobMetrics;
  /**
   * A state that a function of a keyed stream keeps, to look at while the job runs: `await job.state('sessions', 'pages').get('ann')`.
   *
   * @param uid what `uid` was called with behind `process`
   * @throws SageError SAGE_PLAN_ARGUMENT when no operator with state has this uid, SAGE_JOB_STATE when the job has ended
   */
  state(uid: string, name: string): JobState;
  /**
   * Writes a checkpoint now, beside those that are written by the clock; resolves when it is safe on disk. Also while the job is paused: sources give
   * nothing then, and what is in flight goes on as far as it has to.
   *
   * @throws SageError SAGE_JOB_STATE for a job without checkpoints, one that has failed while it was paused, or one that has ended; rejects with the error when it could not be written.
   */
  checkpoint(): Promise<CheckpointSummary>;
  /**
   * Writes a savepoint while the job goes on: a checkpoint in one file of its own, which may be copied anywhere and stays until you remove it.
   * Go on from it with `submit({ from: path })`, with any checkpoint directory or none. Where the job has one, a checkpoint is written with it. Resolves
   * when the file is safe on disk; a signal gives up the wait, and the file is written all the same. A job may be paused meanwhile, as for `checkpoint`.
   *
   * @param path a file that is not there yet; folders that are missing are made
   * @throws SageError SAGE_JOB_STATE for a job that has ended; SAGE_PLAN_ARGUMENT for what is no path; SAGE_IO_EXISTS when something is there; without
   * checkpoints SAGE_CHECKPOINT_SOURCE for a source that cannot be read again, and SAGE_CHECKPOINT_RESCALE where instances come while the job runs
   * (parallelism `'auto'`); rejects with the error when it could not be written.
   */
  savepoint(path: string, options?: WaitOptions): Promise<SavepointSummary>;
  /**
   * Sources wait, and what is in flight with them, unless a checkpoint or savepoint is asked for; none is written by the clock. It waits itself until the job's workers have started. A job that fails while it is paused is
   * started again, where it has a restart strategy, when it is resumed.
   */
  pause(options?: WaitOptions): Promise<void>;
  /** Sources go on, without a gap, and with no record twice. */
  resume(): Promise<void>;
  /**
   * Sources stop, records in flight finish, sinks commit. A signal gives up the wait; the job goes on stopping.
   *
   * @throws SageError with `savepoint` also those of `Job.savepoint`: as long as it cannot be written at all, the job is not stopped. When it turns out
   * later, such as on a full disk, the job has stopped all the same, and its last checkpoint is in its directory; without checkpoints it has failed.
   */
  stop(options?: StopOptions): Promise<JobResult>;
  /** At once; records in flight are dropped. It waits until functions are closed. */
  cancel(options?: WaitOptions): Promise<void>;
  /** As `cancel`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Options of `submit`. */
export interface SubmitOptions extends RestoreOptions {
  /** Resolve to the result once the job has ended, instead of to the running job. */
  readonly autostop?: boolean;
  /** Cancels the job. */
  readonly signal?: AbortSignal;
}
