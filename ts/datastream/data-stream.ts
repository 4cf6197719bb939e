import { captureSourceLocation, type SourceLocation } from '../common/source-location.ts';
import type { SchemaOutput, StandardSchema } from '../common/standard-schema.ts';
import type { AggregateResults, AggregateSpec } from '../functions/aggregator.ts';
import type { ExpressionFor, ExpressionOf, Resolved, FieldName, SelectedFields, SelectedRecord, Widened, WithColumn } from '../functions/expressions/expression-types.ts';
import type { LiteralValue } from '../functions/expressions/expression-node.ts';
import { Expression } from '../functions/expressions/expression.ts';
import type { FunctionPlace } from '../functions/check-user-function.ts';
import { toUserFunction } from '../functions/check-user-function.ts';
import { FilterFunction } from '../functions/filter-function.ts';
import { FlatMapFunction } from '../functions/flat-map-function.ts';
import { MapFunction } from '../functions/map-function.ts';
import { type OutputTag, tagName } from '../functions/output-tag.ts';
import type { ProcessFunction } from '../functions/process-function.ts';
import type { PathOf, PathValue } from '../functions/path-types.ts';
import { lambdaFunction } from '../functions/user-function.ts';
import { AggregateTransformation } from '../transformations/aggregate-transformation.ts';
import { AssignTimestampsTransformation } from '../transformations/assign-timestamps-transformation.ts';
import { BatchTransformation } from '../transformations/batch-transformation.ts';
import type { BaseTransformation } from '../transformations/base-transformation.ts';
import type { DeadLetter } from '../transformations/dead-letter.ts';
import { DedupTransformation } from '../transformations/dedup-transformation.ts';
import { FilterTransformation } from '../transformations/filter-transformation.ts';
import { FlatMapTransformation } from '../transformations/flat-map-transformation.ts';
import { KeyByTransformation } from '../transformations/key-by-transformation.ts';
import { LimitTransformation } from '../transformations/limit-transformation.ts';
import { MapTransformation } from '../transformations/map-transformation.ts';
import { RebalanceTransformation } from '../transformations/rebalance-transformation.ts';
import { ReduceTransformation } from '../transformations/reduce-transformation.ts';
import { RouteTransformation, type UnknownRoute } from '../transformations/route-transformation.ts';
import { SampleTransformation } from '../transformations/sample-transformation.ts';
import { SelectTransformation } from '../transformations/select-transformation.ts';
import { SideOutputTransformation, functionBehind } from '../transformations/side-output-transformation.ts';
import { UnionTransformation } from '../transformations/union-transformation.ts';
import { ValidateTransformation } from '../transformations/validate-transformation.ts';
import { ZipWithIndexTransformation } from '../transformations/zip-with-index-transformation.ts';
import type { Windows } from '../functions/windows/windows.ts';
import type { BroadcastConnectedStreams, BroadcastStream } from './broadcast-stream.ts';
import type { ConnectedStreams } from './connected-streams.ts';
import { buildBranches } from './build-branches.ts';
import { toConnected } from './connected-arguments.ts';
import { checkStrategy, toKeySelector } from './key-selector.ts';
import { toProcess } from './keyed-process-argument.ts';
import type { KeyedStream } from './keyed-stream.ts';
import {
  checkBatchOptions,
  checkBranchNames,
  checkDedupOptions,
  checkLimit,
  checkReducer,
  checkSampleOptions,
  checkTimestampOptions,
  toSelector,
} from './operator-arguments.ts';
import { checkAggregateSpec, checkEmit, checkKeyedState, checkOptions, checkSchema, checkText } from './plan-checks.ts';
import { checkHasOutputs, outputGiver } from './side-output-giver.ts';
import { checkColumnName, checkColumns } from './expression-arguments.ts';
import type { Branches, BranchRecords, ClassOf, Collects, Executes, Flattenable, Flattened, Mapped, RecordFunction, RecordOf, RecordsOf, Router, Simplify } from './record-types.ts';
import type { RoutedStream } from './routed-stream.ts';
import { AsyncStream } from './async-stream.ts';
import { streamKinds } from './stream-kinds.ts';
import { unionInputs } from './union-inputs.ts';
import { type TimeWindow, toWindowSettings } from './window-arguments.ts';
import type { NoKey, WindowedStream } from './windowed-stream.ts';
import type { BatchOptions, ClassOptions, DedupOptions, EmitOptions, KeyByOptions, SampleOptions, TimestampOptions } from './stream-options.ts';

/**
 * A stream of records of type `T`. Each call appends one operator to `environment.pipeline` and returns a new stream;
 * nothing runs before `submit`. Calling several operators on one stream gives each of them every record.
 */
export class DataStream<out T> extends AsyncStream<T> {
  /**
   * One record for each record: the function's result, awaited when it is a promise. `undefined` drops the record
   * (counted), `null` is a value.
   */
  map<R>(fn: RecordFunction<T, R>): DataStream<Mapped<R>>;
  map<R, A extends readonly unknown[]>(Class: ClassOf<Executes<T, R>, A>, ...args: NoInfer<A>): DataStream<Mapped<R>>;
  map<R>(instance: Executes<T, R>): DataStream<Mapped<R>>;
  map(fn: unknown, ...args: readonly unknown[]): DataStream<unknown> {
    const declaredAt = captureSourceLocation(this.map);
    const place: FunctionPlace = { call: 'map', bases: [MapFunction], declaredAt };
    return this.derive(new MapTransformation(this.transformation, toUserFunction(fn, args, place), declaredAt));
  }

  /**
   * Zero, one or many records for each record: the items of the returned iterable (strings are not taken apart), and what a
   * class collects.
   *
   * ```ts
   * env.fromCollection(['to be', 'or not']).flatMap((line) => line.split(' ')).print();
   * ```
   */
  flatMap<R extends Flattenable | Promise<Flattenable>>(fn: RecordFunction<T, R>): DataStream<Flattened<R>>;
  flatMap<Out, A extends readonly unknown[]>(Class: ClassOf<Collects<T, Out>, A>, ...args: NoInfer<A>): DataStream<Out>;
  flatMap<Out>(instance: Collects<T, Out>): DataStream<Out>;
  flatMap(fn: unknown, ...args: readonly unknown[]): DataStream<unknown> {
    const declaredAt = captureSourceLocation(this.flatMap);
    const place: FunctionPlace = { call: 'flatMap', bases: [FlatMapFunction], declaredAt };
    return this.derive(new FlatMapTransformation(this.transformation, toUserFunction(fn, args, place), declaredAt));
  }

  /**
   * Lets the records pass for which the function's result (awaited) is truthy, or for which an expression is true.
   *
   * ```ts
   * env.fromCollection([{ price: 5 }, { price: 500 }]).filter(col('price').gt(100)).print();
   * ```
   */
  filter<S extends T>(fn: (record: T) => record is S): DataStream<S>;
  filter(fn: RecordFunction<T, unknown>): DataStream<T>;
  filter<A extends readonly unknown[]>(Class: ClassOf<Executes<T, unknown>, A>, ...args: NoInfer<A>): DataStream<T>;
  filter<E extends ExpressionFor<T, boolean>>(expression: E): DataStream<T>;
  filter(instance: Executes<T, unknown>): DataStream<T>;
  filter(fn: unknown, ...args: readonly unknown[]): DataStream<unknown> {
    const declaredAt = captureSourceLocation(this.filter);
    const place: FunctionPlace = { call: 'filter', bases: [FilterFunction], declaredAt };
    const test = Expression.is(fn) && args.length === 0 ? fn : toUserFunction(fn, args, place);
    return this.derive(new FilterTransformation(this.transformation, test, declaredAt));
  }

  /**
   * Records with exactly these fields, each what an expression gives, or the value of the record's own field of that name; null where
   * there is no value.
   *
   * ```ts
   * const orders = env.fromCollection([{ item: 'pen', price: 5, count: 3 }]);
   * orders.select({ item: col('item'), cents: col('price').mul(100) }).print();
   * orders.select('item', 'count').print();
   * ```
   */
  select<S extends Readonly<Record<string, ExpressionOf<T>>>>(columns: S): DataStream<SelectedRecord<T, S>>;
  select<Name extends FieldName<T>, R = SelectedFields<T, Name>>(...names: readonly Name[]): DataStream<R>;
  select(...columns: readonly unknown[]): DataStream<unknown> {
    const declaredAt = captureSourceLocation(this.select);
    return this.derive(new SelectTransformation(this.transformation, checkColumns(columns, declaredAt), false, declaredAt));
  }

  /**
   * The records with one more field, an expression or a constant, or with another value in one that they have. The new records are plain
   * objects: of a class instance only its own fields are left.
   *
   * ```ts
   * env.fromCollection([{ item: 'pen', price: 5 }]).withColumn('taxed', col('price').mul(1.2)).print();
   * ```
   */
  withColumn<Name extends string, E extends ExpressionOf<T>>(name: Name, expression: E): DataStream<WithColumn<T, Name, E>>;
  withColumn<Name extends string, V extends LiteralValue>(name: Name, constant: V): DataStream<WithColumn<T, Name, Expression<unknown, Widened<V>, never>>>;
  withColumn(name: unknown, expression: unknown): DataStream<unknown> {
    const declaredAt = captureSourceLocation(this.withColumn);
    return this.derive(new SelectTransformation(this.transformation, [checkColumnName(name, expression, declaredAt)], true, declaredAt));
  }

  /**
   * Makes of each record what a schema of zod, valibot, arktype or another library with Standard Schema makes of it. One that
   * does not match is an error of that record, SAGE_SCHEMA_INVALID, whose `cause` lists what is wrong ({@link SchemaIssue}).
   *
   * ```ts
   * import * as z from 'zod';
   *
   * const order = z.object({ id: z.number(), price: z.coerce.number() });
   * env.fromCollection<unknown>([{ id: 1, price: '9.50' }]).validate(order).map(({ price }) => price * 2).print();
   * ```
   */
  validate<S extends StandardSchema>(schema: S): DataStream<Mapped<SchemaOutput<S>>> {
    const declaredAt = captureSourceLocation(this.validate);
    const checked = checkSchema(schema, 'validate', declaredAt);
    return this.derive(new ValidateTransformation(this.transformation, checked, declaredAt)) as DataStream<Mapped<SchemaOutput<S>>>;
  }

  /**
   * Gives each record a key: that of a function, a class, an expression, or a field (`'id'`, `'user.id'`). Primitives (`null`, `undefined`
   * and `NaN` too), dates, and arrays and objects of these are keys, by value; functions, symbols, Maps and Sets are not.
   * Parallelism set here is that of the operators behind, up to the next `keyBy`.
   *
   * ```ts
   * const orders = env.fromCollection([{ user: { id: 7 }, price: 5 }, { user: { id: 7 }, price: 6 }]);
   * orders.keyBy('user.id').aggregate({ total: sum('price') }).print();
   * orders.keyBy((order) => order.price > 5).aggregate({ orders: count() }).print();
   * ```
   */
  keyBy<K>(fn: RecordFunction<T, K>, options?: KeyByOptions): KeyedStream<Awaited<K>, T>;
  keyBy<K, A extends readonly unknown[]>(
    Class: ClassOf<Executes<T, K>, A>,
    ...options: ClassOptions<KeyByOptions, NoInfer<A>>
  ): KeyedStream<Awaited<K>, T>;
  keyBy<E extends ExpressionOf<T>>(expression: E, options?: KeyByOptions): KeyedStream<Resolved<T, E>, T>;
  keyBy<K>(instance: Executes<T, K>, options?: KeyByOptions): KeyedStream<Awaited<K>, T>;
  keyBy<P extends PathOf<T>, K = PathValue<T, P>>(path: P, options?: KeyByOptions): KeyedStream<K, T>;
  keyBy(selector: unknown, options?: unknown): KeyedStream<unknown, T> {
    const declaredAt = captureSourceLocation(this.keyBy);
    const { strategy, args } = checkOptions(options, ['strategy', 'args'], 'keyBy', declaredAt);
    const key = toKeySelector(selector, args, declaredAt);
    const keyBy = new KeyByTransformation(this.transformation, key, checkStrategy(strategy, declaredAt), declaredAt);
    return streamKinds().keyed(this.environment, this.environment.add(keyBy)) as KeyedStream<unknown, T>;
  }

  /** A class that emits with `collect`, as many records as it likes, also when its input has ended. */
  process<Out, A extends readonly unknown[]>(Class: ClassOf<ProcessFunction<T, Out>, A>, ...args: NoInfer<A>): DataStream<Out>;
  process<Out>(instance: ProcessFunction<T, Out>): DataStream<Out>;
  process(fn: unknown, ...args: readonly unknown[]): DataStream<unknown> {
    return this.derive(toProcess(this.transformation, fn, args, captureSourceLocation(this.process)));
  }

  /**
   * Arrays of records. A batch closes when it has `max` records, when `waitMs` have passed since its first record, when its
   * records have `bytes`, or when its stream ends. Each parallel instance makes batches of its own; on a keyed stream each
   * key does.
   *
   * ```ts
   * env.fromCollection([1, 2, 3]).batch({ max: 2, waitMs: 50 }).print();
   * ```
   */
  batch(options: BatchOptions<T>): DataStream<T[]> {
    const declaredAt = captureSourceLocation(this.batch);
    const batch = this.environment.add(new BatchTransformation(this.transformation, checkBatchOptions(options, declaredAt), declaredAt));
    return (batch.keyed ? streamKinds().keyed(this.environment, batch) : new DataStream(this.environment, batch)) as DataStream<T[]>;
  }

  /**
   * Lets the first record of each value pass: of a field or a function's result, or of the whole record. Equality is that
   * of keys. Over all records; on a keyed stream within each key.
   *
   * ```ts
   * env.fromCollection([{ id: 1 }, { id: 2 }, { id: 1 }]).dedup('id', { ttlMs: 60_000 }).print();
   * ```
   */
  dedup(by?: (record: T) => unknown, options?: DedupOptions): this;
  dedup<P extends PathOf<T>>(path: P, options?: DedupOptions): this;
  dedup(by?: unknown, options?: DedupOptions): this {
    const declaredAt = captureSourceLocation(this.dedup);
    const selector = by === undefined ? undefined : toSelector(by, 'the first argument of dedup', declaredAt);
    checkKeyedState(this.transformation, 'dedup', declaredAt);
    return this.derive(new DedupTransformation(this.transformation, selector, checkDedupOptions(options, declaredAt), declaredAt)) as unknown as this;
  }

  /**
   * Lets some of the records pass: `sample(0.1)` each with this probability, by a generator with a fixed seed;
   * `sample({ every: 10 })` one out of ten. In each parallel instance for itself.
   */
  sample(options: number | SampleOptions): this {
    const declaredAt = captureSourceLocation(this.sample);
    return this.derive(new SampleTransformation(this.transformation, checkSampleOptions(options, declaredAt), declaredAt)) as unknown as this;
  }

  /**
   * Lets the first `max` records pass; on a keyed stream those of each key. Sources whose records can reach no sink any more,
   * as all ways there have come to their limits, end: also those that would never end by themselves.
   */
  limit(max: number): this {
    const declaredAt = captureSourceLocation(this.limit);
    checkKeyedState(this.transformation, 'limit', declaredAt);
    return this.derive(new LimitTransformation(this.transformation, checkLimit(max, declaredAt), declaredAt)) as unknown as this;
  }

  /**
   * Gives each record its event time, epoch milliseconds or a `Date`, and says how far event time has come: all records before
   * the *watermark*, the greatest timestamp so far less `outOfOrdernessMs`, are taken to have come. What waits for event time
   * (windows, timers, joins) goes by it, and a record behind it is late.
   *
   * ```ts
   * const clicks = env.fromCollection([{ page: '/', at: 1_700_000_000_000 }]);
   * clicks.assignTimestamps('at', { outOfOrdernessMs: 5000, idleMs: 60_000 }).print();
   * ```
   *
   * A timestamp that is no number, or more than `maxAheadMs` ahead of the clock, is an error of its record.
   */
  assignTimestamps(fn: (record: T, previous: number | undefined) => number | Date, options: TimestampOptions): this;
  assignTimestamps<P extends PathOf<T>>(path: P, options: TimestampOptions): this;
  assignTimestamps(by: unknown, options?: unknown): this {
    const declaredAt = captureSourceLocation(this.assignTimestamps);
    const selector = toSelector(by, 'the first argument of assignTimestamps', declaredAt);
    return this.derive(new AssignTimestampsTransformation(this.transformation, selector, checkTimestampOptions(options, declaredAt), declaredAt)) as unknown as this;
  }

  /** `[record, index]` for each record. The index counts from 0 in each parallel instance. */
  zipWithIndex(): DataStream<[T, number]> {
    const declaredAt = captureSourceLocation(this.zipWithIndex);
    return this.derive(new ZipWithIndexTransformation(this.transformation, declaredAt)) as DataStream<[T, number]>;
  }

  /** Spreads the records evenly over the instances of what follows, one by one. The key, if there is one, stays behind. */
  rebalance(): DataStream<T> {
    const declaredAt = captureSourceLocation(this.rebalance);
    return new DataStream(this.environment, this.environment.add(new RebalanceTransformation(this.transformation, declaredAt)));
  }

  /**
   * One stream for each name: the function says to which of them, or to which several, a record goes. A name that is not in
   * the list is an error of the record.
   *
   * ```ts
   * const { even, odd } = env.fromCollection([1, 2, 3]).split((n) => (n % 2 === 0 ? 'even' : 'odd'), ['even', 'odd']);
   * even.print('even');
   * odd.print('odd');
   * ```
   */
  split<N extends string>(fn: Router<T, NoInfer<N>>, names: readonly N[]): { readonly [Name in N]: DataStream<T> } {
    const declaredAt = captureSourceLocation(this.split);
    const known = checkBranchNames(names, declaredAt);
    const route = this.#addRoute(fn, { names: known, unknown: 'error' }, 'split', declaredAt);
    return Object.fromEntries(known.map((name) => [name, this.#branch(route, name, declaredAt)])) as { [Name in N]: DataStream<T> };
  }

  /**
   * Sends each record where a function says: to one name or to several, at once or as a promise. With `branches`, each is
   * a function of the stream of its records, and what they return is merged into one stream; a name without a branch goes to
   * `default`, or is an error of the record. Without, `.to(name)` of the returned stream has the records of a name, and the
   * stream itself has all.
   *
   * ```ts
   * const orders = env.fromCollection([{ total: 5 }, { total: 500 }]);
   * orders
   *   .route((order) => (order.total > 100 ? 'large' : 'small'), {
   *     large: (stream) => stream.map((order) => `check ${order.total}`),
   *     default: (stream) => stream.map((order) => `send ${order.total}`),
   *   })
   *   .print();
   * ```
   */
  route(router: Router<T, string>): RoutedStream<T>;
  route<B extends Branches<DataStream<T>>>(router: Router<T, string>, branches: B): DataStream<BranchRecords<B>>;
  route(router: Router<T, string>, branches?: Branches<DataStream<T>>): DataStream<unknown> {
    const declaredAt = captureSourceLocation(this.route);
    if (branches === undefined) {
      const route = this.#addRoute(router, { names: undefined, unknown: 'ignored' }, 'route', declaredAt);
      const { routed, keyedRouted } = streamKinds();
      return route.keyedBy === undefined ? routed(this.environment, route) : keyedRouted(this.environment, route);
    }
    const { route, streams } = buildBranches<DataStream<T>>(
      branches,
      (names, unknown) => this.#addRoute(router, { names, unknown }, 'route', declaredAt),
      (route, name) => this.#branch(route, name, declaredAt),
      declaredAt,
    );
    const [first, ...others] = streams;
    // What is said behind `route(...)` is meant for the router, not for the union that nobody wrote.
    // One branch alone is no exception from what is merged having no key.
    const isMerged = others.length > 0 || first.transformation.keyedBy !== undefined;
    return (isMerged ? first.union(...others) : first).withSubject(route);
  }

  /** What the function class of the last operator gives with `this.output(tag, record)`. */
  sideOutput<X = unknown>(tag: OutputTag<X> | string): DataStream<X> {
    const declaredAt = captureSourceLocation(this.sideOutput);
    const name = checkText(typeof tag === 'object' && tag !== null ? tagName(tag) : tag, 'sideOutput', declaredAt);
    const giver = outputGiver(functionBehind(this.subject), name);
    checkHasOutputs(giver, name, declaredAt);
    return new DataStream(this.environment, this.environment.add(new SideOutputTransformation(giver, 'output', name, declaredAt)));
  }

  /**
   * The records at which the last operator failed, each with its error. Its policy must be `onError('deadLetter')`, or one
   * that ends so. Behind a branch of `split` or `route`, the last operator is the one that divides.
   *
   * ```ts
   * const parsed = env.fromCollection(['1', 'two']).map((text) => BigInt(text)).onError('deadLetter');
   * parsed.print();
   * parsed.deadLetters().map((letter) => `${letter.record}: ${letter.error.message}`).print();
   * ```
   */
  deadLetters<X = unknown>(): DataStream<DeadLetter<X>> {
    const declaredAt = captureSourceLocation(this.deadLetters);
    return new DataStream(this.environment, this.environment.add(new SideOutputTransformation(functionBehind(this.subject), 'deadLetters', '', declaredAt)));
  }

  /** All records of this stream and the others. */
  union<S extends readonly DataStream<unknown>[]>(...others: S): DataStream<T | RecordOf<S[number]>> {
    const declaredAt = captureSourceLocation(this.union);
    return new DataStream(this.environment, this.environment.add(new UnionTransformation(unionInputs(this, others, declaredAt), declaredAt)));
  }

  /**
   * This stream and others, side by side: `comap` has a handler for each of them, `join` puts records of the same key together. The
   * order of the records of each stream is kept; between streams there is none.
   *
   * ```ts
   * const words = env.fromCollection(['a', 'b']);
   * const numbers = env.fromCollection([1, 2]);
   * words.connect(numbers).comap([(word) => word.length, (n) => n * 10]).print();
   * ```
   *
   * @throws SageError SAGE_PLAN_ARGUMENT for what is no stream, SAGE_PLAN_FOREIGN_STREAM
   */
  connect<B>(rules: BroadcastStream<B>): BroadcastConnectedStreams<T, B>;
  connect<S extends readonly [DataStream<unknown>, ...DataStream<unknown>[]]>(...others: S): ConnectedStreams<[T, ...RecordsOf<S>], unknown>;
  connect(...others: readonly unknown[]): unknown {
    return toConnected(this, others, captureSourceLocation(this.connect));
  }

  /** This stream for `connect`, as one all of whose records go to each parallel instance of the process function there: see `BroadcastProcessFunction`. */
  broadcast(): BroadcastStream<T> {
    return streamKinds().broadcast(this) as BroadcastStream<T>;
  }

  /**
   * Joins the records two by two to one value: `fn(reduced, next)`. On a keyed stream one for each key, else one over
   * all records.
   *
   * ```ts
   * env.fromCollection([3, 9, 4]).reduce((a, b) => Math.max(a, b)).print();
   * ```
   */
  reduce(fn: (reduced: T, next: T) => T | Promise<T>, options?: EmitOptions): DataStream<T> {
    const declaredAt = captureSourceLocation(this.reduce);
    const { emit } = checkOptions(options, ['emit'], 'reduce', declaredAt);
    checkKeyedState(this.transformation, 'reduce', declaredAt);
    const reduce = new ReduceTransformation(
      this.transformation,
      lambdaFunction(checkReducer(fn, declaredAt)),
      checkEmit(emit, 'reduce', declaredAt),
      declaredAt,
    );
    return new DataStream(this.environment, this.environment.add(reduce));
  }

  /**
   * Computes named results over all records; on a keyed stream for each key.
   *
   * ```ts
   * env.fromCollection([{ price: 5 }, { price: 6 }]).aggregate({ orders: count(), total: sum('price') }).print();
   * ```
   */
  aggregate<S extends AggregateSpec<T>, R = Simplify<AggregateResults<S>>>(spec: S, options?: EmitOptions): DataStream<R>;
  aggregate(spec: unknown, options?: unknown): DataStream<unknown> {
    const declaredAt = captureSourceLocation(this.aggregate);
    const { emit } = checkOptions(options, ['emit'], 'aggregate', declaredAt);
    checkKeyedState(this.transformation, 'aggregate', declaredAt);
    const aggregate = new AggregateTransformation(
      this.transformation,
      checkAggregateSpec(spec, this.transformation.keyedBy !== undefined, declaredAt),
      checkEmit(emit, 'aggregate', declaredAt),
      declaredAt,
    );
    return new DataStream(this.environment, this.environment.add(aggregate));
  }

  /**
   * Divides the stream into windows; on a keyed stream for each key. What becomes of them is said behind it: `reduce`, `aggregate`,
   * `map`, `process`, `topN`.
   *
   * ```ts
   * env.fromCollection([3, 1, 2]).window({ timeWindow: 60 }).map(({ elements }) => elements.length).print();
   * ```
   *
   * @param windows `tumbling('10s')`, `sliding('10s', '2s')`, `session('30s')`, `globalWindow()`, `countWindow(100)`, or `{ timeWindow: seconds }`
   */
  window(windows: Windows | TimeWindow): WindowedStream<NoKey, T> {
    const declaredAt = captureSourceLocation(this.window);
    checkKeyedState(this.transformation, 'window', declaredAt);
    return streamKinds().windowed(this, toWindowSettings(windows, declaredAt)) as WindowedStream<NoKey, T>;
  }

  /** The stream behind a new operator; a keyed stream stays keyed. */
  protected override derive(transformation: BaseTransformation): DataStream<unknown> {
    return new DataStream(this.environment, this.environment.add(transformation));
  }

  protected override withSubject(subject: BaseTransformation): this {
    return new DataStream(this.environment, this.transformation, subject) as this;
  }

  #addRoute(
    router: unknown,
    branches: { readonly names: readonly string[] | undefined; readonly unknown: UnknownRoute },
    call: 'split' | 'route',
    declaredAt: SourceLocation,
  ): RouteTransformation {
    const fn = toUserFunction(router, [], { call, bases: [MapFunction], declaredAt });
    return this.environment.add(new RouteTransformation(this.transformation, fn, branches, call, declaredAt));
  }

  #branch(route: RouteTransformation, name: string, declaredAt: SourceLocation): DataStream<T> {
    return this.derive(new SideOutputTransformation(route, 'branch', name, declaredAt)) as DataStream<T>;
  }
}
