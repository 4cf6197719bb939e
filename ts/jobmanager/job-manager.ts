import { availableParallelism } from 'node:os';

import { abortableWait, type WaitOptions } from '../common/abortable-wait.ts';
import { SageError } from '../common/errors.ts';
import type { JobId } from '../common/ids.ts';
import type { JobPlan } from '../runtime/job/job-plan.ts';
import type { LocalJob } from '../runtime/job/local-job.ts';
import type { RestoreOptions } from '../transformations/checkpoint-settings.ts';
import type { JobGuarantee } from '../transformations/job-guarantee.ts';
import type { Job as PublicJob, JobResult, JobStatus, StopOptions } from '../transformations/job.ts';
import type { StreamEnvironment } from '../transformations/stream-environment.ts';
import { forgetEnded } from './forget-ended.ts';
import { ShutdownSignals } from './shutdown-signals.ts';

/** A job in a list. */
export interface JobInfo {
  /** By which the manager is asked for it. */
  readonly id: JobId;
  /** The name of the environment. */
  readonly name: string;
  /** What it is doing, or how it ended. */
  readonly status: JobStatus;
  /** What its records can count on when it goes on from a checkpoint, and which sources and sinks limit that. */
  readonly guarantee: JobGuarantee;
  /** Of a job that has ended. */
  readonly result: JobResult | undefined;
  /** Why it failed, or was cancelled by its signal. */
  readonly error: SageError | undefined;
}

/** What the manager says of itself. */
export interface ServerInfo {
  /** The number of this process. */
  readonly pid: number;
  /** Processors that this process may use. */
  readonly cores: number;
  /** With the `v` before it. */
  readonly nodeVersion: string;
  /** Jobs in the list, ended ones too. */
  readonly jobs: number;
  /** Jobs that have not ended. */
  readonly runningJobs: number;
}

const ENDED: ReadonlySet<JobStatus> = new Set(['finished', 'stopped', 'failed', 'canceled']);

/** Jobs that have ended and are still known. */
const MOST_ENDED_JOBS = 1_000;

let only: JobManager | undefined;

/**
 * Knows all jobs of this process. A job that has ended stays in the list, with its result, until it is deleted or 1,000 others have
 * ended after it: a server that starts a job for each request does not grow.
 *
 * ```ts
 * env.fromCollection([1, 2, 3]).sink(() => {});
 * const manager = JobManager.instance();
 * const id = await manager.submitJob(env);
 * await manager.getJob(id).completion;
 * console.log(manager.listJobs().map((job) => `${job.name}: ${job.status}`));
 * await manager.deleteJob(id);
 * ```
 */
export class JobManager {
  readonly #jobs = new Map<JobId, LocalJob>();
  readonly #running = new Set<LocalJob>();
  readonly #signals = new ShutdownSignals(() => [...this.#running]);
  #down = false;

  /** The manager of this process. */
  static instance(): JobManager {
    only ??= new JobManager();
    return only;
  }

  /** Starts a compiled pipeline. The runtime is loaded with the first job: importing the package stays quick. */
  async start(plan: JobPlan, restore: RestoreOptions = {}): Promise<LocalJob> {
    this.#checkUp();
    const { LocalJob: Job } = await import('../runtime/job/local-job.ts');
    this.#checkUp();
    const job = new Job(plan, restore);
    this.#jobs.set(job.id, job);
    this.#running.add(job);
    this.#signals.update();
    void job.ended.then(() => {
      this.#running.delete(job);
      forgetEnded(this.#jobs, (one) => this.#running.has(one), MOST_ENDED_JOBS);
      this.#signals.update();
    });
    return job;
  }

  /** Submits what an environment holds; gives the job's id. A signal cancels the job. */
  async submitJob(environment: StreamEnvironment, options: { readonly signal?: AbortSignal } = {}): Promise<JobId> {
    const job = await environment.submit(options);
    return job.id;
  }

  /** Pauses a job: its sources wait. @throws SageError SAGE_JOB_NOT_FOUND */
  async pauseJob(id: JobId, options: WaitOptions = {}): Promise<JobInfo> {
    await this.#job(id).pause(options);
    return this.getJobStatus(id);
  }

  /** Lets a paused job go on. @throws SageError SAGE_JOB_NOT_FOUND */
  async resumeJob(id: JobId): Promise<JobInfo> {
    await this.#job(id).resume();
    return this.getJobStatus(id);
  }

  /**
   * Stops a job and waits for its end; one that has ended stays as it is.
   *
   * @throws SageError SAGE_JOB_NOT_FOUND, SAGE_JOB_STATE for a savepoint of one that has ended, or the job's error when it fails on its way to the end.
   */
  async stopJob(id: JobId, options: StopOptions = {}): Promise<JobInfo> {
    const job = this.#job(id);
    if (!ENDED.has(job.status) || options.savepoint !== undefined) await job.stop(options);
    return this.getJobStatus(id);
  }

  /** Cancels a job and waits for its end; one that has ended stays as it is. @throws SageError SAGE_JOB_NOT_FOUND */
  async cancelJob(id: JobId, options: WaitOptions = {}): Promise<JobInfo> {
    await this.#job(id).cancel(options);
    return this.getJobStatus(id);
  }

  /** Takes an ended job off the list; with `force` a running one is cancelled first. Deleting twice does nothing. */
  async deleteJob(id: JobId, options: WaitOptions & { readonly force?: boolean } = {}): Promise<boolean> {
    const job = this.#jobs.get(id);
    if (job === undefined) return false;
    if (!ENDED.has(job.status)) {
      if (options.force !== true) {
        throw new SageError('SAGE_JOB_STATE', `job '${job.name}' is ${job.status}; only jobs that have ended can be deleted`);
      }
      await job.cancel(options);
    }
    this.#jobs.delete(id);
    return true;
  }

  /** All jobs that are known, in the order in which they were submitted. */
  listJobs(): JobInfo[] {
    return [...this.#jobs.values()].map((job) => info(job));
  }

  /** @throws SageError SAGE_JOB_NOT_FOUND */
  getJobStatus(id: JobId): JobInfo {
    return info(this.#job(id));
  }

  /** The job itself. @throws SageError SAGE_JOB_NOT_FOUND */
  getJob(id: JobId): PublicJob {
    return this.#job(id);
  }

  /** The process and its jobs in numbers. */
  getServerInfo(): ServerInfo {
    return {
      pid: process.pid,
      cores: availableParallelism(),
      nodeVersion: process.version,
      jobs: this.#jobs.size,
      runningJobs: this.#running.size,
    };
  }

  /** Whether jobs can be submitted, and how many failed. */
  healthCheck(): { readonly healthy: boolean; readonly runningJobs: number; readonly failedJobs: number } {
    const failedJobs = [...this.#jobs.values()].filter((job) => job.status === 'failed').length;
    return { healthy: !this.#down, runningJobs: this.#running.size, failedJobs };
  }

  /** Cancels what runs and empties the list; gives the number of jobs that were in it. */
  async cleanupAllJobs(options: WaitOptions = {}): Promise<number> {
    const count = this.#jobs.size;
    await Promise.all([...this.#running].map((job) => job.cancel(options)));
    this.#jobs.clear();
    return count;
  }

  /** Stops all jobs (records in flight arrive) and takes no more. */
  async shutdown(options: WaitOptions = {}): Promise<void> {
    this.#down = true;
    const stopped = Promise.allSettled([...this.#running].map((job) => job.stop())).then(() => {
      if (only === this) only = undefined;
    });
    await abortableWait(stopped, options, 'shutdown', 'the jobs go on stopping');
  }

  #checkUp(): void {
    if (this.#down) throw new SageError('SAGE_ENV_CLOSED', 'the job manager was shut down');
  }

  #job(id: JobId): LocalJob {
    const job = this.#jobs.get(id);
    if (job === undefined) throw new SageError('SAGE_JOB_NOT_FOUND', `there is no job ${id}`);
    return job;
  }
}

function info(job: LocalJob): JobInfo {
  return { id: job.id, name: job.name, status: job.status, guarantee: job.guarantee, result: job.result, error: job.error };
}
