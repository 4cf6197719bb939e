import { planError, SageError } from '../common/errors.ts';
import type { SourceLocation } from '../common/source-location.ts';
import type { Job } from '../transformations/job.ts';
import type { RecordCollector } from '../transformations/sink-descriptor.ts';
import { SinkTransformation } from '../transformations/sink-transformation.ts';
import type { StreamEnvironment } from '../transformations/stream-environment.ts';

/** Records that may wait for the reader; beyond, the sink waits. */
const CAPACITY = 1024;

/** Jobs that a collect() is about to submit: several iterations that begin together share one job. */
const submitting = new WeakMap<StreamEnvironment, Promise<Job>>();

/**
 * What `collect()` returns. Iterating over it submits the job (or joins the one that runs) and pulls its records with
 * backpressure; leaving the loop early cancels the job. One pass.
 */
export class CollectStream<T> implements AsyncIterable<T>, RecordCollector {
  readonly #environment: StreamEnvironment;
  readonly #declaredAt: SourceLocation;
  #reading = false;
  /** Nobody will read any more: what still comes is dropped. */
  #left = false;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #buffer: T[] = [];
  /** Index of the next record in the buffer. */
  #head = 0;
  #wakeReader: (() => void) | undefined;
  #writerWait: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;
  #job: Job | undefined;

  constructor(environment: StreamEnvironment, declaredAt: SourceLocation) {
    this.#environment = environment;
    this.#declaredAt = declaredAt;
  }

  get reading(): boolean {
    return this.#reading;
  }

  /** @throws SageError SAGE_ENV_CONTEXT on a second pass. */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    if (this.#reading) {
      throw new SageError('SAGE_ENV_CONTEXT', 'what collect() returned is already being read', {
        declaredAt: this.#declaredAt,
        help: 'Call collect() on the stream again for a second reader.',
      });
    }
    this.#reading = true;
    let started: Promise<void> | undefined;
    return {
      next: async () => {
        await (started ??= this.#start());
        return this.#next();
      },
      return: async () => {
        await started?.catch(() => {});
        await this.#leave();
        return { done: true, value: undefined };
      },
    };
  }

  write(record: unknown): void | Promise<void> {
    if (this.#left) return undefined;
    this.#buffer.push(record as T);
    this.#wakeReader?.();
    if (this.#buffer.length - this.#head < CAPACITY) return undefined;
    this.#writerWait ??= Promise.withResolvers<void>();
    return this.#writerWait.promise;
  }

  async #start(): Promise<void> {
    this.#job = await joinOrSubmit(this.#environment);
    this.#job.completion.then(
      () => this.#end(undefined),
      (error: unknown) => this.#end({ error }),
    );
  }

  #end(failure: { readonly error: unknown } | undefined): void {
    this.#ended = true;
    this.#failure = failure;
    this.#wakeReader?.();
  }

  async #next(): Promise<IteratorResult<T, undefined>> {
    while (this.#head === this.#buffer.length) {
      if (this.#ended || this.#left) {
        const failure = this.#failure;
        this.#failure = undefined;
        if (failure !== undefined) throw failure.error;
        return { done: true, value: undefined };
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wakeReader = resolve;
      // eslint-disable-next-line no-await-in-loop -- this is the wait for the next record
      await promise;
      this.#wakeReader = undefined;
    }
    const value = this.#buffer[this.#head++]!;
    if (this.#head === this.#buffer.length) {
      this.#buffer = [];
      this.#head = 0;
    } else if (this.#head >= CAPACITY) {
      this.#buffer = this.#buffer.slice(this.#head);
      this.#head = 0;
    }
    if (this.#buffer.length - this.#head <= CAPACITY / 2) this.#releaseWriter();
    return { done: false, value };
  }

  async #leave(): Promise<void> {
    this.#left = true;
    this.#buffer = [];
    this.#head = 0;
    this.#releaseWriter();
    if (this.#ended || this.#job === undefined) return;
    await this.#job.cancel();
    await this.#job.completion.catch(() => {}); // the reader went away on purpose
  }

  #releaseWriter(): void {
    this.#writerWait?.resolve();
    this.#writerWait = undefined;
  }
}

function joinOrSubmit(environment: StreamEnvironment): Promise<Job> {
  if (environment.activeJob !== undefined) return Promise.resolve(environment.activeJob);
  let job = submitting.get(environment);
  if (job === undefined) {
    job = submitOnceAllRead(environment);
    submitting.set(environment, job);
  }
  return job;
}

/** Awaits all the way, with no `then`: `submit` looks for the program among its asynchronous callers. */
async function submitOnceAllRead(environment: StreamEnvironment): Promise<Job> {
  try {
    await Promise.resolve(); // loops that begin in the same turn are readers of the same job
    checkCollectsAreRead(environment);
    return await environment.submit();
  } finally {
    submitting.delete(environment);
  }
}

/** @throws SageError SAGE_PLAN_COLLECT for a collect() that nobody reads: the job could never end. */
export function checkCollectsAreRead(environment: StreamEnvironment): void {
  for (const transformation of environment.pipeline) {
    if (!(transformation instanceof SinkTransformation)) continue;
    if (transformation.sink.form !== 'collect' || transformation.sink.collector.reading) continue;
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
