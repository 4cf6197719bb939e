import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { inspect } from 'node:util';

import { abortableWait, type WaitOptions } from '../../common/abortable-wait.ts';
import { startTimer, systemClock } from '../../common/clock.ts';
import { SageError, toSageError } from '../../common/errors.ts';
import type { JobId } from '../../common/ids.ts';
import { hasCheckpoints, mayRestart, type RestoreOptions } from '../../transformations/checkpoint-settings.ts';
import type { JobGuarantee } from '../../transformations/job-guarantee.ts';
import type { CheckpointSummary, Job, JobMetrics, JobResult, JobState, JobStatus, SavepointSummary, StopOptions } from '../../transformations/job.ts';
import type { StateAnswer, StateQuestion } from '../isolate/state-reads.ts';
import { JobLog } from '../logging/job-log.ts';
import { FINAL, JobAttempt } from './job-attempt.ts';
import { checkpointsJson, JobCheckpoints, withAbsolutePaths } from './job-checkpoints.ts';
import { makeJobMetrics } from './job-metrics.ts';
import type { JobPlan } from './job-plan.ts';
import { makeJobResult } from './job-result.ts';
import { LocalJobState, operatorWithState } from './local-job-state.ts';
import { makeRestarts, mayEndOtherwise, type Restarts } from './restarts.ts';
import { checkStopOptions } from './check-stop-options.ts';
import { checkSavable } from './check-savable.ts';
import { drainedSavepoint, noCheckpoints, savepointPath } from './savepoint-arguments.ts';

/** Timers longer than this wrap around in Node. */
const FOREVER_MS = 2 ** 30;

/** The wait for the next attempt of a job that has failed. */
interface Pause {
  /** Ends it. */
  end: () => void;
  readonly next: Promise<JobAttempt | undefined>;
}

/** A stop that was asked for. */
interface Stopping {
  readonly drain: boolean;
  readonly savepoint?: string;
}

/** A job in this process: one attempt after the other, as its restart strategy says. */
export class LocalJob implements Job {
  readonly id: JobId = randomUUID();
  readonly name: string;
  /** What the plan says of it. */
  readonly guarantee: JobGuarantee;
  /** Dropped at the end: an ended job stays listed, and must not hold on to its pipeline and the user's data in it. */
  #plan: JobPlan | undefined;
  readonly #log: JobLog;
  readonly #startedMs = performance.now();
  readonly #completion: Promise<JobResult>;
  readonly #keepAlive: NodeJS.Timeout;
  readonly #checkpoints = new JobCheckpoints();
  readonly #hasCheckpoints: boolean;
  readonly #restore: RestoreOptions;
  readonly #restarts: Restarts;
  #restartCount = 0;
  #attempt: JobAttempt;
  /** While there is no attempt. */
  #pause: Pause | undefined;
  /** Set by `pause`, until `resume`, which settles it; what fails meanwhile is started again behind that. */
  #paused: PromiseWithResolvers<void> | undefined;
  /** Set by `cancel`. */
  #canceled: { readonly reason: SageError | undefined } | undefined;
  /** A stop was asked for: no attempt that fails behind it is followed by another. */
  #stopping: Stopping | undefined;
  #lastMetrics: JobMetrics | undefined;
  #error: SageError | undefined;
  #watched = false;
  #isLeftToOthers = false;
  #result: JobResult | undefined;

  /** Starts a compiled pipeline. @throws SageError when the core refuses the graph, or what it is to go on from. */
  constructor(given: JobPlan, restore: RestoreOptions = {}) {
    const plan = { ...given, config: withAbsolutePaths(given.config) };
    const { config, name } = plan;
    // Taken now where it is needed later: a program may add operators to its environment for the next job.
    const fingerprint = mayRestart(config) && plan.physical.isolates.workers > 0 ? plan.fingerprint() : undefined;
    this.#plan = fingerprint === undefined ? plan : { ...plan, fingerprint: () => fingerprint };
    this.name = name;
    this.guarantee = plan.physical.guarantee;
    const { from } = restore;
    this.#restore = from === undefined || from === 'latest' ? restore : { ...restore, from: resolve(from) };
    this.#hasCheckpoints = hasCheckpoints(config);
    this.#restarts = makeRestarts(config.restart ?? 'none', Math.random);
    this.#log = new JobLog({ job: name, jobId: this.id }, config.logger);
    this.#attempt = this.#start(this.#plan, 0);
    // The core's callbacks do not keep the process alive; a job that runs does.
    this.#keepAlive = setInterval(() => undefined, FOREVER_MS);
    this.#completion = this.#complete(this.#plan);
    // A failure is the caller's to see by `completion`; one that nobody looks at is printed below.
    this.#completion.catch((error: unknown) => {
      if (this.#watched || this.#isLeftToOthers) return;
      if (this.#log.isGiven) this.#log.logger.error({ err: error }, `job '${this.name}' failed`);
      else process.stderr.write(`job '${this.name}' failed: ${inspect(error)}\n`);
      process.exitCode = 1;
    });
  }

  get status(): JobStatus {
    if (this.#isOver) return this.#lastMetrics!.status;
    if (this.#pause !== undefined) return this.#paused === undefined ? 'restarting' : 'paused';
    const { status } = this.#attempt;
    // The core is done before the functions are closed and the counts checked.
    if (!FINAL.has(status)) return status;
    return this.#mayRestartAfter(status) ? 'restarting' : this.#attempt.error === undefined ? 'stopping' : status;
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
    return this.#error ?? (this.#isOver || this.status === 'restarting' ? undefined : this.#attempt.error);
  }

  /** Looks whether event time has stood still for long. Where a schedule says what happens when, whoever owns that says when to look. */
  lookForHeldBack(): void {
    this.#attempt.lookForHeldBack();
  }

  metrics(): JobMetrics {
    if (this.#isOver) return this.#lastMetrics!;
    const metrics = this.#attempt.metrics(this.status, this.#ofJob);
    return metrics ?? { ...this.#lastMetrics!, ...this.#ofJob, status: this.status };
  }

  state(uid: string, name: string): JobState {
    this.#checkNotEnded('asked for state');
    if (this.#plan === undefined) throw new SageError('SAGE_JOB_STATE', `job '${this.name}' has ended, and its state is gone`);
    const ask = async (question: StateQuestion): Promise<readonly StateAnswer[]> => {
      this.#checkNotEnded('asked for state');
      return (await this.#running()).readState(question);
    };
    return new LocalJobState({ jobName: this.name, ask }, operatorWithState(this.#plan, uid, this.state), name);
  }

  async checkpoint(): Promise<CheckpointSummary> {
    const attempt = await this.#attemptToSave('checkpoint');
    return this.#checkpoints.write(() => {
      this.#checkNotEnded('asked for a checkpoint');
      return attempt.beginCheckpoint();
    });
  }

  async savepoint(path: string, options: WaitOptions = {}): Promise<SavepointSummary> {
    const file = savepointPath(path, 'savepoint');
    const write = async (): Promise<SavepointSummary> => {
      const attempt = await this.#attemptToSave('savepoint');
      return this.#checkpoints.writeSavepoint(file, () => attempt.beginSavepoint(file));
    };
    return abortableWait(write(), options, 'savepoint', 'it is written all the same');
  }

  /** The attempt, when it runs, that a checkpoint can be asked of. */
  async #attemptToSave(what: 'checkpoint' | 'savepoint'): Promise<JobAttempt> {
    if (!this.#hasCheckpoints && what === 'checkpoint') throw noCheckpoints(this.name);
    this.#checkNotEnded(`asked for a ${what}`);
    if (what === 'savepoint') this.#checkSavepoint();
    if (this.#paused !== undefined && (this.#pause !== undefined || this.#mayRestartAfter(this.#attempt.status))) {
      throw new SageError('SAGE_JOB_STATE', `job '${this.name}' has failed while it was paused, and a ${what} can be written when it has started again`, { help: 'Call resume() first.' });
    }
    const attempt = await this.#running();
    await attempt.started;
    this.#checkNotEnded(`asked for a ${what}`);
    return attempt;
  }

  /** Without checkpoints nobody has asked yet whether the job could go on from what it saves. */
  #checkSavepoint(): void {
    if (!this.#hasCheckpoints && this.#plan !== undefined) checkSavable(this.#plan, this.name, this.#checkpoints.savepoints);
  }

  /** Waits, if need be, until the job's workers have started. */
  async pause(options: WaitOptions = {}): Promise<void> {
    this.#checkNotEnded('paused');
    if (this.#paused !== undefined) throw new SageError('SAGE_JOB_STATE', `job '${this.name}' is paused and cannot be paused again`);
    const attempt = await this.#running();
    if (attempt.status === 'initializing') await abortableWait(attempt.started, options, 'pause', 'the job is not paused');
    attempt.pause();
    this.#paused = Promise.withResolvers<void>();
  }

  async resume(): Promise<void> {
    this.#checkNotEnded('resumed');
    // One that has failed meanwhile goes on with the attempt that waited for this.
    const isStartedAgain = this.#pause !== undefined || this.#mayRestartAfter(this.#attempt.status);
    if (this.#endPause() && isStartedAgain) return;
    (await this.#running()).resume();
  }

  /** Whether the job was paused. */
  #endPause(): boolean {
    const paused = this.#paused;
    this.#paused = undefined;
    paused?.resolve();
    return paused !== undefined;
  }

  async stop(options: StopOptions = {}): Promise<JobResult> {
    checkStopOptions(options);
    if (options.savepoint !== undefined) return this.#stopWithSavepoint(options, options.savepoint);
    this.#stopping ??= { drain: options.drain === true };
    this.#endPause();
    if (this.#pause === undefined) this.#attempt.stop(options.drain === true);
    // What the last attempt has left open is brought to its end by one more, which is stopped as soon as it runs.
    else this.#pause.end();
    return abortableWait(this.completion, options, 'stop', 'the job goes on stopping');
  }

  async #stopWithSavepoint(options: StopOptions, path: string): Promise<JobResult> {
    const file = savepointPath(path, 'stop');
    if (options.drain === true) throw drainedSavepoint();
    this.#checkNotEnded('asked for a savepoint');
    this.#checkSavepoint();
    if (this.#stopping !== undefined) {
      throw new SageError('SAGE_JOB_STATE', `job '${this.name}' is being stopped already, and cannot be asked for a savepoint any more`, { help: 'Give savepoint to the first call of stop().' });
    }
    // A pause may end while the first answer is awaited: what is said here holds for the attempt behind it.
    if (this.#pause === undefined) this.#attempt.stop(false, file);
    const written = this.#checkpoints.lastSavepoint(file);
    this.#stopping = { drain: false, savepoint: file };
    this.#endPause();
    this.#pause?.end();
    const stopped = async (): Promise<JobResult> => {
      const result = await this.completion;
      await written;
      return result;
    };
    return abortableWait(stopped(), options, 'stop', 'the job goes on stopping');
  }

  /** Stops an attempt that runs behind a stop of one that has failed. */
  #stopAgain(attempt: JobAttempt, { drain, savepoint }: Stopping): void {
    try {
      attempt.stop(drain, savepoint);
    } catch (error) {
      this.#checkpoints.failLastSavepoint(toSageError(error));
      attempt.stop(drain);
    }
  }

  async cancel(options: WaitOptions = {}): Promise<void> {
    this.#cancelNow();
    this.#watched = true;
    await abortableWait(this.ended, options, 'cancel', 'the job is cancelled and goes on closing its functions');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cancel();
  }

  /** Fails the attempt: its first error is the one that counts. */
  fail(error: unknown): void {
    this.#attempt.fail(error);
  }

  /** Cancels; `completion` rejects with the reason. */
  cancelBecause(reason: SageError): void {
    this.#cancelNow(reason);
  }

  get #isOver(): boolean {
    return this.#result !== undefined;
  }

  /** What the metrics of an attempt do not say. */
  get #ofJob(): Pick<JobMetrics, 'restarts' | 'checkpoints'> {
    return { restarts: this.#restartCount, ...(this.#hasCheckpoints || this.#checkpoints.restoredEpoch !== undefined ? { checkpoints: this.#checkpoints.metrics } : {}) };
  }

  /** The core forgets a job that has ended. */
  #checkNotEnded(verb: string): void {
    const { status } = this;
    if (!FINAL.has(status)) return;
    throw new SageError('SAGE_JOB_STATE', `job '${this.name}' is ${status} and cannot be ${verb}`);
  }

  /** The attempt at hand, or the one that the job waits for. @throws SageError SAGE_JOB_STATE when there is none any more. */
  async #running(): Promise<JobAttempt> {
    const attempt = this.#pause === undefined ? this.#attempt : await this.#pause.next;
    if (attempt === undefined) throw new SageError('SAGE_JOB_STATE', `job '${this.name}' has ended`);
    return attempt;
  }

  #cancelNow(reason?: SageError): void {
    if (this.#isOver) return;
    if (this.#pause === undefined) {
      if (this.#attempt.isDecided && !this.#attempt.isCommitting && !this.#mayRestartAfter(this.#attempt.status)) return;
      this.#attempt.cancel(reason);
    }
    this.#canceled ??= { reason };
    this.#endPause();
    this.#pause?.end();
  }

  #start(plan: JobPlan, attempt: number): JobAttempt {
    const { from, ...restore } = this.#restore;
    // What the directory has of an earlier job is not this one's to go on from, unless that was asked for.
    const source = this.#checkpoints.hasCompleted ? 'latest' : from;
    const started = new JobAttempt(plan, {
      jobId: this.id,
      jobName: this.name,
      log: this.#log,
      checkpoints: this.#checkpoints,
      hasCheckpoints: this.#hasCheckpoints,
      checkpointsJson: checkpointsJson(plan.config, source === undefined ? restore : { ...restore, from: source }),
      allowsDropped: this.#restore.allowDropped === true,
      mustGoOn: this.#checkpoints.hasCompleted,
      attempt,
    });
    const clock = plan.config.clock ?? systemClock;
    void started.started.then(() => this.#restarts.started(clock.monotonicMs()));
    return started;
  }

  /** Whether an attempt that is about to end so may be followed by another. */
  #mayRestartAfter(status: JobStatus): boolean {
    const { error } = this.#attempt;
    return status === 'failed' && this.#plan !== undefined && mayRestart(this.#plan.config) && this.#canceled === undefined && (error === undefined || mayEndOtherwise(error));
  }

  /** Waits as the strategy says after a failure; whether the job is to be tried again. */
  async #waitsForNext(plan: JobPlan, error: SageError): Promise<boolean> {
    const clock = plan.config.clock ?? systemClock;
    const delayMs = this.#canceled !== undefined || !mayEndOtherwise(error) ? undefined : this.#restarts.failed(clock.monotonicMs());
    if (delayMs === undefined) return false;
    this.#restartCount++;
    const goOn = Promise.withResolvers<void>();
    this.#pause!.end = goOn.resolve;
    this.#log.logger.warn({ err: error, restart: this.#restartCount, delayMs }, `job '${this.name}' failed and starts again in ${Math.round(delayMs)} ms: ${error.message}`);
    if (this.#stopping !== undefined) return true;
    const stopTimer = startTimer(clock, delayMs, () => goOn.resolve(this.#paused?.promise));
    await goOn.promise;
    stopTimer();
    return this.#canceled === undefined;
  }

  /** Starts the next attempt of a job that has failed. Gives the error that stays when there is none. */
  async #startAgain(plan: JobPlan, failure: SageError): Promise<SageError | undefined> {
    const next = Promise.withResolvers<JobAttempt | undefined>();
    this.#pause = { end: () => undefined, next: next.promise };
    let started: JobAttempt | undefined;
    let error = failure;
    try {
      while (started === undefined && (await this.#waitsForNext(plan, error))) {
        try {
          started = this.#start(plan, this.#restartCount);
        } catch (refused) {
          error = toSageError(refused);
        }
      }
    } finally {
      this.#pause = undefined;
      if (started !== undefined) this.#attempt = started;
      next.resolve(started);
    }
    if (started === undefined) return error;
    const stopping = this.#stopping;
    if (stopping !== undefined) void started.started.then(() => this.#stopAgain(this.#attempt, stopping));
    return undefined;
  }

  async #complete(plan: JobPlan): Promise<JobResult> {
    try {
      for (;;) {
        const end = await this.#attempt.ended;
        this.#checkpoints.leave(end.error ?? new SageError('SAGE_JOB_STATE', `job '${this.name}' is ${end.status}: the checkpoint was given up`));
        this.#lastMetrics = { ...makeJobMetrics(plan, end.status, end.snapshot, end.userMetrics, end.scaling), ...this.#ofJob };
        const isLast = end.status !== 'failed' || end.isCommitted || end.error === undefined;
        const failure = isLast ? end.error : await this.#startAgain(plan, end.error);
        if (!isLast && failure === undefined) continue;
        const isCanceled = !isLast && this.#canceled !== undefined;
        const status = isCanceled ? 'canceled' : end.status;
        this.#error = isCanceled ? this.#canceled!.reason : failure;
        this.#lastMetrics = { ...this.#lastMetrics, ...this.#ofJob, status };
        this.#checkpoints.end(this.#error ?? new SageError('SAGE_JOB_STATE', `job '${this.name}' was ${status} before the savepoint could be written`));
        this.#result = makeJobResult(plan, this.id, status, performance.now() - this.#startedMs, end.snapshot, end.userMetrics, end.scaling, this.#restartCount);
        if (this.#error !== undefined) throw this.#error;
        return this.#result;
      }
    } finally {
      clearInterval(this.#keepAlive);
      this.#plan = undefined;
    }
  }
}
