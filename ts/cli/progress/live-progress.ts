import type { StartedJob } from '../../environment/submit-observer.ts';
import type { StreamEnvironment } from '../../transformations/stream-environment.ts';
import { JobSampler } from './job-sampler.ts';
import { jobSummary } from './job-summary.ts';
import { LiveBlock } from './live-block.ts';
import type { ProgressDisplay } from './progress-display.ts';
import { progressTable } from './progress-table.ts';

const EVERY_MS = 250;
/** Of terminals that do not say. */
const UNKNOWN_SIZE = { columns: 80, rows: 24 } as const;

/** A table of all running jobs at the end of a terminal, drawn four times a second; what jobs came to stands above it. */
export class LiveProgress implements ProgressDisplay {
  readonly #terminal: NodeJS.WriteStream;
  readonly #written: readonly NodeJS.WriteStream[];
  readonly #summaries: boolean;
  readonly #running = new Map<StartedJob, JobSampler>();
  readonly #redraw = (): void => this.draw();
  #block: LiveBlock | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param written all streams that lead to the terminal. @param summaries whether ended jobs leave a line. */
  constructor(terminal: NodeJS.WriteStream, written: readonly NodeJS.WriteStream[], summaries: boolean) {
    this.#terminal = terminal;
    this.#written = written;
    this.#summaries = summaries;
  }

  started(job: StartedJob, environment: StreamEnvironment): void {
    this.#running.set(job, new JobSampler(job, environment, performance.now()));
    if (this.#block !== undefined) return;
    this.#block = new LiveBlock(this.#terminal, this.#written);
    // It must not keep a process alive whose jobs have ended.
    this.#timer = setInterval(this.#redraw, EVERY_MS).unref();
    this.#terminal.on('resize', this.#redraw);
  }

  ended(job: StartedJob): void {
    this.#running.delete(job);
    if (this.#running.size === 0) {
      clearInterval(this.#timer);
      this.#terminal.off('resize', this.#redraw);
      this.#block?.close();
      this.#block = undefined;
    } else this.#block?.clear();
    if (this.#summaries && job.result !== undefined) this.#terminal.write(`${jobSummary(job.result)}\n`);
  }

  /** Draws the table as it is now; a timer does it four times a second. */
  draw(): void {
    const nowMs = performance.now();
    const { columns, rows } = this.#terminal;
    const size = { columns: columns || UNKNOWN_SIZE.columns, rows: rows || UNKNOWN_SIZE.rows, hasColours: this.#terminal.hasColors() };
    this.#block?.show(progressTable([...this.#running.values()].map((sampler) => sampler.sample(nowMs)), size));
  }
}
