import type { ScalingDecision } from '../../transformations/job.ts';
import type { JobPlan } from './job-plan.ts';
import type { CoreMetrics, CoreTaskMetrics } from './job-result.ts';

/** How often a job with elastic stages is looked at. */
export const LOOK_EVERY_MS = 250;
/** A look that comes sooner after the last one than this says too little. */
const LEAST_INTERVAL_NANOS = (LOOK_EVERY_MS / 2) * 1e6;
/** So many looks in a row must find a stage to be the bottleneck. */
const HOT_LOOKS = 2;
/** A thread that works for this share of the time has none left. */
const BUSY = 0.8;
/** A stage that has less than this share of its thread's time cannot be what holds the thread up. */
const OWN = 0.3;
/** A task that waits for credit for this share of the time is held up by what is behind it. */
const BACKPRESSURED = 0.2;
/** Records that take the stage longer than this are worth another thread, though the source has none left. */
const BACKLOG_SECONDS = 1;
/** What a new instance brings is judged after so long. */
const SETTLE_NANOS = 1e9;
/** A new instance that brings less than this is the last one. */
const LEAST_GAIN = 1.1;

/** A stage that looked like the bottleneck, since when, and what it had done then. */
interface Hot {
  looks: number;
  readonly since: CoreMetrics;
}

/** How busy a stage was between two looks, as shares of the time. */
interface Load {
  /** Of the least busy of its threads, everything that runs there together. */
  readonly thread: number;
  /** Of its own tasks, on average. */
  readonly own: number;
  /** Records in its queues. */
  readonly waiting: number;
  readonly isBottleneck: boolean;
}

/** The instance that was added last. */
interface Added {
  readonly stage: number;
  readonly isolate: number;
  /** Records a second that the stage took before. */
  readonly ratePerSecond: number;
  /** The look at which its tasks were awake first. */
  awakeSince: CoreMetrics | undefined;
}

/**
 * Decides when the elastic stages of a job get another instance. It is given what the core has counted, now and then, and
 * keeps no time of its own: the same counts give the same decisions.
 *
 * A new instance is a worker thread, and takes one instance of each elastic stage: instance i runs in isolate i.
 */
export class ElasticStages {
  readonly #plan: Pick<JobPlan, 'graph' | 'physical'>;
  /** Ids of the elastic stages. */
  readonly #stages: readonly number[];
  readonly #hot = new Map<number, Hot>();
  readonly #decisions: ScalingDecision[] = [];
  #last: CoreMetrics | undefined;
  #added: Added | undefined;
  #workers = 0;
  #isDone = false;

  constructor(plan: Pick<JobPlan, 'graph' | 'physical'>) {
    this.#plan = plan;
    this.#stages = plan.physical.stages.filter(({ placement }) => placement === 'elastic').map(({ id }) => id);
  }

  /** What was decided so far, oldest first. */
  get decisions(): readonly ScalingDecision[] {
    return [...this.#decisions];
  }

  /** Takes note of the counts of now; gives the isolate of a worker that is to be started, if one is. */
  look(now: CoreMetrics): number | undefined {
    if (now.state !== 'running') {
      // Neither waiting records nor idle threads say anything while a job is paused, starts or ends.
      this.#last = undefined;
      this.#hot.clear();
      return undefined;
    }
    const last = this.#last;
    if (last !== undefined && now.durationNanos - last.durationNanos < LEAST_INTERVAL_NANOS) return undefined;
    this.#last = now;
    if (last === undefined || this.#isDone || this.#workers === this.#plan.physical.isolates.lateWorkers) return undefined;
    if (this.#added !== undefined && !this.#isSettled(this.#added, now)) return undefined;
    return this.#isDone ? undefined : this.#grow(last, now);
  }

  /** Whether it is known what the last new instance has brought. When that was too little there will be no other. */
  #isSettled(added: Added, now: CoreMetrics): boolean {
    if (added.awakeSince === undefined) {
      // Its worker is still being started.
      if (this.#tasksOf(added.stage, now).some((task) => task.isolate === added.isolate && task.awake)) added.awakeSince = now;
      return false;
    }
    if (now.durationNanos - added.awakeSince.durationNanos < SETTLE_NANOS) return false;
    this.#added = undefined;
    const rate = this.#ratePerSecond(added.stage, added.awakeSince, now);
    if (rate < added.ratePerSecond * LEAST_GAIN) {
      this.#isDone = true;
      const change = `${shown(added.ratePerSecond)} records a second before, ${shown(rate)} with it`;
      this.#decide(added.stage, now, `the last instance of ${this.#name(added.stage)} brought little (${change}): no other one`);
    }
    return true;
  }

  #grow(last: CoreMetrics, now: CoreMetrics): number | undefined {
    let busiest: { readonly stage: number; readonly load: Load; readonly hot: Hot } | undefined;
    for (const stage of this.#stages) {
      const load = this.#loadOf(stage, last, now);
      if (!load.isBottleneck) {
        this.#hot.delete(stage);
        continue;
      }
      const hot = this.#hot.get(stage) ?? { looks: 0, since: last };
      hot.looks++;
      this.#hot.set(stage, hot);
      if (hot.looks >= HOT_LOOKS && (busiest === undefined || load.own > busiest.load.own)) busiest = { stage, load, hot };
    }
    if (busiest === undefined) return undefined;
    const { stage, hot } = busiest;
    const load = this.#loadOf(stage, hot.since, now);
    this.#workers++;
    const isolate = this.#workers;
    this.#added = { stage, isolate, ratePerSecond: this.#ratePerSecond(stage, hot.since, now), awakeSince: undefined };
    this.#hot.clear();
    const ms = Math.round((now.durationNanos - hot.since.durationNanos) / 1e6);
    const where = isolate === 1 ? 'the main isolate was' : `each of the ${isolate} isolates of ${this.#name(stage)} was`;
    const work = `${where} busy ${percent(load.thread)} of ${shown(ms)} ms, ${percent(load.own)} with ${this.#name(stage)}`;
    this.#decide(stage, now, `${work}, and ${shown(load.waiting)} records waited for it: ${ordinal(isolate + 1)} instance`);
    return isolate;
  }

  #loadOf(stage: number, from: CoreMetrics, to: CoreMetrics): Load {
    const nanos = to.durationNanos - from.durationNanos;
    const spent = (task: CoreTaskMetrics, kind: 'busyNanos' | 'backpressuredNanos'): number => (task[kind] - from.tasks[task.task]![kind]) / nanos;
    const own = this.#tasksOf(stage, to).filter(({ awake }) => awake);
    const threads = own.map(({ isolate }) => Math.min(1, sum(to.tasks.filter((task) => task.isolate === isolate).map((task) => spent(task, 'busyNanos')))));
    const ids = new Set(own.map(({ task }) => task));
    const inputs = this.#plan.graph.edges.filter(({ toTask }) => ids.has(toTask));
    const waiting = sum(inputs.map(({ id }) => to.edges[id]!.queued));
    const isHalfFull = waiting >= sum(inputs.map(({ maxRows }) => maxRows)) / 2;
    const isBacklog = waiting > this.#ratePerSecond(stage, from, to) * BACKLOG_SECONDS;
    const holdsUp = inputs.some(({ fromTask }) => spent(to.tasks[fromTask]!, 'backpressuredNanos') > BACKPRESSURED);
    const isHeldUp = own.some((task) => spent(task, 'backpressuredNanos') > BACKPRESSURED);
    const load = { thread: Math.min(1, ...threads), own: sum(own.map((task) => spent(task, 'busyNanos'))) / own.length, waiting };
    const isBottleneck = load.thread > BUSY && load.own > OWN && waiting > 0 && (isHalfFull || isBacklog || holdsUp) && !isHeldUp;
    return { ...load, isBottleneck };
  }

  #ratePerSecond(stage: number, from: CoreMetrics, to: CoreMetrics): number {
    const taken = (metrics: CoreMetrics): number => sum(this.#tasksOf(stage, metrics).map(({ recordsIn }) => recordsIn));
    return ((taken(to) - taken(from)) * 1e9) / (to.durationNanos - from.durationNanos);
  }

  #tasksOf(stage: number, { tasks }: CoreMetrics): readonly CoreTaskMetrics[] {
    return tasks.filter((task) => task.stage === stage);
  }

  #decide(stage: number, { durationNanos }: CoreMetrics, reason: string): void {
    this.#decisions.push({ stage: this.#plan.physical.stages[stage]!.name, instances: this.#workers + 1, atMs: Math.round(durationNanos / 1e6), reason });
  }

  #name(stage: number): string {
    return `'${this.#plan.physical.stages[stage]!.name}'`;
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function shown(number: number): string {
  return Math.round(number).toLocaleString('en-US');
}

function ordinal(instance: number): string {
  return instance === 2 ? 'a second' : instance === 3 ? 'a third' : `a ${instance}th`;
}
