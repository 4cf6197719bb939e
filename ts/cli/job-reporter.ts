import type { StartedJob } from '../environment/submit-observer.ts';
import type { BaseTransformation } from '../transformations/base-transformation.ts';
import { isStandardOutput } from '../transformations/sink-descriptor.ts';
import { SinkTransformation } from '../transformations/sink-transformation.ts';
import type { StreamEnvironment } from '../transformations/stream-environment.ts';
import { jobJson } from './job-json.ts';
import type { ProgressDisplay } from './progress/progress-display.ts';

/** What is shown of jobs. */
export interface JobReporterOptions {
  /**
   * Takes one line for each job that has ended; none when results are not wanted as JSON. `outputIsTaken` when a sink of the job has
   * written to standard output, where the line would be taken for a record.
   */
  readonly json: ((line: string, outputIsTaken: boolean) => void) | undefined;
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
    const outputIsTaken = environment.pipeline.some(writesStandardOutput);
    void job.ended.then(() => this.#ended(job, outputIsTaken));
  }

  #ended(job: StartedJob, outputIsTaken: boolean): void {
    this.#options.progress?.ended(job);
    if (job.status === 'failed' || job.status === 'canceled') this.#failed++;
    if (job.result !== undefined) this.#options.json?.(jobJson(job.result, job.error), outputIsTaken);
  }
}

function writesStandardOutput(operator: BaseTransformation): boolean {
  return operator instanceof SinkTransformation && operator.sink.form === 'native' && isStandardOutput(operator.sink.spec.path);
}
