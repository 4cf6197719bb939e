import { type Clock, startTimer } from '../../common/clock.ts';
import { SageError } from '../../common/errors.ts';
import { type AtWork, beginWork, endWork } from './at-work.ts';
import type { InstanceMetrics } from './instance-metrics.ts';
import type { StateAnswer, StateQuestion } from './state-reads.ts';
import { type Core, POLL_NONE, POLL_OVER } from '../native/core.ts';
import { IsolateReports } from './isolate-reports.ts';
import { POLL_TURN, type Schedule, type ScheduledIsolate, scheduledPoll } from './schedule.ts';
import { LINGER_MS, type StageRunner, type StepResult } from '../stage/stage-runner.ts';
import { busyShareMs, enterBusy, leaveBusy } from './event-loop-share.ts';
import { withinMs } from './within-ms.ts';

/** One task of this isolate: its runner, and how its functions are closed. */
export interface IsolateTask {
  readonly runner: StageRunner;
  /** Calls `open` of the task's functions, in their order. */
  open(): Promise<void>;
  /**
   * Calls `close` of the task's functions, exactly once on every path; a second call waits for the first.
   *
   * @param finished whether the task has come to its end by itself; otherwise its job has failed or was cancelled.
   */
  close(finished: boolean): Promise<void>;
  /** Resolves when its sinks have committed everything, or never will. Never rejects. */
  settled(): Promise<void>;
  /** Whether a sink is at work on a commit, beside the steps of the task. */
  readonly isCommitting: boolean;
  /** Counters of the stage's nodes, for the core's registry. */
  counts(): Float64Array;
  /** What instances of the operator that are in this task hold for a key. */
  readState(question: StateQuestion): readonly StateAnswer[];
  /** What the user's functions count themselves, of those that count anything. */
  metrics(): readonly InstanceMetrics[];
}

/** Longest wait inside the core. Longer ones would hold up the event loop and `terminate()`. */
const MAX_WAIT_MS = 10;
const FIRST_BACKOFF_MS = 1;
const MAX_BACKOFF_MS = 16;
/** When a job is cancelled or fails, what user code still awaits has this long to notice; then its functions are closed. */
const GRACE_MS = 40;
/** After such an end `close()` has this long; behind it the job ends without it. */
const CLOSE_DEADLINE_MS = 5_000;

/** What the loop tells its job. */
export interface IsolateLoopOptions {
  readonly core: Core;
  readonly job: number;
  readonly isolate: number;
  readonly tasks: ReadonlyMap<number, IsolateTask>;
  /** Workers wait inside the core, the main isolate never does. */
  readonly mayBlock: boolean;
  /** Of the job. */
  readonly clock: Clock;
  /** Chooses what is next instead of the core. */
  readonly schedule?: Schedule | undefined;
  /** Resolves when the job is told to stop or is over. */
  readonly stopping: Promise<void>;
  /** Aborted when the job is cancelled or has failed. */
  readonly signal: AbortSignal;
  /** Called with each error of user code or of ours; the job then fails. */
  readonly onError: (error: unknown, task: number) => SageError;
  /** Called now and then with what user code counts, and once more at the end. */
  readonly onMetrics: (metrics: readonly InstanceMetrics[]) => void;
  /** Called when all sinks have committed everything, or never will. */
  readonly onSettled: () => void;
  /** Told which task is at work, where somebody looks. */
  readonly atWork?: AtWork | undefined;
}

/** Runs the tasks of one job in one isolate until the job is over. */
export class IsolateLoop {
  readonly #options: IsolateLoopOptions;
  readonly #backoffMs = new Map<number, number>();
  readonly #scheduled = new Map<number, { readonly stop: () => void; readonly atMs: number }>();
  /** Tasks for which something has settled since their last step began. */
  readonly #nudged = new Set<number>();
  /** Tasks that hold work of their own, as the core knows it. */
  readonly #kept = new Set<number>();
  readonly #pending = new Set<Promise<unknown>>();
  /** Tasks that are in the hands of a promise or a timer, and what that waits for. */
  readonly #away = new Map<number, 'step' | 'pause' | 'close'>();
  /** What has to come back before there is a loop. */
  #opening: IsolateTask | undefined;
  /** Tasks that have ended by themselves. */
  #finished = 0;
  /** The loop has left: steps that were awaited do not report any more. */
  #over = false;
  #woken = false;
  #looksForBarrier = false;
  #wake: (() => void) | undefined;
  readonly #reports: IsolateReports;
  /** Will send what waits in open batches of steps that are awaited. */
  #lingering: NodeJS.Timeout | undefined;
  #lastTurnMs = 0;

  constructor(options: IsolateLoopOptions) {
    this.#options = options;
    this.#reports = new IsolateReports(options);
  }

  /** Ends a sleep of the loop; the core calls it when a task becomes ready. */
  wake(): void {
    this.#woken = true;
    this.#wake?.();
  }

  /** As `wake`, by the core: perhaps because the sources are to take a barrier, of which a step that waits for a record does not know. */
  wakeByCore(): void {
    this.#looksForBarrier = true;
    this.wake();
  }

  #lookForBarrier(): void {
    this.#looksForBarrier = false;
    const { core, isolate, tasks } = this.#options;
    if (this.#away.size === 0) return;
    if (core.checkpointAsked(isolate) < 0) return;
    for (const id of this.#away.keys()) tasks.get(id)!.runner.lookForBarrier();
  }

  /** Hands a task out again: something that it does not wait for in a step has settled. */
  ready(task: number): void {
    if (this.#over || this.#options.tasks.get(task)?.runner.wakeStep() === true) return;
    this.#nudged.add(task);
    this.#keep(task, true);
    this.wake();
  }

  /** A task works on within a step that was awaited, while the loop may rest: what it gives must not wait for its next record. */
  worked(): void {
    this.#reports.noteWork();
    if (this.#options.schedule !== undefined) {
      this.wake();
      return;
    }
    this.#lingering ??= setTimeout(() => {
      this.#lingering = undefined;
      this.wake();
    }, LINGER_MS);
  }

  /** Opens the functions of all tasks, runs until the job is over, closes them. Never rejects: errors go to `onError`. */
  async run(): Promise<void> {
    const leave = this.#options.schedule?.join(this.#seen);
    try {
      await this.#run();
    } finally {
      leave?.();
    }
  }

  async #run(): Promise<void> {
    const { tasks } = this.#options;
    try {
      if (await this.#open()) await this.#loop();
    } catch (error) {
      this.#options.onError(error, -1);
      await this.#untilOver();
    }
    this.#over = true;
    this.#reports.leave();
    clearTimeout(this.#lingering);
    for (const { stop } of this.#scheduled.values()) stop();
    for (const task of tasks.values()) task.runner.leave();
    if (this.#pending.size > 0) await withinMs(GRACE_MS, Promise.allSettled(this.#pending));
    await this.#untilLanded();
    this.#reports.now();
    for (const task of tasks.values()) await task.settled();
    this.#options.onSettled();
    for (const [id, task] of tasks) {
      try {
        await this.#close(id, task);
      } catch (error) {
        this.#options.onError(error, id);
      }
    }
    this.#reports.metrics();
  }

  /** Opens all functions in their order; false when the job was over before all were open. */
  async #open(): Promise<boolean> {
    const { tasks, signal } = this.#options;
    const over = aborted(signal);
    for (const [id, task] of tasks) {
      if (signal.aborted) return false;
      // The promise may be one of those that never settle: the end of the job must not wait for it.
      beginWork(this.#options.atWork, id);
      const opening = this.#track(task.open());
      endWork(this.#options.atWork);
      this.#opening = task;
      try {
        await Promise.race([opening, over]);
        this.#opening = undefined;
      } catch (error) {
        this.#options.onError(error, id);
        await this.#untilOver();
        return false;
      }
    }
    return !signal.aborted;
  }

  /** What a schedule may know of it. */
  readonly #seen: ScheduledIsolate = {
    wake: () => this.wake(),
    isRestingNow: () => this.#wake !== undefined && !this.#woken,
    pendingWork: () => this.#pendingWork(),
  };

  #pendingWork(): string[] {
    if (this.#opening !== undefined) return [`open() of '${this.#opening.runner.bindings.stage.name}'`];
    return [...this.#options.tasks].flatMap(([id, { runner, isCommitting }]) => {
      const { name } = runner.bindings.stage;
      if (this.#away.get(id) === 'close') return [`close() of '${name}'`];
      if (isCommitting) return [`commit() of '${name}'`];
      return runner.pendingWork.map((what) => `${what} of '${name}'`);
    });
  }

  /** Gives calls that are in flight a little time to notice the end of the job. */
  async #untilLanded(): Promise<void> {
    const untilMs = performance.now() + GRACE_MS;
    while (this.#hasCallsInFlight() && performance.now() < untilMs) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  #hasCallsInFlight(): boolean {
    for (const { runner } of this.#options.tasks.values()) if (runner.hasCallsInFlight) return true;
    return false;
  }

  #isCommitting(): boolean {
    for (const task of this.#options.tasks.values()) if (task.isCommitting) return true;
    return false;
  }

  /** What user code has not finished; it gets a little time when the job ends. */
  #track<T>(promise: Promise<T>): Promise<T> {
    const settled: Promise<unknown> = promise.then(noop, noop).then(() => this.#pending.delete(settled));
    this.#pending.add(settled);
    return promise;
  }

  async #close(id: number, task: IsolateTask): Promise<void> {
    beginWork(this.#options.atWork, id);
    const closing = task.close(false);
    endWork(this.#options.atWork);
    if (this.#finished === this.#options.tasks.size) return closing;
    const late = Symbol('late');
    const first = await withinMs(CLOSE_DEADLINE_MS, closing, late);
    if (first === late) throw new SageError('SAGE_USER_LIFECYCLE', `close() has not come back within ${CLOSE_DEADLINE_MS} ms`);
  }

  async #loop(): Promise<void> {
    this.#lastTurnMs = performance.now();
    enterBusy();
    try {
      await this.#work();
    } finally {
      leaveBusy();
    }
  }

  async #work(): Promise<void> {
    const { core, isolate, mayBlock, schedule } = this.#options;
    const poll = schedule === undefined ? (given: number, ms: number): number => core.poll(isolate, given, ms) : scheduledPoll(core, isolate, schedule);
    let released = -1;
    for (;;) {
      this.#woken = false;
      if (this.#looksForBarrier) this.#lookForBarrier();
      // A worker that waits outside JavaScript does not hear of promises.
      const mayWait = mayBlock && this.#away.size === 0 && !this.#hasCallsInFlight() && !this.#isCommitting();
      const waitMs = mayWait && released < 0 ? Math.min(MAX_WAIT_MS, this.#dueInMs()) : 0;
      const task = poll(released, waitMs);
      released = -1;
      if (task === POLL_OVER) return;
      if (task === POLL_NONE) {
        if (this.#flush()) continue;
        // The core says nothing to an isolate that is not idle: it may have asked before this poll.
        this.#lookForBarrier();
        this.#reports.look();
        if (mayWait) await this.#turn();
        else await this.#sleep();
        continue;
      }
      if (task === POLL_TURN) {
        await this.#turn();
        continue;
      }
      released = this.#step(task);
      if (this.#isTurnDue()) {
        if (released >= 0) core.release(isolate, released);
        released = -1;
        await this.#turn();
      }
    }
  }

  #isTurnDue(): boolean {
    const { schedule } = this.#options;
    return schedule === undefined ? performance.now() - this.#lastTurnMs >= busyShareMs() : schedule.choose(4) === 0;
  }

  /** After an error outside a task the loop only waits for the job's end. */
  async #untilOver(): Promise<void> {
    const { core, isolate } = this.#options;
    while (core.poll(isolate, -1, 0) !== POLL_OVER) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  /** One step of a task; returns the task when it is given back at once, else -1. */
  #step(id: number): number {
    const task = this.#options.tasks.get(id)!;
    this.#nudged.delete(id);
    this.#reports.noteWork();
    let result: StepResult | Promise<StepResult>;
    try {
      beginWork(this.#options.atWork, id);
      result = task.runner.step();
    } catch (error) {
      endWork(this.#options.atWork);
      this.#options.onError(error, id);
      return -1;
    }
    endWork(this.#options.atWork);
    if (typeof result === 'string') return this.#stepped(id, task, result);
    this.#away.set(id, 'step');
    this.#track(result).then(
      (settled) => this.#settled(id, task, settled),
      (error: unknown) => this.#failed(id, error),
    );
    return -1;
  }

  #failed(id: number, error: unknown): void {
    this.#away.delete(id);
    // What user code does about the end of its job is no error of the job.
    if (!this.#over) this.#options.onError(error, id);
    this.wake();
  }

  #settled(id: number, task: IsolateTask, result: StepResult): void {
    this.#away.delete(id);
    this.#reports.noteWork();
    if (this.#over) return;
    const released = this.#stepped(id, task, result);
    if (released >= 0) this.#options.core.release(this.#options.isolate, released);
    this.wake();
  }

  #stepped(id: number, task: IsolateTask, stepped: StepResult): number {
    const result = stepped === 'waiting' && this.#nudged.delete(id) ? 'more' : stepped;
    if (result !== 'nothing') this.#backoffMs.delete(id);
    switch (result) {
      case 'more':
        this.#keep(id, true);
        return id;
      case 'waiting':
        this.#keep(id, false);
        this.#schedule(id, task);
        return id;
      case 'nothing': {
        const backoffMs = this.#backoffMs.get(id) ?? FIRST_BACKOFF_MS;
        this.#backoffMs.set(id, Math.min(MAX_BACKOFF_MS, backoffMs * 2));
        this.#away.set(id, 'pause');
        const goOn = (): void => this.#settled(id, task, 'waiting');
        // A source that is asked again and again does what time makes possible: where a schedule decides, that is time of the job's clock.
        if (this.#options.schedule === undefined) setTimeout(goOn, backoffMs);
        else this.#afterPause(backoffMs, goOn);
        return -1;
      }
      case 'finished':
        this.#finish(id, task);
        return -1;
    }
  }

  /** By the job's clock, and at once when the job is told to stop. */
  #afterPause(delayMs: number, goOn: () => void): void {
    const { clock, stopping } = this.#options;
    const paused = Promise.withResolvers<void>();
    const stop = startTimer(clock, delayMs, paused.resolve);
    void Promise.race([paused.promise, stopping]).then(() => {
      stop();
      goOn();
    });
  }

  /** Tells the core whether a task holds work of its own, when that has changed. */
  #keep(id: number, keeps: boolean): void {
    if (this.#kept.has(id) === keeps) return;
    this.#options.core.keepTask(this.#options.isolate, id, keeps);
    if (keeps) this.#kept.add(id);
    else this.#kept.delete(id);
  }

  /** A task that has something to emit after a while is handed out again then, though no record comes. */
  #schedule(id: number, task: IsolateTask): void {
    const dueInMs = task.runner.dueInMs;
    if (dueInMs === undefined) return;
    const { clock } = this.#options;
    const atMs = clock.monotonicMs() + dueInMs;
    const earlier = this.#scheduled.get(id);
    if (earlier !== undefined) {
      // The same moment, looked at again, differs by the fraction of a millisecond that the clock of days does not have.
      if (earlier.atMs < atMs + 1) return;
      earlier.stop();
    }
    const stop = startTimer(clock, dueInMs, () => {
      this.#scheduled.delete(id);
      this.#keep(id, true);
      this.wake();
    });
    this.#scheduled.set(id, { stop, atMs });
  }

  /** Time until the next task has something to emit: a worker may not wait longer outside JavaScript. */
  #dueInMs(): number {
    let first = Number.POSITIVE_INFINITY;
    for (const { atMs } of this.#scheduled.values()) first = Math.min(first, atMs);
    return first === Number.POSITIVE_INFINITY ? first : Math.max(0, Math.ceil(first - this.#options.clock.monotonicMs()));
  }

  /** Functions are closed before the end goes downstream, so that what `close` does is part of the job. */
  #finish(id: number, task: IsolateTask): void {
    const { core, isolate } = this.#options;
    this.#away.set(id, 'close');
    beginWork(this.#options.atWork, id);
    const closing = task.close(true);
    endWork(this.#options.atWork);
    closing.then(
      () => {
        this.#away.delete(id);
        if (this.#over) return;
        core.reportCounts(isolate, id, task.counts());
        this.#finished++;
        core.finishTask(isolate, id);
        this.wake();
      },
      (error: unknown) => this.#failed(id, error),
    );
  }

  /** Before the isolate rests, everything that waits in an open batch leaves. */
  #flush(): boolean {
    let flushed = false;
    for (const [id, task] of this.#options.tasks) {
      try {
        flushed = task.runner.flush() || flushed;
      } catch (error) {
        this.#options.onError(error, id);
      }
    }
    return flushed;
  }

  /** Gives the event loop one turn. */
  async #turn(): Promise<void> {
    this.#reports.look();
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
    // While other tasks have work, it is never idle.
    this.#looksForBarrier = true;
    this.#lastTurnMs = performance.now();
  }

  /** Rests until the core or a promise of user code wakes the isolate. */
  async #sleep(): Promise<void> {
    if (!this.#woken) {
      const { schedule } = this.#options;
      if (schedule === undefined) this.#reports.later();
      else this.#reports.now();
      leaveBusy();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        schedule?.rested();
      });
      enterBusy();
      this.#wake = undefined;
    }
    // A wake-up may come from inside a microtask: timers must not wait behind a chain of those.
    if (this.#options.schedule !== undefined || performance.now() - this.#lastTurnMs >= busyShareMs()) await this.#turn();
  }
}

function noop(): void {}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
