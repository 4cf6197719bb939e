import { type SourceLocation, captureSourceLocation } from '../common/source-location.ts';
import type { SchemaOutput, StandardSchema } from '../common/standard-schema.ts';
import type { AggregateResults, AggregateSpec } from '../functions/aggregator.ts';
import { type Windows, countWindow } from '../functions/windows/windows.ts';
import type { ExpressionFor, ExpressionOf, FieldName, SelectedFields, SelectedRecord, Widened, WithColumn } from '../functions/expressions/expression-types.ts';
import type { LiteralValue } from '../functions/expressions/expression-node.ts';
import type { Expression } from '../functions/expressions/expression.ts';
import type { LookupCall, LookupFunction, LookupResult, LookupResults } from '../functions/lookup-function.ts';
import type { PathOf, PathValue } from '../functions/path-types.ts';
import type { ProcessFunction } from '../functions/process-function.ts';
import type { BaseTransformation } from '../transformations/base-transformation.ts';
import type { BaseJoinFunction } from '../functions/base-join-function.ts';
import type { JoinType } from '../transformations/join-type.ts';
import type { BroadcastConnectedStreams, BroadcastStream } from './broadcast-stream.ts';
import type { ConnectedStreams, LeftOf, RightOf } from './connected-streams.ts';
import { DataStream } from './data-stream.ts';
import { type AsOfJoinOptions, type IntervalJoinOptions, type JoinInterval, type PairJoin, type TableJoinOptions, type WindowJoinOptions, checkJoinInputs, toAsOfJoin, toTableJoin } from './join-arguments.ts';
import { KeyedTable, type TableOptions, toTableOptions } from './keyed-table.ts';
import type { KeyedLookupOptions, LookupOptions, WithLookupBatch, WithoutKey, WithoutLookupBatch } from './lookup-arguments.ts';
import type { ArgsOption, RowOf } from './async-stream.ts';
import { addPairJoin } from './pair-join.ts';
import type { AsyncExecutes, AsyncFunction, Branches, BranchRecords, ClassOf, Collects, Executes, Flattenable, Flattened, Mapped, ProcessesKeyed, RecordFunction, RecordsOf, Router, Simplify } from './record-types.ts';
import type { KeyedRoutedStream } from './keyed-routed-stream.ts';
import { checkStreams } from './union-inputs.ts';
import { registerStreamKinds } from './stream-kinds.ts';
import type { BatchOptions, DedupOptions, EmitOptions, MapAsyncOptions, NeededClassOptions } from './stream-options.ts';
import type { TimeWindow } from './window-arguments.ts';
import type { WindowedStream, WithKey } from './windowed-stream.ts';

/** The record types of several streams; asks less of them than `RecordsOf`, which cannot be asked within the class itself. */
type RecordsOfKeyed<S> = { [I in keyof S]: S[I] extends { collect(): AsyncIterable<infer R> } ? R : never };

/**
 * A stream whose records carry a key of type `K`. The key stays up to the next `keyBy` or `rebalance`; results of `reduce`
 * and `aggregate`, of `union` and of merged branches carry none.
 */
export class KeyedStream<out K, out T> extends DataStream<T> {
  /** Only for the type; never set. */
  declare readonly key?: K;

  override map<R>(fn: RecordFunction<T, R>): KeyedStream<K, Mapped<R>>;
  override map<R, A extends readonly unknown[]>(
    Class: ClassOf<Executes<T, R>, A>,
    ...args: NoInfer<A>
  ): KeyedStream<K, Mapped<R>>;
  override map<R>(instance: Executes<T, R>): KeyedStream<K, Mapped<R>>;
  override map(...args: [never]): KeyedStream<K, never> {
    return super.map(...args) as KeyedStream<K, never>;
  }

  override validate<S extends StandardSchema>(schema: S): KeyedStream<K, Mapped<SchemaOutput<S>>> {
    return super.validate(schema) as KeyedStream<K, Mapped<SchemaOutput<S>>>;
  }

  override flatMap<R extends Flattenable | Promise<Flattenable>>(fn: RecordFunction<T, R>): KeyedStream<K, Flattened<R>>;
  override flatMap<Out, A extends readonly unknown[]>(
    Class: ClassOf<Collects<T, Out>, A>,
    ...args: NoInfer<A>
  ): KeyedStream<K, Out>;
  override flatMap<Out>(instance: Collects<T, Out>): KeyedStream<K, Out>;
  override flatMap(...args: [never]): KeyedStream<K, never> {
    return super.flatMap(...args) as KeyedStream<K, never>;
  }

  override filter<S extends T>(fn: (record: T) => record is S): KeyedStream<K, S>;
  override filter(fn: RecordFunction<T, unknown>): KeyedStream<K, T>;
  override filter<A extends readonly unknown[]>(
    Class: ClassOf<Executes<T, unknown>, A>,
    ...args: NoInfer<A>
  ): KeyedStream<K, T>;
  override filter<E extends ExpressionFor<T, boolean>>(expression: E): KeyedStream<K, T>;
  override filter(instance: Executes<T, unknown>): KeyedStream<K, T>;
  override filter(...args: [never]): KeyedStream<K, never> {
    return super.filter(...args) as KeyedStream<K, never>;
  }

  override select<S extends Readonly<Record<string, ExpressionOf<T>>>>(columns: S): KeyedStream<K, SelectedRecord<T, S>>;
  override select<Name extends FieldName<T>, R = SelectedFields<T, Name>>(...names: readonly Name[]): KeyedStream<K, R>;
  override select(...args: [never]): KeyedStream<K, never> {
    return super.select(...args) as KeyedStream<K, never>;
  }

  override withColumn<Name extends string, E extends ExpressionOf<T>>(name: Name, expression: E): KeyedStream<K, WithColumn<T, Name, E>>;
  override withColumn<Name extends string, V extends LiteralValue>(name: Name, constant: V): KeyedStream<K, WithColumn<T, Name, Expression<unknown, Widened<V>, never>>>;
  override withColumn(...args: [never, never]): KeyedStream<K, never> {
    return super.withColumn(...args) as unknown as KeyedStream<K, never>;
  }

  override mapAsync<R>(fn: AsyncFunction<T, R>, options: MapAsyncOptions): KeyedStream<K, Mapped<R>>;
  override mapAsync<R, A extends readonly unknown[]>(
    Class: ClassOf<AsyncExecutes<T, R>, A>,
    ...options: NeededClassOptions<MapAsyncOptions, NoInfer<A>>
  ): KeyedStream<K, Mapped<R>>;
  override mapAsync<R>(instance: AsyncExecutes<T, R>, options: MapAsyncOptions): KeyedStream<K, Mapped<R>>;
  override mapAsync(...args: [never, never]): KeyedStream<K, never> {
    return super.mapAsync(...args) as KeyedStream<K, never>;
  }

  /** Joins each record with a row that a function finds for its key, or for another one with the option `key`: see `lookup` of any stream. Results keep the key. */
  override lookup<Row, R, Type extends 'inner' | 'left' = 'inner'>(fn: (keys: readonly K[], call: LookupCall) => LookupResults<Row>, options: KeyedLookupOptions<Type> & WithLookupBatch & WithoutKey, combine: (record: T, row: RowOf<Row, Type>) => R): KeyedStream<K, Mapped<R>>;
  override lookup<Row, R, Type extends 'inner' | 'left' = 'inner'>(fn: (key: K, call: LookupCall) => LookupResult<Row>, options: KeyedLookupOptions<Type> & WithoutLookupBatch & WithoutKey, combine: (record: T, row: RowOf<Row, Type>) => R): KeyedStream<K, Mapped<R>>;
  override lookup<Row, R, A extends readonly unknown[], Type extends 'inner' | 'left' = 'inner'>(Class: ClassOf<LookupFunction<K, Row>, A>, options: KeyedLookupOptions<Type> & Partial<WithLookupBatch> & WithoutKey & ArgsOption<A>, combine: (record: T, row: RowOf<Row, Type>) => R): KeyedStream<K, Mapped<R>>;
  override lookup<P extends PathOf<T>, Row, R, Type extends 'inner' | 'left' = 'inner', Key = NonNullable<PathValue<T, P>>>(fn: (keys: readonly NoInfer<Key>[], call: LookupCall) => LookupResults<Row>, options: LookupOptions<P, Type> & WithLookupBatch, combine: (record: T, row: RowOf<Row, Type>) => R): KeyedStream<K, Mapped<R>>;
  override lookup<P extends PathOf<T>, Row, R, Type extends 'inner' | 'left' = 'inner', Key = NonNullable<PathValue<T, P>>>(fn: (key: NoInfer<Key>, call: LookupCall) => LookupResult<Row>, options: LookupOptions<P, Type> & WithoutLookupBatch, combine: (record: T, row: RowOf<Row, Type>) => R): KeyedStream<K, Mapped<R>>;
  override lookup<P extends PathOf<T>, Row, R, A extends readonly unknown[], Type extends 'inner' | 'left' = 'inner', Key = NonNullable<PathValue<T, P>>>(Class: ClassOf<LookupFunction<NoInfer<Key>, Row>, A>, options: LookupOptions<P, Type> & Partial<WithLookupBatch> & ArgsOption<A>, combine: (record: T, row: RowOf<Row, Type>) => R): KeyedStream<K, Mapped<R>>;
  override lookup<Key, Row, R, Type extends 'inner' | 'left' = 'inner'>(fn: (keys: readonly Key[], call: LookupCall) => LookupResults<Row>, options: LookupOptions<(record: T) => Key | undefined | null, Type> & WithLookupBatch, combine: (record: T, row: RowOf<Row, Type>) => R): KeyedStream<K, Mapped<R>>;
  override lookup<Key, Row, R, Type extends 'inner' | 'left' = 'inner'>(fn: (key: Key, call: LookupCall) => LookupResult<Row>, options: LookupOptions<(record: T) => Key | undefined | null, Type> & WithoutLookupBatch, combine: (record: T, row: RowOf<Row, Type>) => R): KeyedStream<K, Mapped<R>>;
  override lookup<Key, Row, R, A extends readonly unknown[], Type extends 'inner' | 'left' = 'inner'>(Class: ClassOf<LookupFunction<Key, Row>, A>, options: LookupOptions<(record: T) => Key | undefined | null, Type> & Partial<WithLookupBatch> & ArgsOption<A>, combine: (record: T, row: RowOf<Row, Type>) => R): KeyedStream<K, Mapped<R>>;
  override lookup(...args: [never, never, never]): KeyedStream<K, never> {
    return super.lookup(...args) as KeyedStream<K, never>;
  }

  /** A class that emits with `collect`; one that extends `KeyedProcessFunction` has state and timers for each key. */
  override process<Out, A extends readonly unknown[]>(Class: ClassOf<ProcessFunction<T, Out>, A>, ...args: NoInfer<A>): KeyedStream<K, Out>;
  override process<Out>(instance: ProcessFunction<T, Out>): KeyedStream<K, Out>;
  override process<Out, A extends readonly unknown[]>(Class: ClassOf<ProcessesKeyed<K, T, Out>, A>, ...args: NoInfer<A>): KeyedStream<K, Out>;
  override process<Out>(instance: ProcessesKeyed<K, T, Out>): KeyedStream<K, Out>;
  override process(...args: [never]): KeyedStream<K, never> {
    return super.process(...args) as KeyedStream<K, never>;
  }

  /** Arrays of records of one key; with `by`, of records that agree in it, which then carry no key. */
  override batch(options: BatchOptions<T> & { readonly by?: undefined }): KeyedStream<K, T[]>;
  override batch(options: BatchOptions<T>): DataStream<T[]>;
  override batch(options: BatchOptions<T>): DataStream<T[]> {
    return super.batch(options);
  }

  override zipWithIndex(): KeyedStream<K, [T, number]> {
    return super.zipWithIndex() as KeyedStream<K, [T, number]>;
  }

  /** Lets the first record of each key pass, or within each key the first of each value. */
  override dedup(by?: (record: T) => unknown, options?: DedupOptions): this;
  override dedup<P extends PathOf<T>>(path: P, options?: DedupOptions): this;
  override dedup(...args: [never]): this {
    return super.dedup(...args);
  }

  override split<N extends string>(fn: Router<T, NoInfer<N>>, names: readonly N[]): { readonly [Name in N]: KeyedStream<K, T> } {
    return super.split(fn, names) as { [Name in N]: KeyedStream<K, T> };
  }

  override route(router: Router<T, string>): KeyedRoutedStream<K, T>;
  override route<B extends Branches<KeyedStream<K, T>>>(router: Router<T, string>, branches: B): DataStream<BranchRecords<B>>;
  override route(...args: [never]): KeyedRoutedStream<K, never> {
    return super.route(...args) as unknown as KeyedRoutedStream<K, never>;
  }

  /** Windows of each key. */
  override window(windows: Windows | TimeWindow): WindowedStream<WithKey<K>, T> {
    return super.window(windows) as WindowedStream<WithKey<K>, T>;
  }

  /** Windows of so many records of a key: `window(countWindow(size, slide))`. */
  countWindow(size: number, slide?: number): WindowedStream<WithKey<K>, T> {
    return this.window(countWindow(size, slide));
  }

  /** As `connect` of any stream; when all streams are keyed, their records come together by key. */
  override connect<B>(rules: BroadcastStream<B>): BroadcastConnectedStreams<T, B, K>;
  override connect<S extends readonly [KeyedStream<unknown, unknown>, ...KeyedStream<unknown, unknown>[]]>(...others: S): ConnectedStreams<[T, ...RecordsOfKeyed<S>], K>;
  override connect<S extends readonly [DataStream<unknown>, ...DataStream<unknown>[]]>(...others: S): ConnectedStreams<[T, ...RecordsOf<S>], unknown>;
  override connect(...others: readonly unknown[]): never {
    return super.connect(...(others as [never])) as never;
  }

  /** Joins this stream, the left one, with another keyed one: `connect(other).join(...)`. */
  join<U, R, Type extends JoinType = 'inner'>(
    other: KeyedStream<unknown, U>,
    options: WindowJoinOptions<Type> | IntervalJoinOptions<Type>,
    fn: (left: LeftOf<[T, U], Type>, right: RightOf<[T, U], Type>) => R,
  ): DataStream<Mapped<R>>;
  join<U, Out, A extends readonly unknown[]>(other: KeyedStream<unknown, U>, Class: ClassOf<BaseJoinFunction<T | U, Out, K>, A>, ...args: NoInfer<A>): DataStream<Out>;
  join<U, Out>(other: KeyedStream<unknown, U>, instance: BaseJoinFunction<T | U, Out, K>): DataStream<Out>;
  /** Joins each record with the row that a table has for its key: see `asTable`. */
  join<Row, R>(table: KeyedTable<unknown, Row>, fn: (record: T, row: Row) => R): DataStream<Mapped<R>>;
  join<Row, R, Type extends 'inner' | 'left' = 'inner'>(table: KeyedTable<unknown, Row>, options: TableJoinOptions<Type>, fn: (record: T, row: RightOf<[T, Row], Type>) => R): DataStream<Mapped<R>>;
  join(other: KeyedStream<unknown, unknown> | KeyedTable<unknown, unknown>, ...args: readonly unknown[]): DataStream<never> {
    if (other instanceof KeyedTable) {
      const declaredAt = captureSourceLocation(this.join);
      const join = toTableJoin(other.options, args, declaredAt);
      return this.#joinPairs(other.changes, join, 'join', declaredAt);
    }
    return this.connect(other).join(...(args as unknown as [never])) as DataStream<never>;
  }

  /**
   * Joins each record with those of another keyed stream that have the same key and are close in event time: those from `before` earlier
   * to `after` later than its own.
   *
   * ```ts
   * const clicks = env.fromCollection([{ user: 1, at: 1000 }]).assignTimestamps('at', { outOfOrdernessMs: 0 }).keyBy('user');
   * const buys = env.fromCollection([{ user: 1, item: 'pen', at: 2500 }]).assignTimestamps('at', { outOfOrdernessMs: 0 }).keyBy('user');
   * clicks.intervalJoin(buys, { after: '5s' }, (click, buy) => ({ ...click, ...buy })).print();
   * ```
   */
  intervalJoin<U, R, Type extends JoinType = 'inner'>(
    other: KeyedStream<unknown, U>,
    interval: JoinInterval & { readonly type?: Type },
    fn: (left: LeftOf<[T, U], Type>, right: RightOf<[T, U], Type>) => R,
  ): DataStream<Mapped<R>> {
    const { type, ...within } = interval;
    return this.connect(other).join({ within, ...(type === undefined ? {} : { type }) }, fn);
  }

  /**
   * Joins each record with the one of another keyed stream that has the same key and was the latest at its time, or at the same moment:
   * a trade with the price that held then. A result comes when event time has passed the record.
   *
   * ```ts
   * const trades = env.fromCollection([{ item: 'pen', pieces: 2, at: 5000 }]).assignTimestamps('at', { outOfOrdernessMs: 0 }).keyBy('item');
   * const prices = env
   *   .fromCollection([{ item: 'pen', euro: 3, at: 1000 }, { item: 'pen', euro: 4, at: 4000 }, { item: 'pen', euro: 5, at: 6000 }])
   *   .assignTimestamps('at', { outOfOrdernessMs: 0 })
   *   .keyBy('item');
   * trades.asOfJoin(prices, {}, (trade, price) => trade.pieces * price.euro).print();
   * ```
   */
  asOfJoin<U, R, Type extends 'inner' | 'left' = 'inner'>(
    other: KeyedStream<unknown, U>,
    options: AsOfJoinOptions<Type>,
    fn: (left: T, right: RightOf<[T, U], Type>) => R,
  ): DataStream<Mapped<R>> {
    const declaredAt = captureSourceLocation(this.asOfJoin);
    return this.#joinPairs(other, toAsOfJoin(options, fn, declaredAt), 'asOfJoin', declaredAt);
  }

  #joinPairs(other: DataStream<unknown>, join: PairJoin, call: 'asOfJoin' | 'join', declaredAt: SourceLocation): DataStream<never> {
    const inputs = checkStreams<DataStream<unknown>>(this, [other], call, declaredAt).map(({ transformation }) => transformation);
    checkJoinInputs(inputs, declaredAt);
    return new DataStream(this.environment, addPairJoin(this.environment, inputs, join, declaredAt));
  }

  /**
   * This stream as a table that changes: each record is the row of its key from then on. A record for which `deleted` says so, and `null`
   * in place of one, takes the row away. `stream.join(table, ...)` joins each record of a keyed stream with the row of its key.
   *
   * ```ts
   * const users = env
   *   .fromCollection([{ id: 1, name: 'Ada', at: 1000 }, { id: 1, name: 'Ada L.', at: 5000 }])
   *   .assignTimestamps('at', { outOfOrdernessMs: 0 })
   *   .keyBy('id');
   * const orders = env
   *   .fromCollection([{ user: 1, item: 'pen', at: 3000 }, { user: 1, item: 'cup', at: 6000 }])
   *   .assignTimestamps('at', { outOfOrdernessMs: 0 })
   *   .keyBy('user');
   * orders.join(users.asTable(), (order, user) => `${order.item} of ${user.name}`).print();
   * ```
   */
  asTable(options?: TableOptions<NonNullable<T>>): KeyedTable<K, NonNullable<T>> {
    return new KeyedTable(this, toTableOptions(options, captureSourceLocation(this.asTable)));
  }

  /** Computes named results for each key: `{ key, ...results }`. */
  override aggregate<S extends AggregateSpec<T>, R = Simplify<{ key: K } & AggregateResults<S>>>(
    spec: S,
    options?: EmitOptions,
  ): DataStream<R>;
  override aggregate(...args: [never]): DataStream<never> {
    return super.aggregate(...args) as DataStream<never>;
  }

  protected override derive(transformation: BaseTransformation): KeyedStream<K, unknown> {
    return new KeyedStream(this.environment, this.environment.add(transformation));
  }

  protected override withSubject(subject: BaseTransformation): this {
    return new KeyedStream(this.environment, this.transformation, subject) as this;
  }
}

registerStreamKinds({ keyed: (environment, transformation) => new KeyedStream(environment, transformation) });
