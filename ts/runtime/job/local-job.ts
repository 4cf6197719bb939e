import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';

import { abortableWait, type WaitOptions } from '../../common/abortable-wait.ts';
import { systemClock } from '../../common/clock.ts';
import { atOperator, SageError, toSageError } from '../../common/errors.ts';
import { failingOperator } from '../../compiler/physical-plan.ts';
import type { JobId } from '../../common/ids.ts';
import type { SourceLocation } from '../../common/source-location.ts';
import type { Job, JobMetrics, JobResult, JobState, JobStatus, ScalingDecision, StopOptions } from '../../transformations/job.ts';
import { runIsolate } from '../isolate/attach-isolate.ts';
import { EarlyEnds } from '../isolate/early-ends.ts';
import { type StateAnswer, type StateQuestion, StateReads } from '../isolate/state-reads.ts';
import { JobLog } from '../logging/job-log.ts';
import { relayAssignment } from '../logging/log-relay.ts';
import type { Core } from '../native/core.ts';
import { stateDirectory } from '../native/state-directory.ts';
import { encodeExecutionGraph } from '../../compiler/execution/encode-execution-graph.ts';
import { loadCore } from '../native/load-core.ts';
import { openAdmission } from '../worker/admission.ts';
import { type WorkerHandle, startWorker } from '../worker/start-worker.ts';
import { serializeError } from '../worker/serialize-error.ts';
import type { JobPlan } from './job-plan.ts';
import { ElasticStages, LOOK_EVERY_MS } from './elastic-stages.ts';
import { mayBeHeldBack } from './held-back.ts';
import { HeldBackWatch } from './held-back-watch.ts';
import { makeJobMetrics, transformationsOf } from './job-metrics.ts';
import { type CoreMetrics, countOperators, makeJobResult } from './job-result.ts';
import { LocalJobState, operatorWithState } from './local-job-state.ts';
import { UserMetricsOfJob } from './user-metrics.ts';

const FINAL: ReadonlySet<string> = new Set(['finished', 'stopped', 'failed', 'canceled']);
/** After the end of a job its workers have this long to close their functions. */
const CLOSE_DEADLINE_MS = 5_000;
/** Timers longer than this wrap around in Node. */
const FOREVER_MS = 2 ** 30;

/** A job in this process. */
export class LocalJob implements Job {
  readonly id: JobId = randomUUID();
  readonly name: string;
  /** Dropped at the end: an ended job stays listed, and must not hold on to its pipeline and the user's data in it. */
  #plan: JobPlan | undefined;
  readonly #core: Core;
  readonly #handle: number;
  readonly #abort = new AbortController();
  readonly #log: JobLog;
  readonly #startedMs = performance.now();
  readonly #workers: WorkerHandle[] = [];
  readonly #completion: Promise<JobResult>;
  readonly #keepAlive: NodeJS.Timeout;
  readonly #leaveSources: () => void;
  readonly #started = Promise.withResolvers<void>();
  readonly #earlyEnds = new EarlyEnds();
  readonly #stateReads = new StateReads();
  readonly #userMetrics = new UserMetricsOfJob();
  /** Operators that let no more records pass. */
  readonly #reached = new Set<number>();
  #settle!: { resolve: (status: JobStatus) => void };
  #status: JobStatus = 'initializing';
  #lastMetrics: JobMetrics | undefined;
  /** Dropped at the end, as it knows the plan. */
  #elastic: ElasticStages | undefined;
  #heldBack: HeldBackWatch | undefined;
  #error: SageError | undefined;
  #watched = false;
  #isLeftToOthers = false;
  #result: JobResult | undefined;

  /** Starts a compiled pipeline. @throws SageError when the core refuses the graph. */
  constructor(plan: JobPlan) {
    this.#plan = plan;
    this.name = plan.name;
    this.#log = new JobLog({ job: plan.name, jobId: this.id }, plan.config.logger);
    this.#core = loadCore();
    this.#handle = this.#call(() => this.#core.createJob(encodeExecutionGraph(plan.graph, { id: this.id, name: plan.name, stateDirectory: stateDirectory() })));
    // The core's callbacks do not keep the process alive; a job that runs does.
    this.#keepAlive = setInterval(() => undefined, FOREVER_MS);
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
    this.#completion = this.#complete(plan, ended, main);
    // A failure is the caller's to see by `completion`; one that nobody looks at is printed below.
    this.#completion.catch((error: unknown) => {
      if (this.#watched || this.#isLeftToOthers) return;
      if (this.#log.isGiven) this.#log.logger.error({ err: error }, `job '${this.name}' failed`);
      else process.stderr.write(`job '${this.name}' failed: ${inspect(error)}\n`);
      process.exitCode = 1;
    });
  }

  get status(): JobStatus {
    if (this.#result === undefined && !FINAL.has(this.#status)) this.#status = this.#core.jobStatus(this.#handle) as JobStatus;
    // The core is done before the functions are closed and the counts checked.
    return FINAL.has(this.#status) && this.#result === undefined && this.#error === undefined ? 'stopping' : this.#status;
  }

  get completion(): Promise<JobResult> {
    this.#watched = true;
    return this.#completion;
  }

  get ended(): Promise<void> {
    return this.#completion.then(
      () => undefined,
      () => undefined,
    );
  }

  /** Whether somebody has asked for `completion`, and so learns of a failure. */
  get isWatched(): boolean {
    return this.#watched;
  }

  /** The caller tells of a failure that nobody has asked for: it is not printed here. */
  leaveFailureToMe(): void {
    this.#isLeftToOthers = true;
  }

  /** The result of an ended job. */
  get result(): JobResult | undefined {
    return this.#result;
  }

  /** Why it failed or was cancelled. Looking at it, unlike at `completion`, leaves an unhandled failure unhandled. */
  get error(): SageError | undefined {
    return this.#error;
  }

  /** Looks whether event time has stood still for long. Where a schedule says what happens when, whoever owns that says when to look. */
  lookForHeldBack(): void {
    this.#heldBack?.look();
  }

  metrics(): JobMetrics {
    if (this.#plan === undefined) return this.#lastMetrics!;
    return makeJobMetrics(this.#plan, this.status, this.#snapshot(), this.#userMetrics, this.#scaling);
  }

  state(uid: string, name: string): JobState {
    this.#checkNotEnded('asked for state');
    if (this.#plan === undefined) throw new SageError('SAGE_JOB_STATE', `job '${this.name}' has ended, and its state is gone`);
    const ask = async (question: StateQuestion): Promise<readonly StateAnswer[]> => {
      this.#checkNotEnded('asked for state');
      const answers = await Promise.all([Promise.resolve().then(() => this.#stateReads.read(question)), ...this.#workers.map((worker) => worker.readState(question))]);
      return answers.flat();
    };
    return new LocalJobState({ jobName: this.name, ask }, operatorWithState(this.#plan, uid, this.state), name);
  }

  /** Waits, if need be, until the job's workers have started. */
  async pause(options: WaitOptions = {}): Promise<void> {
    this.#checkNotEnded('paused');
    if (this.status === 'initializing') await abortableWait(this.#started.promise, options, 'pause', 'the job is not paused');
    this.#call(() => this.#core.pauseJob(this.#handle));
  }

  async resume(): Promise<void> {
    this.#checkNotEnded('resumed');
    this.#call(() => this.#core.resumeJob(this.#handle));
  }

  async stop(options: StopOptions = {}): Promise<JobResult> {
    // One whose end is known may still be closing its functions.
    if (!this.#isDecided()) {
      try {
        this.#core.stopJob(this.#handle, options.drain === true);
      } catch (error) {
        // A native thread may have ended the job just now.
        if (!this.#isDecided()) throw toSageError(error);
      }
      this.#leaveSources();
      for (const worker of this.#workers) worker.stop();
    }
    return abortableWait(this.completion, options, 'stop', 'the job goes on stopping');
  }

  async cancel(options: WaitOptions = {}): Promise<void> {
    this.#cancelNow();
    this.#watched = true;
    await abortableWait(this.ended, options, 'cancel', 'the job is cancelled and goes on closing its functions');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cancel();
  }

  /** Fails the job: the first error is the one that `completion` rejects with. */
  fail(error: unknown): void {
    const sage = toSageError(error);
    // What functions do about `ctx.signal` is no failure: the job is over, and why is known. An error in `close` behind a
    // good end is one.
    if (this.#result !== undefined || this.#abort.signal.aborted) return;
    this.#error ??= sage;
    const { code, message, context } = serializeError(sage);
    this.#core.failJob(this.#handle, JSON.stringify({ code, message, context }));
  }

  /** Cancels; `completion` rejects with the reason. */
  cancelBecause(reason: SageError): void {
    this.#cancelNow(reason);
  }

  /** The core forgets a job that has ended. */
  #checkNotEnded(verb: string): void {
    if (!FINAL.has(this.status)) return;
    throw new SageError('SAGE_JOB_STATE', `job '${this.name}' is ${this.status} and cannot be ${verb}`);
  }

  #cancelNow(reason?: SageError): void {
    if (this.#isDecided()) return;
    this.#core.cancelJob(this.#handle);
    // It may have come too late, as above.
    if (this.#core.jobStatus(this.#handle) !== 'canceled') return;
    this.#error ??= reason;
    this.#leave(this.#error ?? new SageError('SAGE_JOB_CANCELED', `job '${this.name}' was cancelled`));
  }

  /** Whether it is known how the job ends. */
  #isDecided(): boolean {
    return this.#result !== undefined || this.#abort.signal.aborted || FINAL.has(this.#core.jobStatus(this.#handle));
  }

  /** The job was cancelled or has failed: everything that waits in it is told. */
  #leave(reason: SageError): void {
    if (this.#abort.signal.aborted) return;
    this.#abort.abort(reason);
    this.#leaveSources();
    for (const worker of this.#workers) worker.cancel();
  }

  #call<T>(body: () => T): T {
    try {
      return body();
    } catch (error) {
      throw toSageError(error);
    }
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
      jobId: this.id,
      jobName: name,
      isolate,
      origin,
      // A program makes its environment again, with settings that need not be cloneable.
      config: origin.kind === 'module' ? config : {},
      cores,
      splits,
      fingerprint: fingerprint(),
      admission: openAdmission(),
      logs: relayAssignment(this.#log.level),
      tasks: tasksOf(graph, isolate),
    };
  }

  #startWorker(plan: JobPlan, isolate: number): void {
    const worker = startWorker(this.#assignment(plan, isolate), {
      onError: (error) => this.fail(error),
      onLog: (entry) => this.#log.receive(entry),
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
      logger: this.#log.logger,
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
    if (tasks.length === 0) return;
    await runIsolate({
      core: this.#core,
      job: this.#handle,
      isolate: 0,
      physical,
      tasks,
      facts: { jobId: this.id, jobName: this.name, config, signal: this.#abort.signal, logger: this.#log.logger, instrument: plan.controls?.instrument, onTimer: plan.controls?.onTimer },
      stopping,
      clock: config.clock ?? systemClock,
      schedule: plan.controls?.schedule,
      onError: (error) => this.fail(error),
      onLimit: (operator) => this.#limitReached(operator),
      onMetrics: (metrics) => this.#userMetrics.report(metrics),
      earlyEnds: this.#earlyEnds,
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
    const event = JSON.parse(json) as { type: 'state'; state: JobStatus } | { type: 'failure'; error: { code: string; message: string; context?: Record<string, unknown> } };
    if (event.type === 'failure') {
      this.#error ??= this.#coreError(event.error);
      this.#leave(this.#error);
      return;
    }
    this.#started.resolve();
    if (!FINAL.has(event.state)) {
      this.#status = event.state;
      return;
    }
    if (event.state === 'canceled' || event.state === 'failed') {
      this.#leave(this.#error ?? new SageError('SAGE_JOB_CANCELED', `job '${this.name}' was cancelled`));
    }
    this.#leaveSources();
    this.#settle.resolve(event.state);
  }

  /** An error of the core; that of a native task gets the operator that it works for. */
  #coreError(error: { readonly code: string; readonly message: string; readonly context?: Readonly<Record<string, unknown>> }): SageError {
    const task = this.#plan?.graph.tasks.find(({ id }) => id === error.context?.['task']);
    if (task === undefined) return toSageError(new Error(JSON.stringify(error)), this.#loopPlace(error.context?.['loop']));
    // On the thread of a reader other operators work too.
    const { node, row: _, record, ...context } = error.context ?? {};
    const nodes = this.#plan!.physical.stages[task.stage]!.nodes;
    const operator = failingOperator((typeof node === 'number' ? nodes[node] : undefined) ?? nodes[0]!);
    const where = { operator: operator.name, declaredAt: operator.transformation.declaredAt };
    const known = new Error(JSON.stringify({ ...error, context }));
    if (node === undefined) return toSageError(known, where);
    return atOperator(toSageError(known), typeof record === 'string' ? { ...where, record: JSON.parse(record) as unknown } : where);
  }

  /** Where the future of a loop was made: the core knows loops by name, and no task is to blame for what is in them. */
  #loopPlace(name: unknown): { operator?: string; declaredAt?: SourceLocation } {
    const nodes = name === undefined ? [] : (this.#plan?.physical.stages.flatMap((stage) => stage.nodes) ?? []);
    const future = nodes.find(({ operator }) => operator.kind === 'fromFuture' && operator.name === name)?.operator;
    return future === undefined ? {} : { operator: future.name, declaredAt: future.transformation.declaredAt };
  }

  async #complete(plan: JobPlan, ended: Promise<JobStatus>, main: Promise<void>): Promise<JobResult> {
    const unwatch = this.#watchElastic(plan);
    this.#heldBack = this.#watchHeldBack(plan);
    try {
      const status = await ended;
      unwatch();
      this.#heldBack?.stop();
      this.#heldBack = undefined;
      const late = setTimeout(() => {
        for (const worker of this.#workers) worker.terminate();
      }, CLOSE_DEADLINE_MS);
      await Promise.allSettled([main, ...this.#workers.map((worker) => worker.closed)]);
      clearTimeout(late);
      const snapshot = this.#snapshot();
      // An error in `close` comes after the core has ended the job well.
      this.#status = this.#error === undefined || status === 'canceled' ? status : 'failed';
      const durationMs = performance.now() - this.#startedMs;
      this.#result = makeJobResult(plan, this.id, this.#status, durationMs, snapshot, this.#userMetrics, this.#scaling);
      this.#lastMetrics = makeJobMetrics(plan, this.#status, snapshot, this.#userMetrics, this.#scaling);
      if (this.#error !== undefined) throw this.#error;
      return this.#result;
    } finally {
      clearInterval(this.#keepAlive);
      this.#plan = undefined;
      this.#elastic = undefined;
      this.#workers.length = 0;
      this.#core.dropJob(this.#handle);
    }
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
