import type { TimestampUnit } from '../transformations/assign-timestamps-transformation.ts';
import type { Parallelism } from '../transformations/base-transformation.ts';
import type { Emit } from '../transformations/emit.ts';
import type { ErrorPolicy } from '../transformations/error-policy.ts';
import type { KeyStrategy } from '../transformations/key-by-transformation.ts';
import type { Delivery } from '../transformations/sink-descriptor.ts';

/** Options of `keyBy`. */
export interface KeyByOptions {
  /** `'hash'` when left away. */
  readonly strategy?: KeyStrategy;
}

/** Options of `reduce` and `aggregate` without a window. */
export interface EmitOptions {
  /** `'final'` when left away. */
  readonly emit?: Emit;
}

/** Options of `sink`; the same as the calls behind it. */
export interface SinkOptions {
  /** As `named`: for people. */
  readonly name?: string;
  /** As `uid`: stable, for state. */
  readonly uid?: string;
  /** As `parallelism`: how many instances. */
  readonly parallelism?: Parallelism;
  /** As `onError`: what happens to a record at which the sink fails. */
  readonly onError?: ErrorPolicy;
}

/** Options of `sink` for a function, a class or an object. */
export interface FunctionSinkOptions extends SinkOptions {
  /**
   * What the function does with records that it gets again behind a restart; `'atLeastOnce'` when left away. `'idempotent'` changes nothing but what
   * the job says of itself (`JobGuarantee`): say it when a record overwrites what is there of it. Not for a `TransactionalSink`, which gets nothing twice.
   */
  readonly delivery?: Delivery;
}

/** Options of `sink` for a stream. */
export interface StreamSinkOptions extends SinkOptions {
  /** Whether the stream ends with the job; `true` when left away, but for `process.stdout` and `process.stderr`. */
  readonly end?: boolean;
}

/** How failed calls of `mapAsync` are repeated. */
export interface RetryOptions {
  /** How many times at most, behind the first attempt. */
  readonly retry: number;
  /** Wait before the first repetition, in milliseconds; it doubles with each further one. 100 when left away. */
  readonly backoffMs?: number;
}

/** Options of `mapAsync`. */
export interface MapAsyncOptions {
  /** Calls in flight at the same time, in each parallel instance; a whole number from 1. */
  readonly concurrency: number;
  /** Whether results leave in the order of their records; `true` when left away. */
  readonly ordered?: boolean;
  /** Calls of one key in flight at the same time. On a keyed stream with `ordered: false` it is 1 when left away. */
  readonly concurrencyPerKey?: number;
  /** Milliseconds that one attempt may take. */
  readonly timeoutMs?: number;
  /** How often a failed call is repeated. */
  readonly retry?: number | RetryOptions;
}

/** Options of `batch`: a batch closes as soon as one of its limits is reached. */
export interface BatchOptions<T> {
  /** Records (with `weight`: the sum of their weights). */
  readonly max?: number;
  /** Milliseconds since the batch's first record. */
  readonly waitMs?: number;
  /** Estimated bytes of the records: of texts and binary data their length, of other values that of their JSON. */
  readonly bytes?: number;
  /** What a record counts for `max`, such as its tokens. A heavier record than `max` is a batch of its own. */
  readonly weight?: (record: T) => number;
  /** Only records that agree in this share a batch: the path of a field, or a function. */
  readonly by?: ((record: T) => unknown) | string;
  /** Batches that are open at the same time in each instance, with `by` or on a keyed stream; 10,000 when left away. With one more the oldest closes early. */
  readonly maxOpen?: number;
}

/** Options of `dedup`. */
export interface DedupOptions {
  /** Milliseconds after which an equal record passes again; for ever equal when left away. */
  readonly ttlMs?: number;
}

/** Options of `assignTimestamps`, in milliseconds. */
export interface TimestampOptions {
  /** How much later a record may come than one with a greater timestamp. What comes later still is late. */
  readonly outOfOrdernessMs: number;
  /** Without records for so long, nobody waits for this stream's event time any more, until the next one. For ever when left away. */
  readonly idleMs?: number;
  /**
   * How far ahead of the clock a timestamp may be: one wrong record must not make event time jump, and all others late. A day
   * when left away; `Infinity` for what is made up.
   */
  readonly maxAheadMs?: number;
  /** What a timestamp counts: milliseconds when left away, seconds, micro- or nanoseconds since 1970, or `'iso'` for texts of ISO 8601, which are of UTC where they name no offset. */
  readonly unit?: TimestampUnit;
}

/** What `sample` takes: a fraction of the records at random, or one out of so many. */
export type SampleOptions =
  | {
      /** Probability of each record, from 0 to 1. */
      readonly fraction: number;
      /** The same seed takes the same places of the stream; 0 when left away. */
      readonly seed?: number;
      readonly every?: never;
    }
  | {
      /** The first record of each `every` passes. */
      readonly every: number;
      readonly fraction?: never;
      readonly seed?: never;
    };

/** The streams' own options with the constructor arguments of a class. */
export type WithArgs<Options, A extends readonly unknown[]> = Options & { readonly args?: Readonly<A> };

/** Options behind a class: `args` may only be left away when its constructor needs none. */
export type ClassOptions<Options, A extends readonly unknown[]> = [] extends A
  ? [options?: WithArgs<Options, A>]
  : [options: Options & { readonly args: Readonly<A> }];

/** As `ClassOptions`, where the options themselves cannot be left away. */
export type NeededClassOptions<Options, A extends readonly unknown[]> = [] extends A
  ? [options: WithArgs<Options, A>]
  : [options: Options & { readonly args: Readonly<A> }];
