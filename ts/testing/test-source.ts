import { SageError } from '../common/errors.ts';
import type { SayWatermark } from '../transformations/assign-timestamps-transformation.ts';
import type { Source } from '../transformations/connector.ts';
import type { IterableSource, RecordIterator, SourceDescriptor } from '../transformations/source-descriptor.ts';

/** Settings of a {@link TestSource}. */
export interface TestSourceOptions {
  /** For messages; 'test source' when left away. */
  readonly name?: string;
  /** Whether its records have an event time; true when left away. Without, windows behind it go by the clock. */
  readonly eventTime?: boolean;
  /** Whether plans are to take it for a source that never ends, so that aggregates which emit at the end are refused; false when left away. */
  readonly unbounded?: boolean;
}

/** What a test environment does for its sources. */
export interface TestSourceHost {
  /** Gives the timestamp of records that have none. */
  readonly clock: { now(): number };
  /** Has a function called when the schedule comes to it. */
  defer(call: () => void): void;
}

type Item<T> =
  | { readonly kind: 'record'; readonly record: T; readonly timestamp: number }
  | { readonly kind: 'time'; readonly watermark: number; readonly isIdle: boolean }
  | { readonly kind: 'end' }
  | { readonly kind: 'failure'; readonly error: unknown };

interface Queued<T> {
  readonly item: Item<T>;
  readonly taken: PromiseWithResolvers<void>;
}

const sources = new WeakMap<IterableSource['open'], TestSource<never>>();

/** The test source behind a source of a pipeline, if it is one. */
export function testSourceOf(source: SourceDescriptor): TestSource<never> | undefined {
  return source.form === 'iterable' ? sources.get(source.open) : undefined;
}

/**
 * A source whose records, watermarks and end come from the test, in the order of the calls. It ends by `end` only. Each call is
 * queued at once; its promise resolves when the job has taken it, and so shows backpressure; no test needs to await it.
 *
 * ```ts
 * import { CollectSink, TestEnvironment, TestSource } from 'sage-kernel/testing';
 *
 * await using env = new TestEnvironment();
 * const numbers = new TestSource<number>();
 * const found = new CollectSink<number>();
 * env.fromSource(numbers).map((n) => n * n).sink(found);
 * await env.start();
 * numbers.push(3);
 * await env.settle();
 * console.log(found.take());
 * ```
 *
 * It serves one job. Its records have the timestamp that `push` was given, or else the time of the clock; watermarks are said by
 * `watermark` alone.
 */
export class TestSource<T> implements Source<T> {
  /** Only for the type; never set. */
  declare readonly record?: T;
  /** For messages. */
  readonly name: string;
  /** Whether its records have an event time. */
  readonly hasEventTime: boolean;
  readonly #isUnbounded: boolean;
  readonly #queue: Queued<T>[] = [];
  #host: TestSourceHost | undefined;
  #say: SayWatermark | undefined;
  #state: 'new' | 'open' | 'closed' = 'new';
  /** No more can be given. */
  #isOver = false;
  #watermark = Number.NEGATIVE_INFINITY;
  /** The timestamp of the record that was given last. */
  #timestamp = 0;
  #isIdle = false;
  /** What the job was told last of event time. */
  #saidWatermark = Number.NEGATIVE_INFINITY;
  #saidIdle = false;
  /** Given, and perhaps still being worked on. */
  #given: PromiseWithResolvers<void> | undefined;
  #wanted: PromiseWithResolvers<IteratorResult<T>> | undefined;
  #isWoken = false;

  /** @param options a name, and whether records have an event time */
  constructor(options: TestSourceOptions = {}) {
    this.name = options.name ?? 'test source';
    this.hasEventTime = options.eventTime ?? true;
    this.#isUnbounded = options.unbounded ?? false;
  }

  /** How many records, watermarks and so on the job has not taken so far. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** The last watermark that was said, in epoch milliseconds; -Infinity before. */
  get lastWatermark(): number {
    return this.#watermark;
  }

  /** Whether `idle` was called, and no record or watermark since. */
  get isIdle(): boolean {
    return this.#isIdle;
  }

  /** Whether `end` or `fail` was called, or its job has ended. */
  get isOver(): boolean {
    return this.#isOver || this.#state === 'closed';
  }

  /**
   * Gives the job a record. Resolves when the job has taken it and asks for the next one; rejects when the job has ended before.
   *
   * @param timestamp its event time, in epoch milliseconds; the time of the clock when left away
   * @throws SageError SAGE_JOB_STATE after `end` or `fail`, and when the job has ended
   */
  push(record: T, timestamp?: number | Date): Promise<void> {
    if (timestamp !== undefined) this.#checkTimed('a timestamp');
    this.#isIdle = false;
    return this.#give({ kind: 'record', record, timestamp: timestamp === undefined ? this.#now() : Number(timestamp) });
  }

  /**
   * Gives the job several records. Resolves when it has taken the last one.
   *
   * @param timestampOf gives the event time of each, in epoch milliseconds
   * @throws SageError as `push`
   */
  async pushAll(records: Iterable<T>, timestampOf?: (record: T) => number | Date): Promise<void> {
    await Promise.all(Array.from(records, (record) => this.push(record, timestampOf?.(record))));
  }

  /**
   * Says that all records with a timestamp before `t` have been pushed. What comes with an earlier one is late.
   *
   * @param t epoch milliseconds; never goes back
   * @throws SageError SAGE_PLAN_ARGUMENT for a `t` that is no number or before the last one; SAGE_JOB_STATE as `push`
   */
  watermark(t: number | Date): Promise<void> {
    this.#checkTimed('a watermark');
    const watermark = Number(t);
    if (!(watermark >= this.#watermark)) {
      throw new SageError('SAGE_PLAN_ARGUMENT', `the watermark ${watermark} of '${this.name}' is ${Number.isNaN(watermark) ? 'no number' : `before ${this.#watermark}, which was said already`}`, { help: 'Give watermarks in ascending order.' });
    }
    this.#watermark = watermark;
    this.#isIdle = false;
    return this.#give({ kind: 'time', watermark, isIdle: false });
  }

  /** Says that no records come for now: event time goes on without this source, until its next record. @throws SageError as `push` */
  idle(): Promise<void> {
    this.#checkTimed('idleness');
    this.#isIdle = true;
    return this.#give({ kind: 'time', watermark: this.#watermark, isIdle: true });
  }

  /** Takes `idle` back; a record or a watermark does so too. @throws SageError as `push` */
  active(): Promise<void> {
    this.#checkTimed('idleness');
    this.#isIdle = false;
    return this.#give({ kind: 'time', watermark: this.#watermark, isIdle: false });
  }

  /** Ends it: there are no more records. @throws SageError as `push` */
  end(): Promise<void> {
    const taken = this.#give({ kind: 'end' });
    this.#isOver = true;
    return taken;
  }

  /** Fails behind the records so far, as a source does whose connection breaks. @throws SageError as `push` */
  fail(error: unknown): Promise<void> {
    const taken = this.#give({ kind: 'failure', error });
    this.#isOver = true;
    return taken;
  }

  /** What the compiler needs to know of it. */
  describe(): IterableSource {
    const open = (): RecordIterator => this.#open();
    sources.set(open, this as unknown as TestSource<never>);
    const watermarks = { connect: (say: SayWatermark) => void (this.#say = say) };
    const settings = { outOfOrdernessMs: Number.POSITIVE_INFINITY, idleMs: undefined, maxAheadMs: Number.POSITIVE_INFINITY, watermarks };
    return {
      form: 'iterable',
      replay: 'once',
      name: `TestSource ${this.name}`,
      open,
      async: 'unknown',
      bounded: !this.#isUnbounded,
      ...(this.hasEventTime ? { timestamps: { selector: () => this.#timestamp, settings } } : {}),
    };
  }

  /** Has the schedule of an environment decide when the source wakes its job. Environments call it. */
  attach(host: TestSourceHost): void {
    this.#host = host;
  }

  #now(): number {
    return this.#host?.clock.now() ?? Date.now();
  }

  #checkTimed(what: string): void {
    if (this.hasEventTime) return;
    throw new SageError('SAGE_PLAN_ARGUMENT', `'${this.name}' was given ${what}, and has no event time`, { help: 'Leave { eventTime: false } away where it was made.' });
  }

  #give(item: Item<T>): Promise<void> {
    if (this.#isOver || this.#state === 'closed') {
      throw new SageError('SAGE_JOB_STATE', `'${this.name}' takes nothing more: ${this.#isOver ? 'it was ended' : 'its job has ended'}`, { help: 'Push before end() and while the job runs.' });
    }
    const taken = Promise.withResolvers<void>();
    // Whoever does not wait for it has nothing to hear.
    taken.promise.catch(() => undefined);
    this.#queue.push({ item, taken });
    if (this.#wanted !== undefined && !this.#isWoken) {
      this.#isWoken = true;
      if (this.#host === undefined) this.#wake();
      else this.#host.defer(() => this.#wake());
    }
    return taken.promise;
  }

  /** The job waits for a record: gives it what has come. */
  #wake(): void {
    this.#isWoken = false;
    const wanted = this.#wanted;
    if (wanted === undefined) return;
    try {
      const next = this.#next();
      if (next === undefined) return;
      this.#wanted = undefined;
      wanted.resolve(next);
    } catch (error) {
      this.#wanted = undefined;
      wanted.reject(error);
    }
  }

  /** The next record or the end; what is said of time before it is said. Nothing when the queue is empty. */
  #next(): IteratorResult<T> | undefined {
    for (let queued = this.#queue.shift(); queued !== undefined; queued = this.#queue.shift()) {
      const { item, taken } = queued;
      switch (item.kind) {
        case 'record':
          this.#timestamp = item.timestamp;
          this.#given = taken;
          if (this.#saidIdle) this.#sayTime(this.#saidWatermark, false);
          return { done: false, value: item.record };
        case 'time':
          this.#sayTime(item.watermark, item.isIdle);
          taken.resolve();
          break;
        case 'end':
          taken.resolve();
          return { done: true, value: undefined };
        case 'failure':
          taken.resolve();
          throw item.error;
      }
    }
    return undefined;
  }

  #sayTime(watermark: number, isIdle: boolean): void {
    this.#saidIdle = isIdle;
    this.#saidWatermark = watermark;
    this.#say?.(watermark, isIdle);
  }

  #open(): RecordIterator {
    if (this.#state !== 'new') {
      throw new SageError('SAGE_USER_SOURCE', `'${this.name}' has served a job already`, { help: 'Make a new TestSource for each job.' });
    }
    this.#state = 'open';
    const isQuiet = (): boolean => this.#wanted !== undefined;
    return {
      next: () => {
        this.#given?.resolve();
        this.#given = undefined;
        const next = this.#next();
        if (next !== undefined) return next;
        this.#wanted = Promise.withResolvers();
        return this.#wanted.promise;
      },
      return: () => this.#close(),
      get isQuiet() {
        return isQuiet();
      },
    };
  }

  /** The job has ended. */
  #close(): IteratorResult<T> {
    this.#state = 'closed';
    this.#wanted = undefined;
    const left = this.#queue.splice(0);
    for (const taken of [this.#given, ...left.map((queued) => queued.taken)]) {
      taken?.reject(new SageError('SAGE_JOB_STATE', `the job has ended, and ${left.length} records of '${this.name}' were never taken`));
    }
    this.#given = undefined;
    return { done: true, value: undefined };
  }
}
