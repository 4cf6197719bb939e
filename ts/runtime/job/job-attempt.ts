import { systemClock } from '../../common/clock.ts';
import { SageError, toSageError } from '../../common/errors.ts';
import type { JobId } from '../../common/ids.ts';
import { encodeExecutionGraph } from '../../compiler/execution/encode-execution-graph.ts';
import { DEFAULT_STALL_TIMEOUT_MS } from '../../transformations/environment-config.ts';
import type { JobMetrics, JobStatus, ScalingDecision } from '../../transformations/job.ts';
import { openAtWork } from '../isolate/at-work.ts';
import { runIsolate } from '../isolate/attach-isolate.ts';
import { DurableEpochs } from '../isolate/durable-epochs.ts';
import { EarlyEnds } from '../isolate/early-ends.ts';
import { type StateAnswer, type StateQuestion, StateReads } from '../isolate/state-reads.ts';
import type { JobLog } from '../logging/job-log.ts';
import { relayAssignment } from '../logging/log-relay.ts';
import type { Core } from '../native/core.ts';
import { loadCore } from '../native/load-core.ts';
import { stateDirectory } from '../native/state-directory.ts';
import { openAdmission } from '../worker/admission.ts';
import type { RecordedOutcomes } from '../stage/recorded-outcomes.ts';
import { serializeError } from '../worker/serialize-error.ts';
import { type WorkerHandle, startWorker } from '../worker/start-worker.ts';
import { checkCounts } from './check-counts.ts';
import { hasTransactions } from './check-transactions.ts';
import { coreErrorOf } from './core-error.ts';
import { ElasticStages, LOOK_EVERY_MS } from './elastic-stages.ts';
import { mayBeHeldBack } from './held-back.ts';
import { HeldBackWatch } from './held-back-watch.ts';
import type { EpochEvent, JobCheckpoints, SavepointEvent } from './job-checkpoints.ts';
import { makeJobMetrics, transformationsOf } from './job-metrics.ts';
import type { JobPlan } from './job-plan.ts';
import { type CoreMetrics, countOperators } from './job-result.ts';
import { noteRestored } from './note-restored.ts';
import { stallError } from './stall-error.ts';
import { UserMetricsOfJob } from './user-metrics.ts';

/** States from which a job does not come back. */
export const FINAL: ReadonlySet<string> = new Set(['finished', 'stopped', 'failed', 'canceled']);
/** Those in which outputs are committed. */
const GOOD_ENDS: ReadonlySet<string> = new Set(['finished', 'stopped']);
/** After the end of a job its workers have this long to close their functions. */
const CLOSE_DEADLINE_MS = 5_000;

/** The job that an attempt is one of. */
export interface AttemptHost {
  readonly jobId: JobId;
  readonly jobName: string;
  readonly log: JobLog;
  /** What has become of the checkpoints of all attempts. */
  readonly checkpoints: JobCheckpoints;
  /** For the core. */
  readonly checkpointsJson: string;
  /** Whether there is a checkpoint that another attempt goes on from, when this one has ended well but for a commit. */
  readonly hasCheckpoints: boolean;
  /** Whether what a checkpoint has may be left behind where nobody takes it. */
  readonly allowsDropped: boolean;
  /** Whether the job has written checkpoints, so that it is not to begin from nothing. */
  readonly mustGoOn: boolean;
  /** From 0. */
  readonly attempt: number;
}

/** How an attempt has ended, when its functions are closed. */
export interface AttemptEnd {
  readonly status: JobStatus;
  /** Why it failed or was cancelled, or what `close` threw behind a good end. */
  readonly error: SageError | undefined;
  /** Whether its outputs were committed. */
  readonly isCommitted: boolean;
  readonly snapshot: CoreMetrics;
  readonly userMetrics: UserMetricsOfJob;
  readonly scaling: readonly ScalingDecision[];
}

/** What has to be said of the metrics of an attempt by its job. */
type JobsMetrics = Pick<JobMetrics, 'restarts' | 'checkpoints'>;

/** One run of a job's graph in the core, from its start to the closing of its functions. */
export class JobAttempt {
  /** Resolves when the core has started it, or it is over before. */
  readonly started: Promise<void>;
  /** Never rejects. */
  readonly ended: Promise<AttemptEnd>;
  readonly #host: AttemptHost;
  /** Dropped at the end: an ended job stays listed, and must not hold on to its pipeline and the user's data in it. */
  #plan: JobPlan | undefined;
  readonly #core: Core;
  readonly #handle: number;
  readonly #abort = new AbortController();
  readonly #workers: WorkerHandle[] = [];
  readonly #leaveSources: () => void;
  readonly #started = Promise.withResolvers<void>();
  readonly #mainSettled = Promise.withResolvers<void>();
  readonly #earlyEnds = new EarlyEnds();
  readonly #durableEpochs = new DurableEpochs();
  /** Whether sinks commit when a checkpoint is safe. */
  readonly #hasTransactions: boolean;
  /** Of asynchronous calls, where they are recorded. */
  readonly #outcomes: RecordedOutcomes | undefined;
  /** All sinks have committed, or nothing more will be. */
  #hasSettled = false;
  /** Cancelled when nothing but commits was left. */
  #isGivenUp = false;
  readonly #stateReads = new StateReads();
  readonly #userMetrics = new UserMetricsOfJob();
  /** Operators that let no more records pass. */
  readonly #reached = new Set<number>();
  #settle!: { resolve: (status: JobStatus) => void };
  #status: JobStatus = 'initializing';
  /** Dropped at the end, as it knows the plan. */
  #elastic: ElasticStages | undefined;
  #heldBack: HeldBackWatch | undefined;
  #error: SageError | undefined;
  #isOver = false;

  /** Starts a compiled pipeline. @throws SageError when the core refuses the graph, or what it is to go on from. */
  constructor(plan: JobPlan, host: AttemptHost) {
    this.#plan = plan;
    this.#host = host;
    this.started = this.#started.promise;
    if (plan.outcomes !== undefined && plan.physical.isolates.workers > 0) throw new SageError('SAGE_INTERNAL', `job '${plan.name}' records outcomes of calls, and has worker threads, in which nobody could`);
    this.#core = loadCore();
    const graph = encodeExecutionGraph(plan.graph, { id: host.jobId, name: plan.name, stateDirectory: stateDirectory() });
    this.#handle = callCore(() => this.#core.createJob(graph, host.checkpointsJson));
    this.#hasTransactions = hasTransactions(plan);
    this.#outcomes = plan.outcomes?.attempt(Math.max(0, this.#core.checkpointRestored(this.#handle)));
    noteRestored(this.#core, this.#handle, plan, host);
    const ended = new Promise<JobStatus>((resolve) => {
      this.#settle = { resolve };
    });
    let leaveSources!: () => void;
    const stopping = new Promise<void>((resolve) => {
      leaveSources = resolve;
    });
    this.#leaveSources = leaveSources;
    this.#core.onJobEvent(this.#handle, (event) => this.#onEvent(event));
    const main = this.#startMain(plan, stopping);
    for (let isolate = 1; isolate <= plan.physical.isolates.workers; isolate++) this.#startWorker(plan, isolate);
    if (plan.physical.isolates.lateWorkers > 0) this.#elastic = new ElasticStages(plan);
    this.ended = this.#complete(plan, ended, main);
  }

  /** As the core has it; final once it is decided how the attempt ends, though functions are still to be closed. */
  get status(): JobStatus {
    if (!this.#isOver && !FINAL.has(this.#status)) this.#status = this.#core.jobStatus(this.#handle) as JobStatus;
    return this.#status;
  }

  /** Whether it is known how the attempt ends. */
  get isDecided(): boolean {
    return this.#isOver || this.#abort.signal.aborted || FINAL.has(this.#core.jobStatus(this.#handle));
  }

  /** Whether it has come to a good end but for the commits of its sinks, so that it can still be cancelled. */
  get isCommitting(): boolean {
    return this.#hasTransactions && !this.#hasSettled && GOOD_ENDS.has(this.#core.jobStatus(this.#handle));
  }

  /** Why it failed or was cancelled, so far. */
  get error(): SageError | undefined {
    return this.#error;
  }

  /** Nothing once it has ended. */
  metrics(status: JobStatus, ofJob: JobsMetrics): JobMetrics | undefined {
    if (this.#plan === undefined) return undefined;
    return { ...makeJobMetrics(this.#plan, status, this.#snapshot(), this.#userMetrics, this.#scaling), ...ofJob };
  }

  /** Looks whether event time has stood still for long. */
  lookForHeldBack(): void {
    this.#heldBack?.look();
  }

  async readState(question: StateQuestion): Promise<readonly StateAnswer[]> {
    const answers = await Promise.all([Promise.resolve().then(() => this.#stateReads.read(question)), ...this.#workers.map((worker) => worker.readState(question))]);
    return answers.flat();
  }

  /** Begins an epoch: its number, or -1 while one is in flight. */
  beginCheckpoint(): number {
    return callCore(() => this.#core.checkpointBegin(this.#handle));
  }

  /** Has a copy of the next epoch written. @throws SageError when that cannot be. */
  beginSavepoint(path: string): void {
    callCore(() => this.#core.savepointBegin(this.#handle, path));
  }

  pause(): void {
    callCore(() => this.#core.pauseJob(this.#handle));
  }

  resume(): void {
    callCore(() => this.#core.resumeJob(this.#handle));
  }

  /** A savepoint is not for `drain`. @throws SageError when it cannot be written there; the attempt goes on then. */
  stop(drain: boolean, savepoint?: string): void {
    // One whose end is known may still be closing its functions.
    if (this.isDecided) return;
    try {
      if (savepoint === undefined) this.#core.stopJob(this.#handle, drain);
      else this.#core.savepointStop(this.#handle, savepoint);
    } catch (error) {
      // A native thread may have ended the job just now.
      if (!this.isDecided) throw toSageError(error);
    }
    this.#leaveSources();
    for (const worker of this.#workers) worker.stop();
  }

  /** The first error is the one that counts. */
  fail(error: unknown): void {
    const sage = toSageError(error);
    // What functions do about `ctx.signal` is no failure: the job is over, and why is known. An error in `close` behind a
    // good end is one.
    if (this.#isOver || this.#abort.signal.aborted) return;
    this.#error ??= sage;
    const { code, message, context } = serializeError(sage);
    this.#core.failJob(this.#handle, JSON.stringify({ code, message, context }));
  }

  cancel(reason?: SageError): void {
    if (this.isCommitting) {
      // The next job that goes on from its last checkpoint commits.
      this.#isGivenUp = true;
      this.#error ??= reason;
      this.#leave(this.#error ?? this.#canceled());
      return;
    }
    if (this.isDecided) return;
    this.#core.cancelJob(this.#handle);
    // It may have come too late, as above.
    if (this.#core.jobStatus(this.#handle) !== 'canceled') return;
    this.#error ??= reason;
    this.#leave(this.#error ?? this.#canceled());
  }

  #canceled(): SageError {
    return new SageError('SAGE_JOB_CANCELED', `job '${this.#host.jobName}' was cancelled`);
  }

  /** The job was cancelled or has failed: everything that waits in it is told. */
  #leave(reason: SageError): void {
    if (this.#abort.signal.aborted) return;
    this.#abort.abort(reason);
    this.#leaveSources();
    for (const worker of this.#workers) worker.cancel();
  }

  get #scaling(): readonly ScalingDecision[] {
    return this.#elastic?.decisions ?? [];
  }

  #snapshot(): CoreMetrics {
    return JSON.parse(this.#core.jobMetrics(this.#handle)) as CoreMetrics;
  }

  #assignment(plan: JobPlan, isolate: number): Parameters<typeof startWorker>[0] {
    const { name, origin, fingerprint, graph, cores, splits } = plan;
    // A logger stays here; the lines of workers come to it.
    const { logger: _, ...config } = plan.config;
    return {
      job: this.#handle,
      jobId: this.#host.jobId,
      jobName: name,
      isolate,
      origin,
      // A program makes its environment again, with settings that need not be cloneable.
      config: origin.kind === 'module' ? config : {},
      cores,
      splits,
      fingerprint: fingerprint(),
      admission: openAdmission(),
      atWork: openAtWork(),
      logs: relayAssignment(this.#host.log.level),
      tasks: tasksOf(graph, isolate),
    };
  }

  #startWorker(plan: JobPlan, isolate: number): void {
    const worker = startWorker(this.#assignment(plan, isolate), plan.config.stallTimeoutMs ?? DEFAULT_STALL_TIMEOUT_MS, {
      onError: (error) => this.fail(error),
      onStall: (stall) => this.fail(stallError(plan, isolate, stall)),
      onLog: (entry) => this.#host.log.receive(entry),
      onLimit: (operator) => this.#limitReached(operator),
      onMetrics: (metrics) => this.#userMetrics.report(metrics),
    });
    this.#workers.push(worker);
    // One that comes late has missed what the others were told.
    const needless = needlessOperators(plan, this.#reached);
    if (needless.length > 0) worker.endEarly(needless);
  }

  /** Has elastic stages looked at until the returned function is called. */
  #watchElastic(plan: JobPlan): () => void {
    const elastic = this.#elastic;
    if (elastic === undefined) return () => undefined;
    // Taken now: a program may add operators to its environment for the next job.
    const fingerprint = plan.fingerprint();
    const timer = setInterval(() => {
      const isolate = elastic.look(this.#snapshot());
      if (isolate !== undefined) this.#startWorker({ ...plan, fingerprint: () => fingerprint }, isolate);
    }, LOOK_EVERY_MS);
    timer.unref();
    return () => {
      clearInterval(timer);
      // The job must not wait for one that is still being started.
      for (const worker of this.#workers) worker.dismiss();
    };
  }

  #watchHeldBack(plan: JobPlan): HeldBackWatch | undefined {
    const transformations = transformationsOf(plan);
    if (!mayBeHeldBack(transformations.values())) return undefined;
    const watch = new HeldBackWatch({
      clock: plan.config.clock ?? systemClock,
      logger: this.#host.log.logger,
      transformations,
      operators: () => countOperators(plan, this.#snapshot(), this.#userMetrics),
      isRunning: () => this.status === 'running',
    });
    if (plan.controls === undefined) watch.start();
    return watch;
  }

  async #startMain(plan: JobPlan, stopping: Promise<void>): Promise<void> {
    const { graph, physical, config } = plan;
    const tasks = tasksOf(graph, 0);
    if (tasks.length === 0) {
      this.#mainSettled.resolve();
      return;
    }
    await runIsolate({
      core: this.#core,
      job: this.#handle,
      isolate: 0,
      physical,
      tasks,
      facts: { jobId: this.#host.jobId, jobName: this.#host.jobName, config, signal: this.#abort.signal, attempt: this.#host.attempt, logger: this.#host.log.logger, instrument: plan.controls?.instrument, onTimer: plan.controls?.onTimer, outcomes: this.#outcomes },
      stopping,
      clock: config.clock ?? systemClock,
      schedule: plan.controls?.schedule,
      onError: (error) => this.fail(error),
      onLimit: (operator) => this.#limitReached(operator),
      onMetrics: (metrics) => this.#userMetrics.report(metrics),
      earlyEnds: this.#earlyEnds,
      durableEpochs: this.#durableEpochs,
      onSettled: this.#mainSettled.resolve,
      stateReads: this.#stateReads,
    });
  }

  /** Ends the operators whose records can reach no sink any more. */
  #limitReached(limit: number): void {
    this.#reached.add(limit);
    if (this.#plan === undefined) return;
    const { graph, physical } = this.#plan;
    const needless = needlessOperators(this.#plan, this.#reached);
    if (needless.length === 0) return;
    const isOver = (stage: number): boolean => {
      const sources = physical.stages[stage]!.nodes.filter(({ operator, op }) => operator.kind === 'source' && op.kind !== 'output');
      return sources.length > 0 && sources.every(({ operator }) => needless.includes(operator.id));
    };
    for (const { id, stage } of graph.tasks) if (isOver(stage)) this.#core.endSource(this.#handle, id);
    this.#earlyEnds.end(needless);
    for (const worker of this.#workers) worker.endEarly(needless);
  }

  #onEvent(json: string): void {
    const event = JSON.parse(json) as JobEvent;
    if ('event' in event) {
      this.#host.checkpoints.note(event);
      if (event.event === 'epoch' && event.state === 'completed') this.#tellDurable(event.epoch);
      if (event.event === 'epoch' && event.state === 'failed') this.#host.log.logger.warn({ epoch: event.epoch, err: event.error }, `checkpoint ${event.epoch} of job '${this.#host.jobName}' could not be written: ${event.error?.message ?? 'no reason was given'}`);
      return;
    }
    if (event.type === 'failure') {
      this.#error ??= coreErrorOf(this.#plan, event.error);
      this.#leave(this.#error);
      return;
    }
    this.#started.resolve();
    if (!FINAL.has(event.state)) {
      this.#status = event.state;
      return;
    }
    if (event.state === 'canceled' || event.state === 'failed') {
      this.#leave(this.#error ?? this.#canceled());
    }
    this.#leaveSources();
    if (GOOD_ENDS.has(event.state)) this.#tellDurable(Number.POSITIVE_INFINITY);
    this.#settle.resolve(event.state);
  }

  /** What was prepared for this epoch may be committed. */
  #tellDurable(epoch: number): void {
    if (!this.#hasTransactions && this.#outcomes === undefined) return;
    this.#durableEpochs.tell(epoch);
    for (const worker of this.#workers) worker.tellDurable(epoch);
  }

  /** Until all sinks have committed, or one could not, or the job was cancelled. */
  async #untilCommitted(): Promise<void> {
    const { signal } = this.#abort;
    const canceled = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await Promise.race([canceled, Promise.all([this.#mainSettled.promise, ...this.#workers.map(({ settled }) => settled)])]);
  }

  #checkCounts(plan: JobPlan, snapshot: CoreMetrics): void {
    if (this.#error !== undefined || this.#isGivenUp) return;
    try {
      checkCounts(plan, snapshot);
    } catch (error) {
      this.#error = toSageError(error);
    }
  }

  async #complete(plan: JobPlan, ended: Promise<JobStatus>, main: Promise<void>): Promise<AttemptEnd> {
    const unwatch = this.#watchElastic(plan);
    this.#heldBack = this.#watchHeldBack(plan);
    const core = await ended;
    unwatch();
    this.#started.resolve();
    this.#heldBack?.stop();
    this.#heldBack = undefined;
    if (this.isCommitting) await this.#untilCommitted();
    this.#hasSettled = true;
    const late = setTimeout(() => {
      for (const worker of this.#workers) worker.terminate();
    }, CLOSE_DEADLINE_MS);
    await Promise.allSettled([main, ...this.#workers.map((worker) => worker.closed)]);
    clearTimeout(late);
    const snapshot = this.#snapshot();
    if (GOOD_ENDS.has(core)) this.#checkCounts(plan, snapshot);
    // An error in `close` comes after the core has ended the job well.
    this.#status = this.#isGivenUp ? 'canceled' : this.#error === undefined || core === 'canceled' ? core : 'failed';
    this.#isOver = true;
    const end: AttemptEnd = {
      status: this.#status,
      error: this.#error,
      // What a sink could not commit is in the last checkpoint, from which another attempt goes on.
      isCommitted: GOOD_ENDS.has(core) && !(this.#host.hasCheckpoints && this.#error?.code === 'SAGE_USER_COMMIT'),
      snapshot,
      userMetrics: this.#userMetrics,
      scaling: this.#scaling,
    };
    if (end.isCommitted) this.#outcomes?.forget(Number.POSITIVE_INFINITY);
    this.#plan = undefined;
    this.#elastic = undefined;
    this.#workers.length = 0;
    this.#core.dropJob(this.#handle);
    return end;
  }
}

/** What the core says of a job. */
type JobEvent =
  | { readonly type: 'state'; readonly state: JobStatus }
  | { readonly type: 'failure'; readonly error: { readonly code: string; readonly message: string; readonly context?: Readonly<Record<string, unknown>> } }
  | EpochEvent
  | SavepointEvent;

function callCore<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw toSageError(error);
  }
}

/** Operators whose records can reach no sink any more, when these have reached their limit. */
function needlessOperators({ physical }: JobPlan, reached: ReadonlySet<number>): number[] {
  return physical.earlyEnds.filter(({ limits }) => limits.every((one) => reached.has(one))).map(({ operator }) => operator as number);
}

function tasksOf(graph: JobPlan['graph'], isolate: number): { task: number; stage: number; instance: number }[] {
  return graph.tasks
    .filter((task) => task.isolate === isolate)
    .map((task) => ({ task: task.id, stage: task.stage, instance: task.instance }));
}
