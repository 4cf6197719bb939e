import type { StartedJob } from '../environment/submit-observer.ts';
import type { JobMetrics, JobResult } from '../transformations/job.ts';
import type { BaseTransformation } from '../transformations/base-transformation.ts';
import { isStandardOutput } from '../transformations/sink-descriptor.ts';
import { SinkTransformation } from '../transformations/sink-transformation.ts';
import type { StreamEnvironment } from '../transformations/stream-environment.ts';
import { jobJson } from './job-json.ts';

/** What is shown of jobs. */
export interface JobReporterOptions {
  /**
   * Takes one line for each job that has ended; none when results are not wanted as JSON. `outputIsTaken` when a sink of the job has
   * written to standard output, where the line would be taken for a record.
   */
  readonly json: ((line: string, outputIsTaken: boolean) => void) | undefined;
  /** Takes what people read; none when nothing is wanted. */
  readonly people: NodeJS.WriteStream | undefined;
}

interface Watched {
  readonly job: StartedJob;
  readonly sources: ReadonlySet<number>;
  readonly sinks: ReadonlySet<number>;
  readonly outputIsTaken: boolean;
  lastRecords: number;
  lastMs: number;
}

const EVERY_MS = 250;
/** A terminal that does not say how wide it is says 0. */
const UNKNOWN_COLUMNS = 80;
const CLEAR_LINE = '\r\u001B[K';

/** Follows jobs: while they run one live line on a terminal, at their end a summary or their result as JSON. */
export class JobReporter {
  readonly #options: JobReporterOptions;
  readonly #running = new Set<Watched>();
  #timer: NodeJS.Timeout | undefined;
  #hasLine = false;
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
    const ids = (kind: 'source' | 'sink'): ReadonlySet<number> =>
      new Set(environment.pipeline.filter((operator) => operator.kind === kind).map((operator) => operator.id));
    const watched: Watched = { job, sources: ids('source'), sinks: ids('sink'), outputIsTaken: environment.pipeline.some(writesStandardOutput), lastRecords: 0, lastMs: performance.now() };
    this.#running.add(watched);
    // It must not keep a process alive whose jobs have ended.
    if (this.#options.people?.isTTY === true) this.#timer ??= setInterval(() => this.#showProgress(), EVERY_MS).unref();
    void job.ended.then(() => this.#ended(watched));
  }

  #ended(watched: Watched): void {
    const { job } = watched;
    this.#running.delete(watched);
    if (this.#running.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    this.#clear();
    if (job.status === 'failed' || job.status === 'canceled') this.#failed++;
    const { result } = job;
    if (result === undefined) return;
    this.#options.json?.(jobJson(result, job.error), watched.outputIsTaken);
    if (this.#options.json === undefined) this.#options.people?.write(`${summary(result)}\n`);
  }

  #showProgress(): void {
    const { people } = this.#options;
    if (people === undefined) return;
    const text = [...this.#running].map((watched) => progress(watched)).join('   ');
    people.write(`${CLEAR_LINE}${text.slice(0, (people.columns || UNKNOWN_COLUMNS) - 1)}`);
    this.#hasLine = true;
  }

  #clear(): void {
    if (this.#hasLine) this.#options.people?.write(CLEAR_LINE);
    this.#hasLine = false;
  }
}

function writesStandardOutput(operator: BaseTransformation): boolean {
  return operator instanceof SinkTransformation && operator.sink.form === 'native' && isStandardOutput(operator.sink.spec.path);
}

function progress(watched: Watched): string {
  const metrics = watched.job.metrics();
  const records = total(metrics, watched.sources, 'recordsOut');
  const nowMs = performance.now();
  const perSecond = ((records - watched.lastRecords) / Math.max(1, nowMs - watched.lastMs)) * 1000;
  watched.lastRecords = records;
  watched.lastMs = nowMs;
  const status = metrics.status === 'running' ? '' : ` (${metrics.status})`;
  return `${watched.job.name}${status}: ${short(records)} records in, ${short(perSecond)}/s, ${short(total(metrics, watched.sinks, 'recordsIn'))} out`;
}

function total(metrics: JobMetrics, ids: ReadonlySet<number>, field: 'recordsIn' | 'recordsOut'): number {
  return metrics.operators.filter((operator) => ids.has(operator.id)).reduce((sum, operator) => sum + operator[field], 0);
}

function summary({ name, status, recordsIn, recordsOut, durationMs }: JobResult): string {
  return `${name}: ${status} in ${(durationMs / 1000).toFixed(2)} s, ${recordsIn.toLocaleString('en')} records in, ${recordsOut.toLocaleString('en')} out`;
}

function short(count: number): string {
  if (count >= 1e6) return `${(count / 1e6).toFixed(2)} M`;
  if (count >= 1e3) return `${(count / 1e3).toFixed(1)} k`;
  return count.toFixed(0);
}
