import { SageError } from '../common/errors.ts';
import { LocalEnvironment } from '../environment/local-environment.ts';
import { setJobControls } from '../runtime/job/job-controls.ts';
import { LocalJob } from '../runtime/job/local-job.ts';
import type { OnTimer } from '../runtime/stage/instrument.ts';
import { setPipelineOrigin } from '../runtime/worker/pipeline-origin.ts';
import type { WaitOptions } from '../common/abortable-wait.ts';
import type { BaseTransformation } from '../transformations/base-transformation.ts';
import type { EnvironmentConfig } from '../transformations/environment-config.ts';
import type { Job, JobResult, SubmitOptions } from '../transformations/job.ts';
import { SourceTransformation } from '../transformations/source-transformation.ts';
import { CollectSink } from './collect-sink.ts';
import { defaultSeed } from './explore-schedules.ts';
import { deepFreeze, sharedNodes } from './freeze-shared.ts';
import { type Fault, InjectedFaults } from './injected-faults.ts';
import { instrumentedFunction, recordOf } from './instrumented-function.ts';
import { TestSchedule } from './test-schedule.ts';
import { TestSource, type TestSourceOptions, testSourceOf } from './test-source.ts';
import { VirtualClock } from './virtual-clock.ts';

const TIMEOUT_MS = 5_000;
/** For so long of the machine's clock `finish` waits for promises before it lets time go on. */
const PATIENCE_MS = 500;

/** Settings of a {@link TestEnvironment}: those of an environment, without those that it decides itself. */
export interface TestEnvironmentOptions extends Omit<EnvironmentConfig, 'clock' | 'isolated'> {
  /** Of the job in logs and metrics; 'test' when left away. */
  readonly name?: string;
  /** Chooses the schedule: a whole number. When left away, that of `exploreSchedules`, of `SAGE_TEST_SEED`, or 0. */
  readonly seed?: number;
  /** What the clock shows at first, in epoch milliseconds; 0 when left away. */
  readonly startMs?: number;
  /** Whether records that several operators are given are frozen, so that one that changes them fails; true when left away. */
  readonly freeze?: boolean;
}

/** How long and for what `settle` waits. */
export interface SettleOptions {
  /** Of the machine's clock, in milliseconds; 5000 when left away. */
  readonly timeoutMs?: number;
  /** `'wait'`, when left away, waits for promises of user code; `'leave'` does not when nothing else is left to do. */
  readonly pending?: 'wait' | 'leave';
}

/**
 * An environment for tests: the same pipelines on the same engine, with a clock that stands still until it is told to go on, and in an
 * order that a seed decides. Whatever a pipeline gives by `settle`, it gives again in the same order with the same seed.
 *
 * ```ts
 * import { TestEnvironment } from 'sage-kernel/testing';
 *
 * await using env = new TestEnvironment({ seed: 7 });
 * const clicks = env.testSource<{ page: string }>('clicks');
 * const found = env.collectSink<{ key: string; n: number }>();
 * env.fromSource(clicks).keyBy('page').window(tumbling('10s')).aggregate({ n: count() }).sink(found);
 * await env.start();
 * clicks.push({ page: '/a' }, 1_000);
 * clicks.push({ page: '/a' }, 9_000);
 * await env.settle();
 * console.log(found.take().length);
 * clicks.watermark(10_000);
 * await env.settle();
 * console.log(found.take());
 * await env.finish();
 * ```
 *
 * All tasks run in the main isolate, also parallel instances. The seed chooses which of them goes on, how many records it takes at a time,
 * and when batches are sent. Readers and writers of files, and operators that run natively beside them, have threads of their own: they are
 * no part of the schedule, and `settle` does not wait for them. Neither is what user code does with timers and sockets of its own.
 */
export class TestEnvironment extends LocalEnvironment {
  /** The clock of its jobs. */
  readonly clock: VirtualClock;
  /** The number that has chosen the schedule. */
  readonly seed: number;
  readonly #schedule: TestSchedule;
  readonly #faults: InjectedFaults = new InjectedFaults();
  readonly #sources = new Set<TestSource<never>>();
  readonly #timers = new Set<OnTimer>();
  readonly #freezes: boolean;
  #job: LocalJob | undefined;
  /** While a job is being started. */
  #submission: Promise<Job> | undefined;
  /** Whether the test was told why its job has failed. */
  #hasTold = false;

  /** @param options a seed, the time to begin with, and settings of the environment */
  constructor(options: TestEnvironmentOptions = {}) {
    const { name = 'test', seed = defaultSeed(), startMs = 0, freeze = true, ...config } = options;
    const clock = new VirtualClock(startMs);
    super(name, { ...config, clock });
    if (!Number.isSafeInteger(seed)) throw new SageError('SAGE_PLAN_ARGUMENT', `the seed of a TestEnvironment is ${String(seed)}`, { help: 'Give a whole number.' });
    this.clock = clock;
    this.seed = seed;
    this.#freezes = freeze;
    this.#schedule = new TestSchedule(seed);
    setPipelineOrigin(this, { kind: 'none', reason: 'a TestEnvironment runs all of it in the main isolate', isWanted: true });
    setJobControls(this, {
      schedule: this.#schedule,
      instrument: (fn, node, stage) => {
        this.#faults.noteFunction(node);
        const isShared = this.#freezes && sharedNodes(stage).has(node.id);
        return instrumentedFunction(fn, (args) => {
          const record = recordOf(node, args);
          if (isShared) deepFreeze(record);
          this.#faults.check(node, record);
        });
      },
      onTimer: (change) => this.#timers.forEach((tell) => tell(change)),
    });
  }

  /** A source that the test pushes records into, for `fromSource`. @param name for messages, when nothing else is to be said */
  testSource<T>(name: string, options: Omit<TestSourceOptions, 'name'> = {}): TestSource<T> {
    return new TestSource<T>({ ...options, name });
  }

  /** A sink that keeps what it is given, for `sink`. */
  collectSink<T>(): CollectSink<T> {
    return new CollectSink<T>();
  }

  /**
   * Has an operator fail: at each call of its function `fault` is asked first, and an error that it gives is thrown in place of the call,
   * as if the function had thrown it. Error policies, retries and dead letters work as ever.
   *
   * ```ts
   * import { TestEnvironment } from 'sage-kernel/testing';
   *
   * await using env = new TestEnvironment();
   * const found = env.collectSink<number>();
   * env.fromCollection([1, 2, 3]).map((n) => n).named('parse').onError('skip').sink(found);
   * env.failOn('parse', (record) => (record === 2 ? new RangeError('two') : undefined));
   * await env.start();
   * await env.finish();
   * console.log(found.records);
   * ```
   *
   * @param operator its name or uid; it has to have a function, which expressions and field names are not
   * @param fault is given the record and the number of the call, from 1
   * @throws SageError SAGE_PLAN_ARGUMENT, from here or from `start`, when there is no such operator
   */
  failOn(operator: string, fault: Fault): void {
    this.#faults.add(operator, fault);
    if (this.#job === undefined) return;
    this.#faults.checkNames(this.pipeline);
    this.#faults.checkFunctions();
  }

  /**
   * Submits the pipeline, and settles: sources of arrays have given what they have.
   *
   * @throws SageError a plan error, or what the job has failed with
   */
  async start(options: SettleOptions = {}): Promise<Job> {
    const job = await this.submit();
    await this.settle({ pending: 'leave', ...options });
    return job;
  }

  override submit(options: SubmitOptions & { readonly autostop: true }): Promise<JobResult>;
  override submit(options?: SubmitOptions & { readonly autostop?: false }): Promise<Job>;
  override async submit(options: SubmitOptions = {}): Promise<Job | JobResult> {
    const submission = this.#submit(options);
    this.#submission = submission;
    try {
      const job = await submission;
      return options.autostop === true ? job.completion : job;
    } finally {
      if (this.#submission === submission) this.#submission = undefined;
    }
  }

  override add<X extends BaseTransformation>(transformation: X): X {
    const source = transformation instanceof SourceTransformation ? testSourceOf(transformation.source) : undefined;
    if (source !== undefined) {
      this.#sources.add(source);
      source.attach({ clock: this.clock, defer: (call) => this.#schedule.defer(call) });
    }
    return super.add(transformation);
  }

  /**
   * Resolves when all has happened that can without time going on and without new input: no task has work, no promise of user code is
   * pending, nothing is due. Also when the job has ended; one that is being submitted is waited for.
   *
   * @throws SageError what the job has failed with; SAGE_TEST_PENDING, which names what is pending, when that has not come in time; SAGE_JOB_STATE
   *   before `start` or `submit`
   */
  async settle(options: SettleOptions = {}): Promise<void> {
    await this.#settle(await this.#started('settle'), options);
  }

  async #settle(job: LocalJob, { timeoutMs = TIMEOUT_MS, pending = 'wait' }: SettleOptions): Promise<void> {
    const untilMs = performance.now() + timeoutMs;
    do {
      if (!(await this.#schedule.untilRest(pending === 'leave', Math.max(0, untilMs - performance.now())))) throw this.#pendingError(timeoutMs);
    } while (this.#wakeDue());
    job.lookForHeldBack();
    if (this.#schedule.hasJobs) return;
    await job.ended;
    if (job.error === undefined) return;
    this.#hasTold = true;
    throw job.error;
  }

  /**
   * Lets so many milliseconds pass on the clock, and settles behind each moment at which something was due, as time that passes slowly would.
   *
   * @throws SageError as `settle`
   */
  async advanceTime(ms: number, options: SettleOptions = {}): Promise<void> {
    if (!(ms >= 0)) throw new SageError('SAGE_PLAN_ARGUMENT', `advanceTime was given ${String(ms)}`, { help: 'Give milliseconds: time does not go back.' });
    const job = await this.#started('advanceTime');
    const untilMs = this.clock.monotonicMs() + ms;
    for (;;) {
      await this.#settle(job, options);
      const leftMs = untilMs - this.clock.monotonicMs();
      const dueInMs = this.clock.dueInMs ?? Number.POSITIVE_INFINITY;
      this.clock.advance(Math.min(dueInMs, leftMs));
      if (dueInMs > leftMs) break;
    }
    await this.#settle(job, options);
  }

  /**
   * Has all test sources with event time that have not ended say the watermark `t`, unless they are further or idle, and settles.
   *
   * @param t epoch milliseconds
   * @throws SageError as `settle`; SAGE_PLAN_ARGUMENT when there is no such source, or `t` is no time
   */
  async runToWatermark(t: number | Date, options: SettleOptions = {}): Promise<void> {
    if (Number.isNaN(Number(t))) throw new SageError('SAGE_PLAN_ARGUMENT', `runToWatermark was given ${String(t)}`, { help: 'Give epoch milliseconds, or a Date.' });
    const job = await this.#started('runToWatermark');
    const timed = [...this.#sources].filter((source) => source.hasEventTime && !source.isOver);
    if (timed.length === 0) {
      throw new SageError('SAGE_PLAN_ARGUMENT', 'runToWatermark has no test source with event time that has not ended', {
        help: 'Where timestamps come from assignTimestamps, push a record with a later one instead.',
      });
    }
    for (const source of timed) if (!source.isIdle && source.lastWatermark < Number(t)) void source.watermark(t);
    await this.#settle(job, options);
  }

  /**
   * Ends all test sources, and lets time go on as far as the job needs to end, such as for a retry: for promises that are pending half
   * a second of the machine's clock is waited before. Gives the result of the job.
   *
   * @throws SageError what the job has failed with; SAGE_TEST_PENDING when it does not end in time
   */
  async finish(options: Pick<SettleOptions, 'timeoutMs'> = {}): Promise<JobResult> {
    const { timeoutMs = TIMEOUT_MS } = options;
    const job = await this.#started('finish');
    const untilMs = performance.now() + timeoutMs;
    if (this.#schedule.hasJobs) for (const source of this.#sources) if (!source.isOver) void source.end();
    while (this.#schedule.hasJobs) {
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0) throw this.#pendingError(timeoutMs);
      const waitsForTime = this.clock.dueInMs !== undefined;
      // What is pending may be what a time-out ends: it is waited for, and then time goes on.
      const rests = await this.#schedule.untilRest(false, waitsForTime ? Math.min(leftMs, PATIENCE_MS) : leftMs);
      if (!this.#schedule.hasJobs || this.#wakeDue()) continue;
      const { dueInMs } = this.clock;
      if (dueInMs !== undefined) this.clock.advance(dueInMs);
      else if (!rests || this.#schedule.pendingWork.length === 0) throw this.#pendingError(timeoutMs);
    }
    await this.#settle(job, options);
    return job.completion;
  }

  /** Cancels the job if it has not ended, and fails with what it has failed with, if the test was not told. A second call waits for the same. */
  override async close(options: WaitOptions = {}): Promise<void> {
    const job = this.#job;
    // Closing looks at it too.
    const isWatched = job?.isWatched === true;
    // A test that has failed may have left promises that never settle, for which stopping would wait.
    if (this.#schedule.hasJobs) await job?.cancel(options);
    await super.close(options);
    if (job?.error === undefined || isWatched || this.#hasTold) return;
    this.#hasTold = true;
    throw job.error;
  }

  override [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Has a function told of the timers of keyed functions. The harness does. */
  protected watchTimers(tell: OnTimer): void {
    this.#timers.add(tell);
  }

  async #submit(options: SubmitOptions): Promise<Job> {
    this.#faults.checkNames(this.pipeline);
    const job = await super.submit({ ...options, autostop: false });
    if (!(job instanceof LocalJob)) return job;
    this.#job = job;
    this.#hasTold = false;
    job.leaveFailureToMe();
    try {
      this.#faults.checkFunctions();
    } catch (error) {
      await job.cancel();
      throw error;
    }
    return job;
  }

  /** The job, once it has been started where that has begun: one that was submitted with `autostop` cannot be awaited before it ends. */
  async #started(call: string): Promise<LocalJob> {
    await this.#submission;
    if (this.#job !== undefined) return this.#job;
    throw new SageError('SAGE_JOB_STATE', `${call} was called before start: there is no job that anything could happen in`, { help: 'Call await env.start() first.' });
  }

  /** What is due at this very moment. */
  #wakeDue(): boolean {
    const { dueInMs } = this.clock;
    if (dueInMs === undefined || dueInMs > 0) return false;
    this.clock.advance(0);
    return true;
  }

  #pendingError(timeoutMs: number): SageError {
    const work = this.#schedule.pendingWork;
    const what = work.length === 0 ? 'the job goes on by itself' : `${work.join(', ')} ${work.length === 1 ? 'is' : 'are'} pending`;
    return new SageError('SAGE_TEST_PENDING', `${what} after ${timeoutMs} ms of the machine's clock`, {
      help: "Settle it in the test, let time go on with advanceTime, or write settle({ pending: 'leave' }) where it is to stay as it is.",
    });
  }
}
