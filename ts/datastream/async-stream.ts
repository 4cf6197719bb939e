import { captureSourceLocation } from '../common/source-location.ts';
import { type FunctionPlace, toUserFunction } from '../functions/check-user-function.ts';
import { isClass } from '../functions/class-detection.ts';
import { type LookupCall, LookupFunction, type LookupResult, type LookupResults } from '../functions/lookup-function.ts';
import { MapFunction } from '../functions/map-function.ts';
import type { PathOf, PathValue } from '../functions/path-types.ts';
import type { BaseTransformation } from '../transformations/base-transformation.ts';
import { LookupTransformation } from '../transformations/lookup-transformation.ts';
import { MapAsyncTransformation } from '../transformations/map-async-transformation.ts';
import type { DataStream } from './data-stream.ts';
import { checkArgs } from './key-selector.ts';
import { type LookupOptions, type WithLookupBatch, type WithoutLookupBatch, checkLookupClass, checkLookupOptions } from './lookup-arguments.ts';
import { checkAsyncOptions } from './operator-arguments.ts';
import type { AsyncExecutes, AsyncFunction, ClassOf, Mapped } from './record-types.ts';
import { SinkableStream } from './sinkable-stream.ts';
import type { MapAsyncOptions, NeededClassOptions } from './stream-options.ts';

/** Constructor arguments of a class: only where they can be left away, they may be. */
export type ArgsOption<A extends readonly unknown[]> = [] extends A ? { readonly args?: Readonly<A> } : { readonly args: Readonly<A> };

/** The row of a lookup, of which there may be none. */
export type RowOf<Row, Type extends 'inner' | 'left'> = NonNullable<Row> | (Type extends 'left' ? undefined : never);

/** Operators with many calls in flight. */
export abstract class AsyncStream<out T> extends SinkableStream<T> {
  /**
   * One record for each record, with up to `concurrency` calls in flight: the operator for calls of models, databases and
   * other services. Results keep the order of their records, unless `ordered: false`. The function's second argument has
   * an `AbortSignal`, which is aborted when the attempt has run out of time, or the job is cancelled or has failed.
   *
   * ```ts
   * env.fromCollection([1, 2, 3]).mapAsync(async (n) => n * n, { concurrency: 2, timeoutMs: 1000, retry: 3 }).print();
   * ```
   */
  mapAsync<R>(fn: AsyncFunction<T, R>, options: MapAsyncOptions): DataStream<Mapped<R>>;
  mapAsync<R, A extends readonly unknown[]>(
    Class: ClassOf<AsyncExecutes<T, R>, A>,
    ...options: NeededClassOptions<MapAsyncOptions, NoInfer<A>>
  ): DataStream<Mapped<R>>;
  mapAsync<R>(instance: AsyncExecutes<T, R>, options: MapAsyncOptions): DataStream<Mapped<R>>;
  mapAsync(fn: unknown, options?: unknown): DataStream<unknown> {
    const declaredAt = captureSourceLocation(this.mapAsync);
    const { settings, args } = checkAsyncOptions(options, this.transformation.keyedBy !== undefined, declaredAt);
    const place: FunctionPlace = { call: 'mapAsync', bases: [MapFunction], declaredAt };
    const userFunction = toUserFunction(fn, isClass(fn) ? checkArgs(args, declaredAt) : [], place);
    return this.derive(new MapAsyncTransformation(this.transformation, userFunction, settings, declaredAt));
  }

  /**
   * Joins each record with a row that a function finds for its key: in a database, a service, a file. Up to `concurrency` records are in work;
   * a key that is on its way is not asked for twice, and with `cache` rows are kept for `ttlMs`, also that there is none. `combine` makes the
   * result of record and row; `undefined` drops it. A lookup that fails is an error of its record, for `retry` and `onError`, and
   * is never kept. The metrics of the operator count `lookup hits`, `lookup misses`, `lookup evictions` and `lookup coalesced`.
   *
   * With `batch` the function is given arrays of keys, and gives an array with a row for each of them.
   *
   * ```ts
   * const names = new Map([[1, 'Ada'], [2, 'Bob']]);
   * env
   *   .fromCollection([{ user: 1, item: 'pen' }, { user: 3, item: 'cup' }])
   *   .lookup(
   *     async (id: number) => names.get(id),
   *     { key: 'user', concurrency: 8, cache: { max: 10_000, ttlMs: 60_000 }, type: 'left' },
   *     (order, name) => `${order.item} of ${name ?? 'nobody'}`,
   *   )
   *   .print();
   * ```
   *
   * @throws SageError SAGE_PLAN_ARGUMENT, SAGE_PLAN_FUNCTION; SAGE_PLAN_NOT_KEYED without `key` on a stream without one
   */
  lookup<P extends PathOf<T>, Row, R, Type extends 'inner' | 'left' = 'inner', K = NonNullable<PathValue<T, P>>>(
    fn: (keys: readonly NoInfer<K>[], call: LookupCall) => LookupResults<Row>,
    options: LookupOptions<P, Type> & WithLookupBatch,
    combine: (record: T, row: RowOf<Row, Type>) => R,
  ): DataStream<Mapped<R>>;
  lookup<P extends PathOf<T>, Row, R, Type extends 'inner' | 'left' = 'inner', K = NonNullable<PathValue<T, P>>>(
    fn: (key: NoInfer<K>, call: LookupCall) => LookupResult<Row>,
    options: LookupOptions<P, Type> & WithoutLookupBatch,
    combine: (record: T, row: RowOf<Row, Type>) => R,
  ): DataStream<Mapped<R>>;
  lookup<P extends PathOf<T>, Row, R, A extends readonly unknown[], Type extends 'inner' | 'left' = 'inner', K = NonNullable<PathValue<T, P>>>(
    Class: ClassOf<LookupFunction<NoInfer<K>, Row>, A>,
    options: LookupOptions<P, Type> & Partial<WithLookupBatch> & ArgsOption<A>,
    combine: (record: T, row: RowOf<Row, Type>) => R,
  ): DataStream<Mapped<R>>;
  lookup<K, Row, R, Type extends 'inner' | 'left' = 'inner'>(
    fn: (keys: readonly K[], call: LookupCall) => LookupResults<Row>,
    options: LookupOptions<(record: T) => K | undefined | null, Type> & WithLookupBatch,
    combine: (record: T, row: RowOf<Row, Type>) => R,
  ): DataStream<Mapped<R>>;
  lookup<K, Row, R, Type extends 'inner' | 'left' = 'inner'>(
    fn: (key: K, call: LookupCall) => LookupResult<Row>,
    options: LookupOptions<(record: T) => K | undefined | null, Type> & WithoutLookupBatch,
    combine: (record: T, row: RowOf<Row, Type>) => R,
  ): DataStream<Mapped<R>>;
  lookup<K, Row, R, A extends readonly unknown[], Type extends 'inner' | 'left' = 'inner'>(
    Class: ClassOf<LookupFunction<K, Row>, A>,
    options: LookupOptions<(record: T) => K | undefined | null, Type> & Partial<WithLookupBatch> & ArgsOption<A>,
    combine: (record: T, row: RowOf<Row, Type>) => R,
  ): DataStream<Mapped<R>>;
  lookup(fn: unknown, options: unknown, combine: unknown): DataStream<never> {
    const declaredAt = captureSourceLocation(this.lookup);
    const { settings, lookup, args } = checkLookupOptions(options, combine, this.transformation.keyedBy !== undefined, declaredAt);
    checkLookupClass(fn, lookup.batch !== undefined, declaredAt);
    const place: FunctionPlace = { call: 'lookup', bases: [LookupFunction], declaredAt };
    const userFunction = toUserFunction(fn, isClass(fn) ? checkArgs(args, declaredAt) : [], place);
    const transformation = new LookupTransformation(this.transformation, userFunction, settings, lookup, declaredAt);
    transformation.name = 'lookup';
    return this.derive(transformation) as DataStream<never>;
  }

  /** The stream behind a new operator. */
  protected abstract derive(transformation: BaseTransformation): DataStream<unknown>;
}
