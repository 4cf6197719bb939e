import type { Core } from '../native/core.ts';
import type { InstanceMetrics } from './instance-metrics.ts';
import type { IsolateTask } from './isolate-loop.ts';

const REPORT_EVERY_MS = 100;

/** What the reports of an isolate are about, and who is told. */
export interface IsolateReportsOptions {
  readonly core: Core;
  readonly isolate: number;
  readonly tasks: ReadonlyMap<number, IsolateTask>;
  readonly onMetrics: (metrics: readonly InstanceMetrics[]) => void;
}

/** Tells the core now and then what the tasks of an isolate have counted. */
export class IsolateReports {
  readonly #options: IsolateReportsOptions;
  #lastMs = 0;
  /** Whether a task has worked since the last report. */
  #hasNews = false;
  /** Will report what has been done before the isolate came to rest. */
  #timer: NodeJS.Timeout | undefined;

  constructor(options: IsolateReportsOptions) {
    this.#options = options;
  }

  /** A task has worked. */
  noteWork(): void {
    this.#hasNews = true;
  }

  /** Reports, unless that was done a moment ago. */
  look(): void {
    if (performance.now() - this.#lastMs < REPORT_EVERY_MS) return;
    this.now();
  }

  /** What was done since the last report is told although nothing more may happen. */
  later(): void {
    if (this.#timer !== undefined || !this.#hasNews) return;
    const leftMs = REPORT_EVERY_MS - (performance.now() - this.#lastMs);
    const report = (): void => {
      this.#timer = undefined;
      this.now();
    };
    if (leftMs <= 0) report();
    else this.#timer = setTimeout(report, leftMs).unref();
  }

  now(): void {
    this.#lastMs = performance.now();
    this.#hasNews = false;
    const { core, isolate, tasks } = this.#options;
    for (const [id, task] of tasks) core.reportCounts(isolate, id, task.counts());
    this.metrics();
  }

  /** What user code counts itself. */
  metrics(): void {
    const metrics = [...this.#options.tasks.values()].flatMap((task) => task.metrics());
    if (metrics.length > 0) this.#options.onMetrics(metrics);
  }

  /** No report comes later. */
  leave(): void {
    clearTimeout(this.#timer);
  }
}
