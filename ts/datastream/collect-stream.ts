import type { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';

import { planError, SageError } from '../common/errors.ts';
import { captureSourceLocation, type SourceLocation } from '../common/source-location.ts';
import type { Job } from '../transformations/job.ts';
import type { CollectSink, RecordCollector } from '../transformations/sink-descriptor.ts';
import { SinkTransformation } from '../transformations/sink-transformation.ts';
import type { StreamEnvironment } from '../transformations/stream-environment.ts';
import { checkReadableOptions } from './streams/readable-options.ts';
import { openReadable, type ToReadableOptions } from './streams/open-readable.ts';
import { openReadableStream, type ToReadableStreamOptions } from './streams/open-readable-stream.ts';
import type { RecordPull } from './streams/record-pull.ts';

/** Options of `collect`. */
export interface CollectOptions {
  /** Cancels the job; the reader gets SAGE_JOB_CANCELED with the signal's reason as its cause. */
  readonly signal?: AbortSignal;
}

/**
 * What `collect()` returns: the records of a stream, for a `for await` loop, or as a stream of Node or of the web. Whichever is
 * read first submits the job and pulls with backpressure; leaving it early cancels the job. There is one pass.
 */
export interface CollectedRecords<out T> extends AsyncIterable<T> {
  /** @throws SageError SAGE_ENV_CONTEXT on a second pass. */
  [Symbol.asyncIterator](): AsyncIterableIterator<T, undefined> & AsyncDisposable;
  /**
   * A Node `Readable`, in object mode unless said otherwise. Destroying it cancels the job; an error of the job destroys it.
   *
   * ```ts
   * import { createWriteStream } from 'node:fs';
   * import { pipeline } from 'node:stream/promises';
   *
   * const env = new LocalEnvironment('lines');
   * const lines = env.fromCollection([1, 2]).map((n) => `${n}\n`).collect();
   * await pipeline(lines.toReadable(), createWriteStream('numbers.txt'));
   * ```
   *
   * @throws SageError SAGE_ENV_CONTEXT on a second pass, SAGE_PLAN_ARGUMENT for wrong options. In the stream: SAGE_USER_WRONG_TYPE for null, which would be its end.
   */
  toReadable(options?: ToReadableOptions): Readable;
  /**
   * A `ReadableStream`. Cancelling it cancels the job; an error of the job is its error.
   *
   * ```ts
   * const env = new LocalEnvironment('lines');
   * const lines = env.fromCollection([1, 2]).map((n) => `${n}\n`).collect();
   * console.log(await new Response(lines.toReadableStream().pipeThrough(new TextEncoderStream())).text());
   * ```
   *
   * @throws SageError SAGE_ENV_CONTEXT on a second pass, SAGE_PLAN_ARGUMENT for wrong options.
   */
  toReadableStream(options?: ToReadableStreamOptions): ReadableStream<T>;
}

/** Records that may wait for the reader; beyond, the sink waits. */
const CAPACITY = 1024;

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** Jobs that a collect() is about to submit: several iterations that begin together share one job. */
const beginning = new WeakMap<StreamEnvironment, Promise<Job>>();

/** The buffer between a job and the one reader of its records. */
export class CollectStream<T> implements CollectedRecords<T>, RecordCollector, RecordPull<T> {
  readonly #environment: StreamEnvironment;
  readonly #declaredAt: SourceLocation;
  readonly #signal: AbortSignal | undefined;
  #reading = false;
  /** Nobody will read any more: what still comes is dropped. */
  #left = false;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #buffer: T[] = [];
  /** Index of the next record in the buffer. */
  #head = 0;
  #started: Promise<void> | undefined;
  /** Calls of `next` that wait for a record, in their order; there are some only while the buffer is empty. */
  readonly #waiting: PromiseWithResolvers<IteratorResult<T, undefined>>[] = [];
  #wake: (() => void) | undefined;
  #writerWait: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;
  #job: Job | undefined;
  /** The last job that was submitted with this sink in it, by whomever. */
  #filledBy: Promise<Job> | undefined;

  constructor(environment: StreamEnvironment, declaredAt: SourceLocation, signal?: AbortSignal) {
    this.#environment = environment;
    this.#declaredAt = declaredAt;
    this.#signal = signal;
  }

  get reading(): boolean {
    return this.#reading;
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<T, undefined> & AsyncDisposable {
    this.#claim();
    const iterator: AsyncIterableIterator<T, undefined> & AsyncDisposable = {
      next: () => (this.#job === undefined && this.#failure === undefined && !this.#left ? this.#first() : this.#next()),
      return: async () => {
        await this.leave();
        return DONE;
      },
      throw: async (error: unknown) => {
        await this.leave();
        throw error;
      },
      [Symbol.asyncIterator]: () => iterator,
      [Symbol.asyncDispose]: () => this.leave(),
    };
    return iterator;
  }

  toReadable(options?: ToReadableOptions): Readable {
    const checked = checkReadableOptions(options, 'toReadable', captureSourceLocation(this.toReadable));
    this.#claim();
    return openReadable(this, checked);
  }

  toReadableStream(options?: ToReadableStreamOptions): ReadableStream<T> {
    const checked = checkReadableOptions(options, 'toReadableStream', captureSourceLocation(this.toReadableStream));
    this.#claim();
    return openReadableStream(this, checked);
  }

  submitted(job: Promise<Job>): void {
    this.#filledBy = job;
    job.catch(() => {
      if (this.#filledBy === job) this.#filledBy = undefined;
    });
  }

  checkNotAborted(): void {
    if (this.#reading && !this.#ended && !this.#left && this.#isAborted) throw this.#canceled();
  }

  write(record: unknown): void | Promise<void> {
    // There is one pass: a later job of the same environment finds nobody here.
    if (this.#left || this.#ended) return undefined;
    const reader = this.#waiting.shift();
    if (reader !== undefined) {
      reader.resolve({ done: false, value: record as T });
      return undefined;
    }
    this.#buffer.push(record as T);
    this.#wakePuller();
    if (this.#buffer.length - this.#head < CAPACITY) return undefined;
    this.#writerWait ??= Promise.withResolvers<void>();
    return this.#writerWait.promise;
  }

  get available(): number {
    return this.#buffer.length - this.#head;
  }

  take(): T {
    const record = this.#buffer[this.#head++]!;
    if (this.#head === this.#buffer.length) {
      this.#buffer = [];
      this.#head = 0;
    } else if (this.#head >= CAPACITY) {
      this.#buffer = this.#buffer.slice(this.#head);
      this.#head = 0;
    }
    if (this.#writerWait !== undefined && this.#buffer.length - this.#head <= CAPACITY / 2) this.#releaseWriter();
    return record;
  }

  async untilAvailable(): Promise<boolean> {
    await this.#start();
    while (this.available === 0) {
      this.#throwFailure();
      if (this.#ended || this.#left) return false;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return true;
  }

  async leave(): Promise<void> {
    this.#left = true;
    this.#buffer = [];
    this.#head = 0;
    this.#releaseWriter();
    this.#wakeAll();
    if (this.#started === undefined && this.#filledBy === undefined) return;
    await this.#started;
    if (this.#ended) return;
    const job = this.#job ?? (await this.#filledBy?.catch(() => undefined)); // who has submitted it hears of its failure
    if (job === undefined) return;
    await job.cancel();
    await job.ended;
  }

  #claim(): void {
    if (this.#reading) {
      throw new SageError('SAGE_ENV_CONTEXT', 'what collect() returned is already being read', {
        declaredAt: this.#declaredAt,
        help: 'Call collect() on the stream again for a second reader.',
      });
    }
    this.#reading = true;
  }

  /** Awaits all the way, with no `then`, as below. */
  async #first(): Promise<IteratorResult<T, undefined>> {
    await this.#start();
    return this.#next();
  }

  #next(): Promise<IteratorResult<T, undefined>> {
    if (this.available > 0) return Promise.resolve({ done: false, value: this.take() });
    if (this.#failure !== undefined) {
      const { error } = this.#failure;
      this.#failure = undefined;
      return Promise.reject(error as Error);
    }
    if (this.#ended || this.#left) return Promise.resolve(DONE);
    const reader = Promise.withResolvers<IteratorResult<T, undefined>>();
    this.#waiting.push(reader);
    return reader.promise;
  }

  async #start(): Promise<void> {
    await (this.#started ??= this.#submit());
  }

  async #submit(): Promise<void> {
    const signal = this.#signal;
    let job: Job;
    try {
      // One that has ended meanwhile has left its records here: submitting again would run everything twice.
      job = await (this.#filledBy ?? beginTogether(this.#environment));
    } catch (error) {
      this.#end({ error });
      return;
    }
    this.#job = job;
    const abort = (): void => {
      this.#end({ error: this.#canceled() });
      void job.cancel();
    };
    signal?.addEventListener('abort', abort, { once: true });
    // It may have come while the job was being started.
    if (this.#isAborted) abort();
    job.completion
      .then(
        ({ status }) => this.#end(status === 'canceled' && !this.#left ? { error: this.#canceled() } : undefined),
        (error: unknown) => this.#end({ error }),
      )
      .finally(() => signal?.removeEventListener('abort', abort));
  }

  get #isAborted(): boolean {
    return this.#signal?.aborted === true;
  }

  /** The records so far look like all of them, and are not. */
  #canceled(): SageError {
    const by = this.#isAborted ? ' by the signal of collect()' : '';
    return new SageError('SAGE_JOB_CANCELED', `job '${this.#environment.name}' was cancelled${by} before all of its records were read`, {
      cause: this.#signal?.reason,
    });
  }

  #end(failure: { readonly error: unknown } | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    this.#releaseWriter();
    this.#wakeAll();
  }

  /** There will be no more records: the first who waits gets the error, if there is one. */
  #wakeAll(): void {
    for (const reader of this.#waiting.splice(0)) this.#next().then(reader.resolve, reader.reject);
    this.#wakePuller();
  }

  #wakePuller(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  #throwFailure(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure.error;
  }

  #releaseWriter(): void {
    this.#writerWait?.resolve();
    this.#writerWait = undefined;
  }
}

function beginTogether(environment: StreamEnvironment): Promise<Job> {
  let job = beginning.get(environment);
  if (job === undefined) {
    job = submitOnceAllRead(environment);
    beginning.set(environment, job);
  }
  return job;
}

/** Awaits all the way, with no `then`: `submit` looks for the program among its asynchronous callers. */
async function submitOnceAllRead(environment: StreamEnvironment): Promise<Job> {
  try {
    await Promise.resolve(); // loops that begin in the same turn are readers of the same job
    checkCollectsAreRead(environment);
    for (const { sink } of collectsOf(environment)) sink.collector.checkNotAborted();
    return await environment.submit();
  } finally {
    beginning.delete(environment);
  }
}

/** Tells each collect() of a pipeline of the job that will fill it. */
export function noteSubmitted(environment: StreamEnvironment, job: Promise<Job>): void {
  for (const { sink } of collectsOf(environment)) sink.collector.submitted(job);
}

function collectsOf({ pipeline }: StreamEnvironment): (SinkTransformation & { readonly sink: CollectSink })[] {
  return pipeline.filter((operator) => operator instanceof SinkTransformation && operator.sink.form === 'collect') as never;
}

/** @throws SageError SAGE_PLAN_COLLECT for a collect() that nobody reads: the job could never end. */
export function checkCollectsAreRead(environment: StreamEnvironment): void {
  for (const transformation of collectsOf(environment)) {
    if (transformation.sink.collector.reading) continue;
    throw planError('SAGE_PLAN_COLLECT', {
      message: `nobody reads '${transformation.name}', so that the job could never end`,
      expected: 'an iteration over what collect() returned',
      found: 'a submit, and no reader of it',
      fix: 'Write for await (const record of stream.collect()), which submits the job, or use sink(array).',
      declaredAt: transformation.declaredAt,
      operator: transformation.name,
    });
  }
}
