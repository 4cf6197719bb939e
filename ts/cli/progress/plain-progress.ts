import type { StartedJob } from '../../environment/submit-observer.ts';
import type { StreamEnvironment } from '../../transformations/stream-environment.ts';
import { JobSampler } from './job-sampler.ts';
import { jobSummary } from './job-summary.ts';
import type { ProgressDisplay } from './progress-display.ts';
import { jobLine } from './progress-table.ts';

const EVERY_MS = 10_000;

/** For pipes, files and logs: a line for each job that runs long, every ten seconds, and one at its end. */
export class PlainProgress implements ProgressDisplay {
  readonly #output: Pick<NodeJS.WriteStream, 'write'>;
  readonly #summaries: boolean;
  readonly #running = new Map<StartedJob, NodeJS.Timeout>();

  /** @param summaries whether ended jobs leave a line. */
  constructor(output: Pick<NodeJS.WriteStream, 'write'>, summaries: boolean) {
    this.#output = output;
    this.#summaries = summaries;
  }

  started(job: StartedJob, environment: StreamEnvironment): void {
    const sampler = new JobSampler(job, environment, performance.now());
    const timer = setInterval(() => {
      const progress = sampler.sample(performance.now());
      const held = progress.operators.filter(({ mark }) => mark === 'backpressure').map(({ name }) => name);
      this.#output.write(`${jobLine(progress)}${held.length === 0 ? '' : ` [backpressure: ${held.join(', ')}]`}\n`);
    }, EVERY_MS);
    // It must not keep a process alive whose jobs have ended.
    this.#running.set(job, timer.unref());
  }

  ended(job: StartedJob): void {
    clearInterval(this.#running.get(job));
    this.#running.delete(job);
    if (this.#summaries && job.result !== undefined) this.#output.write(`${jobSummary(job.result)}\n`);
  }
}
