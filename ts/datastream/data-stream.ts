import type { Writable } from 'node:stream';
import type { WritableStream } from 'node:stream/web';
import { planError } from '../common/errors.ts';
import { captureSourceLocation, type SourceLocation } from '../common/source-location.ts';
import type { SchemaOutput, StandardSchema } from '../common/standard-schema.ts';
import type { AggregateResults, AggregateSpec } from '../functions/aggregator.ts';
import type { FunctionPlace } from '../functions/check-user-function.ts';
import { describeValue, toUserFunction } from '../functions/check-user-function.ts';
import { isClass } from '../functions/class-detection.ts';
import { FilterFunction } from '../functions/filter-function.ts';
import { FlatMapFunction } from '../functions/flat-map-function.ts';
import { MapFunction } from '../functions/map-function.ts';
import type { PathOf, PathValue } from '../functions/path-types.ts';
import { lambdaFunction } from '../functions/user-function.ts';
import { AggregateTransformation } from '../transformations/aggregate-transformation.ts';
import type { BaseTransformation, Parallelism } from '../transformations/base-transformation.ts';
import type { Sink } from '../transformations/connector.ts';
import type { Emit } from '../transformations/emit.ts';
import { FilterTransformation } from '../transformations/filter-transformation.ts';
import { FlatMapTransformation } from '../transformations/flat-map-transformation.ts';
import { KeyByTransformation, type KeyStrategy } from '../transformations/key-by-transformation.ts';
import { MapTransformation } from '../transformations/map-transformation.ts';
import { ReduceTransformation } from '../transformations/reduce-transformation.ts';
import type { ArrayTarget, SinkDescriptor } from '../transformations/sink-descriptor.ts';
import { SinkTransformation } from '../transformations/sink-transformation.ts';
import type { StreamEnvironment } from '../transformations/stream-environment.ts';
import { UnionTransformation } from '../transformations/union-transformation.ts';
import { ValidateTransformation } from '../transformations/validate-transformation.ts';
import { type CollectedRecords, type CollectOptions, CollectStream } from './collect-stream.ts';
import { checkStrategy, toKeySelector } from './key-selector.ts';
import {
  checkAggregateSpec,
  checkEmit,
  checkInstances,
  checkKeyedState,
  checkOptions,
  checkParallelism,
  checkSchema,
  checkSignal,
  checkText,
  checkUid,
} from './plan-checks.ts';
import type { ClassOf, Collects, Executes, Flattenable, Flattened, Mapped, RecordFunction, Simplify } from './record-types.ts';
import { printSink, toSinkDescriptor } from './sink-argument.ts';

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
  readonly name?: string;
  readonly uid?: string;
  readonly parallelism?: Parallelism;
}

/** Options of `sink` for a stream. */
export interface StreamSinkOptions extends SinkOptions {
  /** Whether the stream ends with the job; `true` when left away, but for `process.stdout` and `process.stderr`. */
  readonly end?: boolean;
}

/** The streams' own options with the constructor arguments of a class. */
type WithArgs<Options, A extends readonly unknown[]> = Options & { readonly args?: Readonly<A> };

/** Options behind a class: `args` may only be left away when its constructor needs none. */
type ClassOptions<Options, A extends readonly unknown[]> = [] extends A
  ? [options?: WithArgs<Options, A>]
  : [options: Options & { readonly args: Readonly<A> }];

/** The record type of a stream. */
type RecordOf<S> = S extends DataStream<infer T> ? T : never;

/**
 * A stream of records of type `T`. Each call appends one operator to `environment.pipeline` and returns a new stream;
 * nothing runs before `submit`. Calling several operators on one stream gives each of them every record.
 */
export class DataStream<out T> {
  readonly environment: StreamEnvironment;
  /** The operator whose output this is. */
  readonly transformation: BaseTransformation;
  /** The operator that `named`, `uid` and `parallelism` speak of: right behind `sink` it is the sink. */
  readonly subject: BaseTransformation;

  /** Environments and streams create streams; users get them from calls. */
  constructor(environment: StreamEnvironment, transformation: BaseTransformation, subject: BaseTransformation = transformation) {
    this.environment = environment;
    this.transformation = transformation;
    this.subject = subject;
  }

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

  /** Lets the records pass for which the function's result (awaited) is truthy. */
  filter<S extends T>(fn: (record: T) => record is S): DataStream<S>;
  filter(fn: RecordFunction<T, unknown>): DataStream<T>;
  filter<A extends readonly unknown[]>(Class: ClassOf<Executes<T, unknown>, A>, ...args: NoInfer<A>): DataStream<T>;
  filter(instance: Executes<T, unknown>): DataStream<T>;
  filter(fn: unknown, ...args: readonly unknown[]): DataStream<unknown> {
    const declaredAt = captureSourceLocation(this.filter);
    const place: FunctionPlace = { call: 'filter', bases: [FilterFunction], declaredAt };
    return this.derive(new FilterTransformation(this.transformation, toUserFunction(fn, args, place), declaredAt));
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
   * Gives each record a key: that of a function, a class, or a field (`'id'`, `'user.id'`). Primitives (`null`, `undefined`
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
  keyBy<K>(instance: Executes<T, K>, options?: KeyByOptions): KeyedStream<Awaited<K>, T>;
  keyBy<P extends PathOf<T>, K = PathValue<T, P>>(path: P, options?: KeyByOptions): KeyedStream<K, T>;
  keyBy(selector: unknown, options?: unknown): KeyedStream<unknown, T> {
    const declaredAt = captureSourceLocation(this.keyBy);
    const { strategy, args } = checkOptions(options, ['strategy', 'args'], 'keyBy', declaredAt);
    const key = toKeySelector(selector, args, declaredAt);
    const keyBy = new KeyByTransformation(this.transformation, key, checkStrategy(strategy, declaredAt), declaredAt);
    return new KeyedStream(this.environment, this.environment.add(keyBy));
  }

  /** All records of this stream and the others. */
  union<S extends readonly DataStream<unknown>[]>(...others: S): DataStream<T | RecordOf<S[number]>> {
    const declaredAt = captureSourceLocation(this.union);
    for (const other of others) this.#checkOwn(other, declaredAt);
    const inputs = [this.transformation, ...others.map((other) => other.transformation)];
    return new DataStream(this.environment, this.environment.add(new UnionTransformation(inputs, declaredAt)));
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
    if (typeof fn !== 'function' || isClass(fn)) {
      throw planError('SAGE_PLAN_FUNCTION', {
        message: `reduce was given ${describeValue(fn)}`,
        expected: 'a function of the reduced value and the next record',
        fix: 'Write reduce((a, b) => ...).',
        declaredAt,
      });
    }
    const { emit } = checkOptions(options, ['emit'], 'reduce', declaredAt);
    checkKeyedState(this.transformation, 'reduce', declaredAt);
    const reduce = new ReduceTransformation(
      this.transformation,
      lambdaFunction(fn),
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
   * Sends the records to an array, a function, a class, a connector, or a Node `Writable` or `WritableStream`. Returns this
   * stream, so that sinks chain; `named`, `uid` and `parallelism` right behind belong to the sink.
   *
   * A stream is written to with backpressure, ended with the job (`{ end: false }` leaves it open), and destroyed with the
   * reason when the job fails or is cancelled; an error of the stream fails the job.
   *
   * ```ts
   * env.fromCollection(['to be\n', 'or not\n']).sink(process.stdout);
   * ```
   */
  sink(target: T[] | (readonly unknown[] & ArrayTarget<T>), options?: SinkOptions): this;
  sink(connector: Sink<T>, options?: SinkOptions): this;
  sink(stream: Writable | WritableStream<T>, options?: StreamSinkOptions): this;
  sink(fn: RecordFunction<T, unknown>, options?: SinkOptions): this;
  sink<A extends readonly unknown[]>(
    Class: ClassOf<Executes<T, unknown>, A>,
    ...options: ClassOptions<SinkOptions, NoInfer<A>>
  ): this;
  sink(instance: Executes<T, unknown>, options?: SinkOptions): this;
  sink(target: unknown, options?: unknown): this {
    const declaredAt = captureSourceLocation(this.sink);
    const { name, uid, parallelism, args, end } = checkOptions(options, ['name', 'uid', 'parallelism', 'args', 'end'], 'sink', declaredAt);
    const sink = new SinkTransformation(this.transformation, toSinkDescriptor(target, { args, end }, declaredAt), 'sink', declaredAt);
    if (name !== undefined) sink.name = checkText(name, 'name', declaredAt);
    if (uid !== undefined) sink.uid = checkUid(uid, undefined, this.environment.pipeline, declaredAt);
    if (parallelism !== undefined) sink.parallelism = checkParallelism(parallelism, declaredAt);
    return this.withSubject(this.environment.add(sink));
  }

  /** Writes each record to standard output, behind `prefix` if one is given. Returns this stream as `sink` does. */
  print(prefix?: string): this {
    const declaredAt = captureSourceLocation(this.print);
    if (prefix !== undefined) checkText(prefix, 'print', declaredAt);
    const sink = new SinkTransformation(this.transformation, printSink(prefix), 'print', declaredAt);
    return this.withSubject(this.environment.add(sink));
  }

  /**
   * The records of this stream for a `for await` loop, which submits the job; leaving it early cancels the job. `toReadable()`
   * and `toReadableStream()` of the result give them as a stream.
   *
   * ```ts
   * const env = new LocalEnvironment('squares');
   * for await (const square of env.fromCollection([1, 2, 3]).map((n) => n * n).collect()) console.log(square);
   * ```
   */
  collect(options?: CollectOptions): CollectedRecords<T> {
    const declaredAt = captureSourceLocation(this.collect);
    const { signal } = checkOptions(options, ['signal'], 'collect', declaredAt);
    const collector = new CollectStream<T>(this.environment, declaredAt, checkSignal(signal, 'collect', declaredAt));
    const sink: SinkDescriptor = { form: 'collect', collector };
    this.environment.add(new SinkTransformation(this.transformation, sink, 'collect', declaredAt));
    return collector;
  }

  /** Names the last operator; a name that is taken gets a suffix. */
  named(name: string): this {
    const declaredAt = captureSourceLocation(this.named);
    this.environment.rename(this.subject, checkText(name, 'named', declaredAt));
    return this;
  }

  /** A name of the last operator that stays when the pipeline changes. @throws SageError SAGE_PLAN_DUPLICATE_UID */
  uid(id: string): this {
    const declaredAt = captureSourceLocation(this.uid);
    this.subject.uid = checkUid(id, this.subject, this.environment.pipeline, declaredAt);
    return this;
  }

  /** How many parallel instances the last operator has. @throws SageError SAGE_PLAN_PARALLELISM */
  parallelism(parallelism: Parallelism): this {
    const declaredAt = captureSourceLocation(this.parallelism);
    const checked = checkParallelism(parallelism, declaredAt);
    checkInstances(this.subject, checked, declaredAt);
    this.subject.parallelism = checked;
    if (this.subject instanceof ValidateTransformation) this.subject.setSourceParallelism(checked);
    return this;
  }

  /** The stream behind a new operator; a keyed stream stays keyed. */
  protected derive(transformation: BaseTransformation): DataStream<unknown> {
    return new DataStream(this.environment, this.environment.add(transformation));
  }

  /** This stream, with another operator for the modifiers. */
  protected withSubject(subject: BaseTransformation): this {
    return new DataStream(this.environment, this.transformation, subject) as this;
  }

  #checkOwn(other: unknown, declaredAt: SourceLocation): void {
    if (!(other instanceof DataStream)) {
      throw planError('SAGE_PLAN_ARGUMENT', {
        message: `union was given ${describeValue(other)}`,
        expected: 'streams',
        fix: Array.isArray(other) ? 'Spread the array: union(...streams).' : 'Write first.union(second).',
        declaredAt,
      });
    }
    if (other.environment === this.environment) return;
    throw planError('SAGE_PLAN_FOREIGN_STREAM', {
      message: `union was given a stream of the environment '${other.environment.name}'`,
      expected: `streams of the environment '${this.environment.name}'`,
      fix: 'Create both streams from the same environment.',
      declaredAt,
    });
  }
}

/**
 * A stream whose records carry a key of type `K`. The key stays through `map`, `flatMap` and `filter`, up to the next
 * `keyBy`; results of `reduce` and `aggregate` carry none.
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
  override filter(instance: Executes<T, unknown>): KeyedStream<K, T>;
  override filter(...args: [never]): KeyedStream<K, never> {
    return super.filter(...args) as KeyedStream<K, never>;
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
