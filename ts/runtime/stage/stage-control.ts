import { SageError } from '../../common/errors.ts';
import { END } from '../../functions/source-function.ts';
import { notAskedForTimestamp, Timestamped } from '../../functions/timestamped.ts';

/** What a generated function leaves behind when a row cannot be finished in it. */
export interface Suspension {
  /** The node whose user function gave a promise, or -1 when `promise` only has to be awaited. */
  readonly node: number;
  /** Undefined when only what is pending is left to do. */
  readonly promise: PromiseLike<unknown> | undefined;
  readonly value: unknown;
  readonly key: unknown;
  /** Event time of the record, if it has one. */
  readonly time: number | undefined;
  /** What remains of the row afterwards, innermost last. */
  readonly pending: readonly Pending[];
}

/** A part of a row that still has to be done after a suspension. */
export type Pending =
  | readonly ['children', nodes: readonly number[], value: unknown, key: unknown, time?: number]
  | readonly ['items', node: number, items: readonly unknown[], from: number, key: unknown, time?: number];

/** Stands for the record of an error that came without one: `undefined` is a record. */
export const NO_RECORD: unique symbol = Symbol('no record');

/** How an error of user code is turned into the job's error. */
export interface FailureReporter {
  failed(error: unknown, node: number, record: unknown, how?: 'threw' | 'rejected'): Error;
  /** Throws unless the record has the field of the node's key. */
  checkKey(node: number, record: unknown): void;
  badInput(node: number, aggregator: number, input: unknown, record: unknown): never;
}

/** The flags between the generated functions of a stage and the runner that calls them. */
export class StageControl {
  /** Set when a function should return after the row at hand: no credit downstream, or a full batch of keyed input. */
  stop = false;
  /** The source has no more records. */
  ended = false;
  /** The source has nothing now, but may have later. */
  nothing = false;
  /** A source gave a promise instead of a record. */
  pulled: PromiseLike<unknown> | undefined = undefined;
  suspended: Suspension | undefined = undefined;
  /** Event time of the record that the linked form, or an operator that keeps records back, is at work on. */
  time: number | undefined = undefined;
  /** When the isolate wants to be given back; a record that takes longer lets the event loop turn half way. */
  turnDueMs = 0;
  /** Nodes that have nothing left to do: nothing can become of what they would still give. */
  readonly needless: Set<number> = new Set();
  /** The task was left: what user code still gives goes nowhere. */
  over = false;
  readonly END: typeof END = END;
  readonly Timestamped: typeof Timestamped = Timestamped;
  readonly #leaving = new Set<() => unknown>();
  readonly #failures: FailureReporter;
  readonly #recordAt: (source: unknown, row: number) => unknown;

  constructor(failures: FailureReporter, recordAt: (source: unknown, row: number) => unknown) {
    this.#failures = failures;
    this.#recordAt = recordAt;
  }

  /** Whether the function that was called may simply be called again. */
  get isQuiet(): boolean {
    return !this.stop && !this.ended && !this.nothing && this.pulled === undefined && this.suspended === undefined;
  }

  suspend(node: number, promise: PromiseLike<unknown> | undefined, value: unknown, key: unknown, pending: readonly Pending[]): void {
    this.suspended = { node, promise, value, key, time: this.time, pending };
  }

  /** Has `leave` called when the task is left; gives it back, to call it earlier. It runs once. */
  whenLeft(leave: () => unknown): () => unknown {
    let left = false;
    const once = (): unknown => {
      if (left) return undefined;
      left = true;
      return leave();
    };
    this.#leaving.add(once);
    return once;
  }

  forget(leave: () => unknown): void {
    this.#leaving.delete(leave);
  }

  /** The job is over though the task is not: iterators in the middle of a record may clean up, and nothing is called after. */
  leave(): void {
    this.over = true;
    for (const leave of this.#leaving) {
      try {
        Promise.resolve(leave()).catch(() => undefined);
      } catch {
        // Why the job ended is known already.
      }
    }
    this.#leaving.clear();
  }

  /** Called behind each wait for user code. @throws SageError when the task was left meanwhile; nobody is told. */
  checkNotOver(): void {
    if (this.over) throw new SageError('SAGE_JOB_CANCELED', 'the job is over');
  }

  failed(error: unknown, node: number, source: unknown, row: number): Error {
    return this.#failures.failed(error, node, this.#recordAt(source, row));
  }

  /** As `failed`, for what a user's function threw at its record. */
  threw(error: unknown, node: number, record: unknown): Error {
    return this.#failures.failed(error, node, record);
  }

  /** As `failed`, for a promise of user code. */
  rejected(error: unknown, node: number, record: unknown): Error {
    return this.#failures.failed(error, node, record, 'rejected');
  }

  checkKey(node: number, record: unknown): void {
    try {
      this.#failures.checkKey(node, record);
    } catch (error) {
      throw this.threw(error, node, record);
    }
  }

  /** A source without the option `timestamps` has given a record with its timestamp: a mistake in the program, of which no error policy is asked. */
  refuseTimestamped(node: number, given: unknown): never {
    throw this.threw(notAskedForTimestamp(), node, given);
  }

  badInput(node: number, aggregator: number, input: unknown, record: unknown): never {
    return this.#failures.badInput(node, aggregator, input, record);
  }
}
