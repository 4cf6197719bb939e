import { abortableWait, type WaitOptions } from '../common/abortable-wait.ts';
import { planError, SageError } from '../common/errors.ts';
import { oldNodeProblem } from '../common/old-node-problem.ts';
import { captureSourceLocation, type SourceLocation } from '../common/source-location.ts';
import type { SchemaOutput, StandardSchema } from '../common/standard-schema.ts';
import { checkCollectsAreRead, noteSubmitted } from '../datastream/collect-stream.ts';
import { type FutureOptions, type FutureStream, fromFuture } from '../datastream/future-stream.ts';
import { DataStream } from '../datastream/streams.ts';
import { checkOptions, checkText } from '../datastream/plan-checks.ts';
import type { Batched, ClassOf, Mapped, RecordWithin, Sourced } from '../datastream/record-types.ts';
import { type SchemaSourceOptions, type SourceCall, type SourceOptions, type TimestampedSourceOptions, toSourceDescriptor } from '../datastream/source-argument.ts';
import { describeValue } from '../functions/check-user-function.ts';
import type { Timestamped } from '../functions/timestamped.ts';
import { BaseTransformation } from '../transformations/base-transformation.ts';
import type { Source } from '../transformations/connector.ts';
import type { EnvironmentConfig } from '../transformations/environment-config.ts';
import type { Job, JobResult, JobStatus, SubmitOptions } from '../transformations/job.ts';
import type { PlanDescription } from '../transformations/plan-description.ts';
import { SourceTransformation } from '../transformations/source-transformation.ts';
import { sourceInstances } from '../transformations/source-descriptor.ts';
import { SourceTimestampsTransformation } from '../transformations/source-timestamps-transformation.ts';
import { ValidateTransformation } from '../transformations/validate-transformation.ts';
import type { ExplainLevel, ExplainOptions, JobSubmitter, StreamEnvironment } from '../transformations/stream-environment.ts';
import { checkConfig } from './check-config.ts';
import { checkExplain, explainEnvironment } from './explain-environment.ts';
import { localSubmitter } from './local-submitter.ts';
import { uniqueName } from './unique-name.ts';

/** What a generator function makes. */
type AnyGenerator<T> = Generator<T, unknown, never> | AsyncGenerator<T, unknown, never>;

/** An object that gives records. */
interface Gives<R> {
  /** Gives the next record. */
  readonly execute: () => R;
}

/** States in which a job does nothing any more. */
const FINAL: ReadonlySet<JobStatus> = new Set<JobStatus>(['finished', 'stopped', 'failed', 'canceled']);

/**
 * Builds pipelines and runs them in this process, its worker threads and its native threads. Nothing runs before
 * `submit`.
 *
 * ```ts
 * const env = new LocalEnvironment('squares');
 * const squares: number[] = [];
 * env.fromCollection([1, 2, 3]).map((n) => n * n).sink(squares);
 * await env.submit({ autostop: true });
 * ```
 */
export class LocalEnvironment implements StreamEnvironment {
  /** For people: of its jobs in logs and metrics. */
  readonly name: string;
  /** A frozen copy of the settings it was made with. */
  readonly config: EnvironmentConfig;
  readonly #submitter: JobSubmitter;
  readonly #pipeline: BaseTransformation[] = [];
  readonly #jobs = new Set<Job>();
  readonly #submitting = new Set<Promise<Job>>();
  #activeJob: Job | undefined;
  #closing: Promise<void> | undefined;
  #closedAt: SourceLocation | undefined;

  /**
   * @param name for people: of the job in logs and metrics.
   * @param config settings; names that SAGE Kernel does not know reach functions as `ctx.config`.
   */
  constructor(name = 'pipeline', config: EnvironmentConfig = {}, submitter: JobSubmitter = localSubmitter) {
    const problem = oldNodeProblem();
    if (problem !== undefined) throw new SageError('SAGE_ENV_CONTEXT', problem, { help: 'Install a newer Node, https://nodejs.org has it.' });
    const declaredAt = captureSourceLocation(LocalEnvironment);
    this.name = checkText(name, 'new LocalEnvironment', declaredAt);
    this.config = checkConfig(config, declaredAt);
    this.#submitter = submitter;
  }

  /** The operators in the order in which they were declared. */
  get pipeline(): readonly BaseTransformation[] {
    return this.#pipeline;
  }

  /** The job of the last submit, while it has not ended. */
  get activeJob(): Job | undefined {
    const job = this.#activeJob;
    // `ended` is noticed a turn later than whoever awaits the job notices it.
    return job === undefined || FINAL.has(job.status) ? undefined : job;
  }

  /**
   * A stream of an array or another finite iterable, of a generator function, or of a `BatchFunction` class with its
   * constructor arguments. `null` elements are records; a batch function ends with `null` or `undefined`.
   */
  fromBatch<S extends StandardSchema>(
    source: Iterable<unknown> | AsyncIterable<unknown> | (() => unknown),
    options: SchemaSourceOptions<S>,
  ): DataStream<Mapped<SchemaOutput<S>>>;
  fromBatch<T>(items: Iterable<Timestamped<T>> | AsyncIterable<Timestamped<T>>, options: TimestampedSourceOptions): DataStream<T>;
  fromBatch<T, A extends readonly unknown[]>(
    generator: (...args: A) => AnyGenerator<Timestamped<T>>,
    ...args: [...A, options: TimestampedSourceOptions]
  ): DataStream<T>;
  fromBatch<R, A extends readonly unknown[]>(
    Class: ClassOf<Gives<R>, A>,
    ...args: [...A, options: TimestampedSourceOptions]
  ): DataStream<RecordWithin<Batched<R>>>;
  fromBatch<R>(next: (() => R) | Gives<R>, options: TimestampedSourceOptions): DataStream<RecordWithin<Batched<R>>>;
  fromBatch<T>(items: Iterable<T> | AsyncIterable<T>, options?: SourceOptions): DataStream<T>;
  fromBatch<T, A extends readonly unknown[]>(
    generator: (...args: A) => AnyGenerator<T>,
    ...args: [...A, options?: SourceOptions]
  ): DataStream<T>;
  fromBatch<R, A extends readonly unknown[]>(
    Class: ClassOf<Gives<R>, A>,
    ...args: [...A, options?: SourceOptions]
  ): DataStream<Batched<R>>;
  fromBatch<T>(source: Source<T>): DataStream<T>;
  fromBatch<R>(next: (() => R) | Gives<R>, options?: SourceOptions): DataStream<Batched<R>>;
  fromBatch(value: unknown, ...args: readonly unknown[]): DataStream<unknown> {
    return this.#from('fromBatch', value, args, captureSourceLocation(this.fromBatch));
  }

  /** A stream of the elements of an array. Parallel instances take slices. */
  fromCollection<S extends StandardSchema>(items: readonly unknown[], options: SchemaSourceOptions<S>): DataStream<Mapped<SchemaOutput<S>>>;
  fromCollection<T>(items: readonly Timestamped<T>[], options: TimestampedSourceOptions): DataStream<T>;
  fromCollection<T>(items: readonly T[], options?: SourceOptions): DataStream<T>;
  fromCollection(items: readonly unknown[], options?: SourceOptions | TimestampedSourceOptions): DataStream<unknown> {
    const declaredAt = captureSourceLocation(this.fromCollection);
    if (!Array.isArray(items)) {
      throw planError('SAGE_PLAN_SOURCE', {
        message: `fromCollection was given ${describeValue(items)}`,
        expected: 'an array',
        fix: 'Use fromBatch for other iterables.',
        found: describeValue(items),
        declaredAt,
      });
    }
    return this.#from('fromCollection', items, options === undefined ? [] : [options], declaredAt);
  }

  /**
   * A stream of a connector, a `SourceFunction` class (with its constructor arguments) or object, a function that
   * returns one record a call (`undefined`: nothing now, `END`: the end), a generator function, or any iterable, Node
   * `Readable` or `ReadableStream`. What gives {@link timestamped} records is given `{ timestamps: { outOfOrdernessMs } }`: they have event time then.
   */
  fromSource<T>(source: Source<T>): DataStream<T>;
  fromSource<S extends StandardSchema>(
    source: Iterable<unknown> | AsyncIterable<unknown> | (() => unknown),
    options: SchemaSourceOptions<S>,
  ): DataStream<Mapped<SchemaOutput<S>>>;
  fromSource<T>(items: Iterable<Timestamped<T>> | AsyncIterable<Timestamped<T>>, options: TimestampedSourceOptions): DataStream<T>;
  fromSource<T, A extends readonly unknown[]>(
    generator: (...args: A) => AnyGenerator<Timestamped<T>>,
    ...args: [...A, options: TimestampedSourceOptions]
  ): DataStream<T>;
  fromSource<R, A extends readonly unknown[]>(
    Class: ClassOf<Gives<R>, A>,
    ...args: [...A, options: TimestampedSourceOptions]
  ): DataStream<RecordWithin<Sourced<R>>>;
  fromSource<R>(next: (() => R) | Gives<R>, options: TimestampedSourceOptions): DataStream<RecordWithin<Sourced<R>>>;
  fromSource<T>(items: Iterable<T> | AsyncIterable<T>, options?: SourceOptions): DataStream<T>;
  fromSource<T, A extends readonly unknown[]>(
    generator: (...args: A) => AnyGenerator<T>,
    ...args: [...A, options?: SourceOptions]
  ): DataStream<T>;
  fromSource<R, A extends readonly unknown[]>(
    Class: ClassOf<Gives<R>, A>,
    ...args: [...A, options?: SourceOptions]
  ): DataStream<Sourced<R>>;
  fromSource<R>(next: (() => R) | Gives<R>, options?: SourceOptions): DataStream<Sourced<R>>;
  fromSource(value: unknown, ...args: readonly unknown[]): DataStream<unknown> {
    return this.#from('fromSource', value, args, captureSourceLocation(this.fromSource));
  }

  /** As `fromSource`; reads better where the input never ends, such as the messages of a broker. */
  fromStream<T>(source: Source<T>): DataStream<T>;
  fromStream<S extends StandardSchema>(
    source: Iterable<unknown> | AsyncIterable<unknown> | (() => unknown),
    options: SchemaSourceOptions<S>,
  ): DataStream<Mapped<SchemaOutput<S>>>;
  fromStream<T>(items: Iterable<Timestamped<T>> | AsyncIterable<Timestamped<T>>, options: TimestampedSourceOptions): DataStream<T>;
  fromStream<T, A extends readonly unknown[]>(
    generator: (...args: A) => AnyGenerator<Timestamped<T>>,
    ...args: [...A, options: TimestampedSourceOptions]
  ): DataStream<T>;
  fromStream<R, A extends readonly unknown[]>(
    Class: ClassOf<Gives<R>, A>,
    ...args: [...A, options: TimestampedSourceOptions]
  ): DataStream<RecordWithin<Sourced<R>>>;
  fromStream<R>(next: (() => R) | Gives<R>, options: TimestampedSourceOptions): DataStream<RecordWithin<Sourced<R>>>;
  fromStream<T>(items: Iterable<T> | AsyncIterable<T>, options?: SourceOptions): DataStream<T>;
  fromStream<T, A extends readonly unknown[]>(
    generator: (...args: A) => AnyGenerator<T>,
    ...args: [...A, options?: SourceOptions]
  ): DataStream<T>;
  fromStream<R, A extends readonly unknown[]>(
    Class: ClassOf<Gives<R>, A>,
    ...args: [...A, options?: SourceOptions]
  ): DataStream<Sourced<R>>;
  fromStream<R>(next: (() => R) | Gives<R>, options?: SourceOptions): DataStream<Sourced<R>>;
  fromStream(value: unknown, ...args: readonly unknown[]): DataStream<unknown> {
    return this.#from('fromStream', value, args, captureSourceLocation(this.fromStream));
  }

  /**
   * A stream of records that come from further down the pipeline: the head of a feedback loop, closed by `stream.fillFuture`.
   * The loop ends by itself when its other inputs have ended and nothing is in flight in it.
   *
   * ```ts
   * const again = env.fromFuture<number>('again');
   * const halves = env.fromCollection([40, 7]).union(again).map((n) => Math.floor(n / 2));
   * halves.filter((n) => n > 0).fillFuture(again);
   * halves.print();
   * ```
   */
  fromFuture<T>(name = 'future', options?: FutureOptions): FutureStream<T> {
    return fromFuture(this, name, options, this.fromFuture);
  }

  /**
   * The plans: stages, what was fused, what runs native, exchanges, parallelism and why. Starts nothing. As text, all or one
   * of them; as data (`format: 'json'`); or as a picture, for Mermaid or as SVG.
   *
   * ```ts
   * const env = new LocalEnvironment('squares');
   * env.fromCollection([1, 2, 3]).map((n) => n * n).print();
   * console.log(env.explain('physical'));
   * const { stages, exchanges } = env.explain({ format: 'json' });
   * console.log(stages.length, exchanges.length, env.explain({ format: 'mermaid' }).split('\n')[0]);
   * ```
   *
   * @throws SageError a plan error, when the pipeline could not run.
   */
  explain(level?: ExplainLevel): string;
  explain(options: { readonly format: 'json' }): PlanDescription;
  explain(options: Exclude<ExplainOptions, { readonly format: 'json' }>): string;
  explain(request?: ExplainLevel | ExplainOptions): unknown {
    const declaredAt = captureSourceLocation(this.explain);
    return explainEnvironment(this.#submitter, this, checkExplain(request, declaredAt), declaredAt);
  }

  /**
   * Compiles and starts. Resolves to the running job; with `autostop` to the result, once the job has ended and was
   * cleaned up, or rejects with the job's error.
   */
  submit(options: SubmitOptions & { readonly autostop: true }): Promise<JobResult>;
  submit(options?: SubmitOptions & { readonly autostop?: false }): Promise<Job>;
  async submit(options: SubmitOptions = {}): Promise<Job | JobResult> {
    const calledAt = captureSourceLocation(this.submit);
    const checked = this.#checkSubmit(options, calledAt);
    if (checked.autostop === true) checkCollectsAreRead(this);
    const submitted = this.#submitter.submit(this, checked, calledAt);
    this.#submitting.add(submitted);
    noteSubmitted(this, submitted);
    let job: Job;
    try {
      job = await submitted;
      this.#track(job);
    } finally {
      this.#submitting.delete(submitted);
    }
    return checked.autostop === true ? job.completion : job;
  }

  /** Stops the jobs of this environment and waits for their end, or until its signal is aborted. A second call waits for the same. */
  close(options: WaitOptions = {}): Promise<void> {
    this.#closedAt ??= captureSourceLocation(this.close);
    this.#closing ??= this.#stopAll();
    return options.signal === undefined ? this.#closing : abortableWait(this.#closing, options, 'close', 'the environment goes on closing');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Appends an operator. The streams call it; pipelines are built by their methods. */
  add<X extends BaseTransformation>(transformation: X): X {
    if (this.#closing !== undefined) throw this.#closedError(transformation.declaredAt);
    transformation.name = uniqueName(transformation.name, this.#pipeline);
    BaseTransformation.place(transformation, this.#pipeline.length);
    this.#pipeline.push(transformation);
    return transformation;
  }

  /** Names an operator, with a suffix when the name is taken. `named` calls it. */
  rename(transformation: BaseTransformation, name: string): void {
    transformation.name = uniqueName(
      name,
      this.#pipeline.filter((other) => other !== transformation),
    );
  }

  #from(call: SourceCall, value: unknown, args: readonly unknown[], declaredAt: SourceLocation): DataStream<never> {
    const { schema, lineOf, timestamps, ...source } = toSourceDescriptor(call, value, args, declaredAt);
    let transformation: BaseTransformation = this.add(new SourceTransformation(source, declaredAt));
    if (timestamps !== undefined) {
      transformation = this.add(new SourceTimestampsTransformation(transformation, timestamps.selector, timestamps.settings, declaredAt));
      // In the task of the source, which may say what belongs between two of its records.
      if (sourceInstances(source) === 'one') transformation.parallelism = 1;
    }
    if (schema === undefined) return new DataStream(this, transformation);
    return new DataStream(this, this.add(new ValidateTransformation(transformation, schema, declaredAt, lineOf)));
  }

  #checkSubmit(options: SubmitOptions, declaredAt: SourceLocation): SubmitOptions {
    if (this.#closing !== undefined) throw this.#closedError(declaredAt);
    const { autostop, signal, from, allowDropped } = checkOptions(options, ['autostop', 'signal', 'from', 'allowDropped'], 'submit', declaredAt);
    const wrong =
      autostop !== undefined && typeof autostop !== 'boolean'
        ? (['autostop', autostop, 'true or false'] as const)
        : signal !== undefined && !(signal instanceof AbortSignal)
          ? (['signal', signal, 'an AbortSignal'] as const)
          : from !== undefined && (typeof from !== 'string' || from === '')
            ? (['from', from, "'latest' or the path of a checkpoint"] as const)
            : allowDropped !== undefined && typeof allowDropped !== 'boolean'
              ? (['allowDropped', allowDropped, 'true or false'] as const)
              : undefined;
    if (wrong === undefined && from === 'latest' && this.config.checkpoint === undefined) {
      throw planError('SAGE_PLAN_ARGUMENT', {
        message: "submit was given from: 'latest', and the environment has no checkpoints",
        expected: 'the path of a savepoint, or an environment with checkpoint: { dir }',
        fix: `Write new LocalEnvironment('${this.name}', { checkpoint: { dir: 'checkpoints', intervalMs: 10_000 } }).`,
        found: 'no setting checkpoint',
        declaredAt,
      });
    }
    if (wrong === undefined) return options;
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: `${wrong[0]} of submit is ${describeValue(wrong[1])}`,
      expected: wrong[2],
      fix: 'Write env.submit({ autostop: true }).',
      found: describeValue(wrong[1]),
      declaredAt,
    });
  }

  #track(job: Job): void {
    this.#jobs.add(job);
    this.#activeJob = job;
    const ended = (): void => {
      this.#jobs.delete(job);
      if (this.#activeJob === job) this.#activeJob = undefined;
    };
    void job.ended.then(ended);
  }

  async #stopAll(): Promise<void> {
    // Jobs that are only just being started are among those to stop.
    for (const job of await Promise.allSettled(this.#submitting)) if (job.status === 'fulfilled') this.#track(job.value);
    const jobs = [...this.#jobs];
    await Promise.allSettled(jobs.map((job) => job.stop()));
    await Promise.allSettled(jobs.map((job) => job.completion));
  }

  #closedError(declaredAt: SourceLocation): SageError {
    return planError('SAGE_ENV_CLOSED', {
      message: `the environment '${this.name}' was closed`,
      expected: 'an open environment',
      found: 'one that was closed',
      declaredAt,
      related: this.#closedAt === undefined ? [] : [{ what: 'it was closed', declaredAt: this.#closedAt }],
    });
  }
}
