import type { StartedJob } from '../environment/submit-observer.ts';
import type { StreamEnvironment } from '../transformations/stream-environment.ts';
import { jobJson } from './job-json.ts';
import type { ProgressDisplay } from './progress/progress-display.ts';

/** What is shown of jobs. */
export interface JobReporterOptions {
  /** Takes one line for each job that has ended; none when results are not wanted as JSON. */
  readonly json: ((line: string) => void) | undefined;
  /** Shows people what jobs do; none when nothing is wanted. */
  readonly progress: ProgressDisplay | undefined;
}

/** Follows jobs to their end: progress for people, results as JSON for programs, and how many have failed. */
export class JobReporter {
  readonly #options: JobReporterOptions;
  #failed = 0;

  constructor(options: JobReporterOptions) {
    this.#options = options;
  }

  /** How many jobs have failed, or were cancelled, so far. */
  get failedJobs(): number {
    return this.#failed;
  }

  /** Follows a job to its end. */
  watch(job: StartedJob, environment: StreamEnvironment): void {
    this.#options.progress?.started(job, environment);
    void job.ended.then(() => this.#ended(job));
  }

  #ended(job: StartedJob): void {
    this.#options.progress?.ended(job);
    if (job.status === 'failed' || job.status === 'canceled') this.#failed++;
    if (job.result !== undefined) this.#options.json?.(jobJson(job.result, job.error));
  }
}
