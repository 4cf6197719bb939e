import type { SchemaOutput, StandardSchema } from '../common/standard-schema.ts';
import type { AggregateResults, AggregateSpec } from '../functions/aggregator.ts';
import type { ExpressionFor, ExpressionOf, FieldName, SelectedFields, SelectedRecord, Widened, WithColumn } from '../functions/expressions/expression-types.ts';
import type { LiteralValue } from '../functions/expressions/expression-node.ts';
import type { Expression } from '../functions/expressions/expression.ts';
import type { PathOf } from '../functions/path-types.ts';
import type { ProcessFunction } from '../functions/process-function.ts';
import type { BaseTransformation } from '../transformations/base-transformation.ts';
import { DataStream } from './data-stream.ts';
import type { AsyncExecutes, AsyncFunction, Branches, BranchRecords, ClassOf, Collects, Executes, Flattenable, Flattened, Mapped, RecordFunction, Router, Simplify } from './record-types.ts';
import type { KeyedRoutedStream } from './keyed-routed-stream.ts';
import { registerStreamKinds } from './stream-kinds.ts';
import type { BatchOptions, DedupOptions, EmitOptions, MapAsyncOptions, NeededClassOptions } from './stream-options.ts';

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

  override process<Out, A extends readonly unknown[]>(Class: ClassOf<ProcessFunction<T, Out>, A>, ...args: NoInfer<A>): KeyedStream<K, Out>;
  override process<Out>(instance: ProcessFunction<T, Out>): KeyedStream<K, Out>;
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
