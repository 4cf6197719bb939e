import type { StartedJob } from '../../../../ts/environment/submit-observer.ts';
import { LocalEnvironment } from '../../../../ts/environment/local-environment.ts';
import type { JobMetrics, JobResult, OperatorCounts, StageMetrics } from '../../../../ts/transformations/job.ts';

/** The environment whose job is played: a source, a map and a sink. */
export const env: LocalEnvironment = new LocalEnvironment('orders');
env.fromCollection([1]).map((n) => n).named('parse').sink(() => undefined);

/** A job of two stages, source with map and sink, whose counts and times the test sets. */
export class ScriptedJob {
  readonly id = '5f0c8c7e-0000-4000-8000-000000000000';
  readonly name: string;
  status: JobMetrics['status'] = 'running';
  read = 0;
  written = 0;
  queueFill = 0;
  /** Busy, idle and backpressured, of each of two stages. */
  readonly times: [busy: number, idle: number, held: number][] = [[0, 0, 0], [0, 0, 0]];
  finished = false;
  result: JobResult | undefined;
  error = undefined;
  readonly #end = Promise.withResolvers<void>();
  readonly ended = this.#end.promise;

  constructor(name = 'orders') {
    this.name = name;
  }

  /** The job as those see it who follow one. */
  get started(): StartedJob {
    return this as unknown as StartedJob;
  }

  /** Lets time pass: what each stage spent it on. */
  pass(...spent: readonly (readonly [busy: number, idle: number, held: number])[]): void {
    for (const [stage, times] of spent.entries()) for (const [n, ms] of times.entries()) this.times[stage]![n]! += ms;
  }

  metrics(): JobMetrics {
    const operators = [counts(0, 'source', this.read, this.read), counts(1, 'parse', this.read, this.read), counts(2, 'sink', this.written, 0)];
    const stage = (n: number, operatorIds: readonly number[], queueFill: number | undefined): StageMetrics => {
      const [busyTimeMs, idleTimeMs, backPressuredTimeMs] = this.times[n]!;
      const name = operatorIds.map((id) => operators[id]!.name).join(' -> ');
      return { name, operators: operatorIds, instances: 2, finishedInstances: this.finished ? 2 : 0, numRecordsIn: 0, numRecordsOut: 0, busyTimeMs, idleTimeMs, backPressuredTimeMs, queueFill };
    };
    return { status: this.status, operators, edges: [], stages: [stage(0, [0, 1], undefined), stage(1, [2], this.queueFill)], tasks: [], scaling: [], restarts: 0, guarantee: { level: 'none', limits: [] } };
  }

  async end(status: JobResult['status']): Promise<void> {
    this.status = status;
    const { operators } = this.metrics();
    this.result = {
      jobId: this.id, name: this.name, status, recordsIn: this.read, recordsOut: this.written, recordsDropped: 0, recordsSkipped: 0,
      deadLetters: 0, durationMs: 1500, isolates: 1, operators, edges: [], scaling: [], restarts: 0, guarantee: { level: 'none', limits: [] },
    };
    this.#end.resolve();
    await this.ended;
    await Promise.resolve();
  }
}

function counts(id: number, name: string, recordsIn: number, recordsOut: number): OperatorCounts {
  return { id, name, recordsIn, recordsOut, recordsDropped: 0, recordsFiltered: 0, recordsSkipped: 0, deadLetters: 0 };
}
