import type { StartedJob } from '../../environment/submit-observer.ts';
import type { JobMetrics, JobStatus, OperatorCounts, StageMetrics } from '../../transformations/job.ts';
import type { StreamEnvironment } from '../../transformations/stream-environment.ts';

/** What a stage has mostly done since the last look at it. */
export type StageMark = 'backpressure' | 'idle' | 'done' | undefined;

/** An operator as it is shown. */
export interface OperatorProgress {
  readonly name: string;
  readonly instances: number;
  readonly recordsIn: number;
  readonly recordsOut: number;
  /** Records taken in a second, of sources those given; smoothed. */
  readonly recordsPerSecond: number;
  /** How full the queue is that the stage takes records from, only for its first operator; 1 is full. */
  readonly queueFill: number | undefined;
  /** Of the whole stage, and so only for its first operator. */
  readonly mark: StageMark;
}

/** A job as it is shown. */
export interface JobProgress {
  readonly name: string;
  readonly status: JobStatus;
  readonly elapsedMs: number;
  readonly recordsIn: number;
  readonly recordsOut: number;
  readonly recordsPerSecond: number;
  /** In the order of stages, producers first. */
  readonly operators: readonly OperatorProgress[];
}

/** Share of its time without credit at which a stage counts as held back. */
const BACKPRESSURE_SHARE = 0.1;
const IDLE_SHARE = 0.95;
/** A change of rate is seen to two thirds after this time. */
const SMOOTHING_MS = 1_000;

interface Times {
  readonly idleMs: number;
  readonly backPressuredMs: number;
  readonly allMs: number;
}

/** Looks at a job again and again, and works out what happened between two looks: rates, and what stages spent their time on. */
export class JobSampler {
  readonly #job: StartedJob;
  readonly #sources: ReadonlySet<number>;
  readonly #sinks: ReadonlySet<number>;
  readonly #startedMs: number;
  readonly #rates = new Map<number, { records: number; perSecond: number }>();
  readonly #times = new Map<number, Times>();
  #lastMs: number;

  /** @param nowMs of a clock that only goes forward. */
  constructor(job: StartedJob, environment: StreamEnvironment, nowMs: number) {
    const ids = (kind: 'source' | 'sink'): ReadonlySet<number> =>
      new Set(environment.pipeline.filter((operator) => operator.kind === kind).map((operator) => operator.id));
    this.#job = job;
    this.#sources = ids('source');
    this.#sinks = ids('sink');
    this.#startedMs = nowMs;
    this.#lastMs = nowMs;
  }

  /** The job as it is now. */
  sample(nowMs: number): JobProgress {
    const metrics = this.#job.metrics();
    const sinceMs = Math.max(1, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
    for (const operator of metrics.operators) this.#measureRate(operator, sinceMs);
    const sources = metrics.operators.filter(({ id }) => this.#sources.has(id));
    return {
      name: this.#job.name,
      status: metrics.status,
      elapsedMs: nowMs - this.#startedMs,
      recordsIn: sources.reduce((sum, { recordsOut }) => sum + recordsOut, 0),
      recordsOut: metrics.operators.filter(({ id }) => this.#sinks.has(id)).reduce((sum, { recordsIn }) => sum + recordsIn, 0),
      recordsPerSecond: sources.reduce((sum, { id }) => sum + this.#rates.get(id)!.perSecond, 0),
      operators: this.#operators(metrics),
    };
  }

  #operators(metrics: JobMetrics): OperatorProgress[] {
    const byId = new Map(metrics.operators.map((operator) => [operator.id, operator]));
    return metrics.stages.flatMap((stage, n) => {
      const mark = this.#mark(stage, n);
      return stage.operators.flatMap((id, place) => {
        const counts = byId.get(id);
        // One that runs in several stages is counted and shown once.
        if (counts === undefined || !byId.delete(id)) return [];
        const { name, recordsIn, recordsOut } = counts;
        const ofStage = place === 0 ? { queueFill: stage.queueFill, mark } : { queueFill: undefined, mark: undefined };
        return [{ name, instances: stage.instances, recordsIn, recordsOut, recordsPerSecond: this.#rates.get(id)!.perSecond, ...ofStage }];
      });
    });
  }

  #measureRate({ id, recordsIn, recordsOut }: OperatorCounts, sinceMs: number): void {
    const records = this.#sources.has(id) ? recordsOut : recordsIn;
    const last = this.#rates.get(id);
    const perSecond = ((records - (last?.records ?? 0)) / sinceMs) * 1000;
    const weight = last === undefined ? 1 : 1 - Math.exp(-sinceMs / SMOOTHING_MS);
    this.#rates.set(id, { records, perSecond: (last?.perSecond ?? 0) * (1 - weight) + perSecond * weight });
  }

  #mark(stage: StageMetrics, n: number): StageMark {
    const { busyTimeMs, idleTimeMs, backPressuredTimeMs } = stage;
    const now = { idleMs: idleTimeMs, backPressuredMs: backPressuredTimeMs, allMs: busyTimeMs + idleTimeMs + backPressuredTimeMs };
    const last = this.#times.get(n) ?? { idleMs: 0, backPressuredMs: 0, allMs: 0 };
    this.#times.set(n, now);
    if (stage.instances > 0 && stage.finishedInstances === stage.instances) return 'done';
    const allMs = Math.max(Number.MIN_VALUE, now.allMs - last.allMs);
    if ((now.backPressuredMs - last.backPressuredMs) / allMs > BACKPRESSURE_SHARE) return 'backpressure';
    return (now.idleMs - last.idleMs) / allMs > IDLE_SHARE ? 'idle' : undefined;
  }
}
