import { SageError } from '../common/errors.ts';
import { SinkFunction } from '../functions/sink-function.ts';
import { instanceFunction } from '../functions/user-function.ts';
import type { Sink } from '../transformations/connector.ts';
import type { FunctionSink } from '../transformations/sink-descriptor.ts';

const TIMEOUT_MS = 5_000;

/** A record in a {@link CollectSink}, with what is known of it. */
export interface Collected<T> {
  /** As it came. */
  readonly record: T;
  /** Its event time, in epoch milliseconds; `undefined` where records have none. */
  readonly timestamp: number | undefined;
  /** Its key; `undefined` on an unkeyed stream. */
  readonly key: unknown;
}

/** For how long a test waits. */
export interface WaitForOptions {
  /** Of the machine's clock, in milliseconds; 5000 when left away. */
  readonly timeoutMs?: number;
}

class Collecting<T> extends SinkFunction<T> {
  readonly accept: (collected: Collected<T>) => void;

  constructor(accept: (collected: Collected<T>) => void) {
    super();
    this.accept = accept;
  }

  execute(record: T): void {
    const { timestamp, key } = this.ctx;
    this.accept({ record, timestamp, key });
  }
}

/**
 * A sink that keeps what it is given, in its order. Several streams may end in one.
 *
 * ```ts
 * import { CollectSink } from 'sage-kernel/testing';
 *
 * const found = new CollectSink<number>();
 * env.fromCollection([1, 2, 3]).filter((n) => n > 1).sink(found);
 * await env.submit({ autostop: true });
 * console.log(found.records);
 * ```
 */
export class CollectSink<T> implements Sink<T> {
  /** Only for the type; never set. */
  declare readonly accepts?: (record: T) => void;
  #all: Collected<T>[] = [];
  #taken = 0;
  #watchers: (() => void)[] = [];

  /** All records so far, also those that were taken. */
  get records(): readonly T[] {
    return this.#all.map(({ record }) => record);
  }

  /** All records so far, with their event times and keys. */
  get collected(): readonly Collected<T>[] {
    return [...this.#all];
  }

  /** The records since the last `take`, which counts them as seen. */
  take(): T[] {
    const taken = this.#all.slice(this.#taken).map(({ record }) => record);
    this.#taken = this.#all.length;
    return taken;
  }

  /** Forgets all records. */
  clear(): void {
    this.#all = [];
    this.#taken = 0;
  }

  /**
   * Waits until there are so many records, or until `wanted` says that all is there; gives all records. In a `TestEnvironment`,
   * `settle` says more: that no more come.
   *
   * @throws SageError SAGE_TEST_PENDING when that has not come in time
   */
  async waitFor(wanted: number | ((records: readonly T[]) => boolean), { timeoutMs = TIMEOUT_MS }: WaitForOptions = {}): Promise<readonly T[]> {
    const isThere = (): boolean => (typeof wanted === 'number' ? this.#all.length >= wanted : wanted(this.records));
    const late = Promise.withResolvers<'late'>();
    const timer = setTimeout(late.resolve, timeoutMs, 'late');
    try {
      while (!isThere()) {
        const told = new Promise<void>((resolve) => this.#watchers.push(resolve));
        if ((await Promise.race([told, late.promise])) !== 'late') continue;
        const what = typeof wanted === 'number' ? `${wanted} records` : 'what was wanted';
        throw new SageError('SAGE_TEST_PENDING', `a sink has ${this.#all.length} records after ${timeoutMs} ms, and not ${what}`, {
          help: 'Look whether the source has given enough, and whether time has to go on: env.advanceTime(ms).',
        });
      }
    } finally {
      clearTimeout(timer);
    }
    return this.records;
  }

  /** What the compiler needs to know of it. */
  describe(): FunctionSink {
    const accept = (collected: Collected<T>): void => {
      this.#all.push(collected);
      const watchers = this.#watchers;
      this.#watchers = [];
      for (const tell of watchers) tell();
    };
    return { form: 'function', fn: instanceFunction(new Collecting<T>(accept)) };
  }
}
