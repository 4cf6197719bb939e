import type { TimerKind } from '../functions/state/timers.ts';
import type { End } from '../functions/source-function.ts';
import type { Timestamped } from '../functions/timestamped.ts';
import type { DataStream } from './data-stream.ts';

/** The record type of a stream. */
export type RecordOf<S> = S extends DataStream<infer T> ? T : never;

/** The record types of several streams. */
export type RecordsOf<S extends readonly DataStream<unknown>[]> = { [I in keyof S]: RecordOf<S[I]> };

/** What a map passes on: promises are awaited, `undefined` is dropped. */
export type Mapped<R> = Exclude<Awaited<R>, undefined>;

/** What a flat map passes on: items of iterables (async ones too), strings as they are, nothing for nothing. */
export type Flattened<R> =
  Awaited<R> extends infer V
    ? V extends string
      ? V
      : V extends Iterable<infer Item> | AsyncIterable<infer Item>
        ? Item
        : never
    : never;

/** What a flat map function may return. */
// eslint-disable-next-line typescript/no-invalid-void-type -- a function without return is a legal flat map
export type Flattenable = Iterable<unknown> | AsyncIterable<unknown> | string | null | undefined | void;

/** What a source function gives: promises are awaited, `undefined` is "nothing now", `END` the end. */
export type Sourced<R> = Exclude<Awaited<R>, undefined | End>;

/** What a batch function gives: `null` is the end too. */
export type Batched<R> = Exclude<Awaited<R>, null | undefined | End>;

/** What the stream has of what a source with the option `timestamps` gives: each record without its timestamp. */
export type RecordWithin<R> = R extends Timestamped<infer T> ? T : never;

/** A function of the user for one record. */
export type RecordFunction<T, R> = (record: T) => R;

/** An object with `execute`, such as one of the function classes. `execute` is written as a property, so that the record's type is checked strictly. */
export interface Executes<T, R> {
  /** Takes one record. */
  readonly execute: (record: T) => R;
}

/** An object with `execute` and `collect`; what it emits is what it can collect. */
export interface Collects<T, Out> extends Executes<T, unknown> {
  /** Its parameter is the type of the records that come out. */
  readonly collect: (record: Out) => void;
}

/** An object of a `KeyedProcessFunction`. */
export interface ProcessesKeyed<K, T, Out> extends Collects<T, Out> {
  /** Takes a timer. */
  readonly onTimer: (time: number, kind: TimerKind) => unknown;
  /** Only for the type; never set. */
  readonly acceptsKey?: (key: K) => void;
}

/** An object of a `KeyedCoProcessFunction`, its handlers apart. */
export interface ProcessesConnected<K, Ins extends readonly unknown[]> {
  /** Its parameter is the type of the records that come out. */
  readonly collect: (record: never) => void;
  /** Takes a timer. */
  readonly onTimer: (time: number, kind: TimerKind) => unknown;
  /** Only for the type; never set. */
  readonly acceptsKey?: (key: K) => void;
  /** Only for the type; never set. */
  readonly acceptsRecords?: (records: Ins) => void;
}

/** What an object can collect. */
export type Collected<F> = F extends { readonly collect: (record: infer Out) => void } ? Out : never;

/** An object of a `BroadcastProcessFunction`. */
export interface ProcessesBroadcast<T, B, Out> extends Collects<T, Out> {
  /** Takes a broadcast record. */
  readonly executeBroadcast: (record: B) => unknown;
  /** There are no timers. */
  readonly onTimer?: undefined;
}

/** An object of a `KeyedBroadcastProcessFunction`. */
export interface ProcessesKeyedBroadcast<K, T, B, Out> extends ProcessesKeyed<K, T, Out> {
  /** Takes a broadcast record. */
  readonly executeBroadcast: (record: B) => unknown;
}

/** A class whose objects are `F`. */
export type ClassOf<F, A extends readonly unknown[]> = new (...args: A) => F;

/** Shows a computed record type as one object. */
export type Simplify<X> = { [K in keyof X]: X[K] } & {};

/** What a call of `mapAsync` knows beside its record. */
export interface AsyncCall<K = unknown> {
  /** Aborted when the attempt has run out of time, or the job is cancelled or has failed. */
  readonly signal: AbortSignal;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** Key of the record; `undefined` on an unkeyed stream. */
  readonly key: K;
}

/** A function of the user that may have many calls in flight. */
export type AsyncFunction<T, R> = (record: T, call: AsyncCall) => R;

/** As `Executes`, for `mapAsync`. */
export interface AsyncExecutes<T, R> {
  /** Takes one record; others may be in flight meanwhile. */
  readonly execute: (record: T, call: AsyncCall) => R;
}

/** Says where a record goes: to a name, or to several. */
export type Router<T, N extends string> = RecordFunction<T, N | readonly N[] | Promise<N | readonly N[]>> | Executes<T, N | readonly N[] | Promise<N | readonly N[]>>;

/** The branches of a route: for each name what is made of its records. */
export type Branches<S> = Readonly<Record<string, (stream: S) => unknown>>;

/** The records of merged branches: branches that end in a sink give none. */
export type BranchRecords<B extends Branches<never>> = { [Name in keyof B]: ReturnType<B[Name]> extends { readonly transformation: unknown; collect(): AsyncIterable<infer R> } ? R : never }[keyof B];
