import type { Writable } from 'node:stream';
import type { WritableStream } from 'node:stream/web';
import { captureSourceLocation } from '../common/source-location.ts';
import type { BaseCoMapFunction } from '../functions/base-co-map-function.ts';
import { BaseJoinFunction } from '../functions/base-join-function.ts';
import { toUserFunction } from '../functions/check-user-function.ts';
import type { PathOf, PathValue } from '../functions/path-types.ts';
import type { BaseTransformation, Parallelism } from '../transformations/base-transformation.ts';
import type { Sink } from '../transformations/connector.ts';
import { CoMapTransformation } from '../transformations/co-map-transformation.ts';
import { JoinTransformation } from '../transformations/join-transformation.ts';
import type { JoinType } from '../transformations/join-type.ts';
import { KeyByTransformation } from '../transformations/key-by-transformation.ts';
import { KeyedProcessTransformation } from '../transformations/keyed-process-transformation.ts';
import { checkCount, toCoMapHandlers, toCoProcess } from './connected-arguments.ts';
import { DataStream } from './data-stream.ts';
import { type IntervalJoinOptions, type WindowJoinOptions, checkJoinInputs, toPairJoin } from './join-arguments.ts';
import { toKeySelector } from './key-selector.ts';
import type { KeyedStream } from './keyed-stream.ts';
import { addPairJoin } from './pair-join.ts';
import { checkParallelism } from './plan-checks.ts';
import type { ClassOf, Collected, Executes, Mapped, ProcessesConnected, RecordFunction } from './record-types.ts';
import type { ClassOptions, SinkOptions, StreamSinkOptions } from './stream-options.ts';
import { registerStreamKinds, streamKinds } from './stream-kinds.ts';

/** The numbers of connected streams, as texts. */
type Inputs<Ins extends readonly unknown[]> = Extract<keyof Ins, `${number}`>;

/** The handlers that a class for `comap` has: `map0` for the first stream, and so on. */
export type CoMapMethods<Ins extends readonly unknown[]> = { readonly [I in Inputs<Ins> as `map${I}`]: (record: Ins[I]) => unknown };

/** The handlers that a class for `process` has: `execute0` for the first stream, and so on. */
export type CoProcessMethods<Ins extends readonly unknown[]> = { readonly [I in Inputs<Ins> as `execute${I}`]: (record: Ins[I]) => unknown };

/** What the handlers of a class give. */
export type CoMapResults<F> = { [Name in keyof F & `map${number}`]: F[Name] extends (record: never) => infer R ? Mapped<R> : never }[keyof F & `map${number}`];

/** A function for the records of each stream. */
export type CoMapFunctions<Ins extends readonly unknown[]> = { readonly [I in keyof Ins]: (record: Ins[I]) => unknown };

/** What the functions of all streams give. */
export type CoMapped<F> = F extends readonly (infer One)[] ? (One extends (record: never) => infer R ? Mapped<R> : never) : never;

/** What selects the key of each stream: a function, or the path of a field. */
export type KeySelectors<Ins extends readonly unknown[]> = { readonly [I in keyof Ins]: ((record: Ins[I]) => unknown) | PathOf<Ins[I]> };

/** The keys that selectors give. */
type SelectedKey<Ins extends readonly unknown[], S> = {
  [I in Inputs<Ins>]: I extends keyof S ? (S[I] extends (record: never) => infer K ? Awaited<K> : S[I] extends string ? PathValue<Ins[I], S[I]> : never) : never;
}[Inputs<Ins>];

/** A record of the left side of a join, of a key and window of which there may be none. */
export type LeftOf<Ins extends readonly unknown[], Type extends JoinType> = Ins[0] | (Type extends 'right' | 'full' ? undefined : never);

/** A record of the right side of a join, of a key and window of which there may be none. */
export type RightOf<Ins extends readonly unknown[], Type extends JoinType> = Ins[1] | (Type extends 'left' | 'full' ? undefined : never);

/**
 * Streams side by side, in the order in which `connect` was given them. The records of each keep their order; between streams there
 * is none. `Ins` are the types of their records, `K` that of their key.
 *
 * ```ts
 * const users = env.fromCollection([{ id: 1, name: 'Ada' }]);
 * const orders = env.fromCollection([{ user: 1, item: 'pen' }]);
 * users
 *   .connect(orders)
 *   .comap([({ name }) => `user ${name}`, ({ item }) => `order of a ${item}`])
 *   .print();
 * ```
 */
export class ConnectedStreams<out Ins extends readonly unknown[], out K = unknown> {
  /** Only for the type; never set. */
  declare readonly records?: Ins;
  /** Only for the type; never set. */
  declare readonly key?: K;
  readonly #streams: readonly DataStream<unknown>[];

  /** Streams create it; users get it from `connect`. */
  constructor(streams: readonly DataStream<unknown>[]) {
    this.#streams = streams;
  }

  get #inputs(): readonly BaseTransformation[] {
    return this.#streams.map(({ transformation }) => transformation);
  }

  /**
   * One record for each record: what the handler of its stream gives, awaited when it is a promise. `undefined` drops the record
   * (counted). A class that extends {@link BaseCoMapFunction} has the methods `map0`, `map1` ..., which share its fields, or there is a
   * function for each stream. Behind `keyBy`, all records of a key come to the same instance, and `ctx.key` is the key; results carry none.
   *
   * ```ts
   * class Latest extends BaseCoMapFunction {
   *   #limit = 0;
   *   map0(limit: number) {
   *     this.#limit = limit;
   *   }
   *   map1(reading: { value: number }) {
   *     return reading.value > this.#limit ? 'too high' : 'fine';
   *   }
   * }
   * env.fromCollection([3]).connect(env.fromCollection([{ value: 5 }])).comap(Latest).print();
   * ```
   *
   * @throws SageError SAGE_PLAN_HANDLERS when there are more or fewer handlers than streams
   */
  comap<const F extends CoMapFunctions<Ins>>(functions: F): DataStream<CoMapped<F>>;
  comap<F extends BaseCoMapFunction & CoMapMethods<Ins>, A extends readonly unknown[]>(Class: ClassOf<F, A>, ...args: NoInfer<A>): DataStream<CoMapResults<F>>;
  comap<F extends BaseCoMapFunction & CoMapMethods<Ins>>(instance: F): DataStream<CoMapResults<F>>;
  comap(handlers: unknown, ...args: readonly unknown[]): DataStream<never> {
    const declaredAt = captureSourceLocation(this.comap);
    const inputs = this.#inputs;
    return this.#derive(new CoMapTransformation(inputs, toCoMapHandlers(handlers, args, inputs.length, declaredAt), false, declaredAt));
  }

  /**
   * Gives all records a key: by one function or field for all streams, or by one for each of them. Keys are as those of `keyBy` of a
   * stream.
   *
   * ```ts
   * const users = env.fromCollection([{ id: 1, name: 'Ada' }]);
   * const orders = env.fromCollection([{ user: 1, item: 'pen' }]);
   * users
   *   .connect(orders)
   *   .keyBy(['id', (order) => order.user])
   *   .join({ window: globalWindow() }, ({ name }, { item }) => `${name}: ${item}`)
   *   .print();
   * ```
   *
   * @throws SageError SAGE_PLAN_HANDLERS when there are more or fewer selectors than streams
   */
  keyBy<const S extends KeySelectors<Ins>, Key = SelectedKey<Ins, S>>(selectors: S): ConnectedStreams<Ins, Key>;
  keyBy<Key>(fn: (record: Ins[number]) => Key): ConnectedStreams<Ins, Awaited<Key>>;
  keyBy<P extends PathOf<Ins[number]>, Key = PathValue<Ins[number], P>>(path: P): ConnectedStreams<Ins, Key>;
  keyBy(selector: unknown): ConnectedStreams<Ins, never> {
    const declaredAt = captureSourceLocation(this.keyBy);
    const streams = this.#streams;
    if (Array.isArray(selector)) checkCount('keyBy', 'selector', selector.length, streams.length, declaredAt);
    // All are checked before the first one is in the pipeline.
    const selectors = streams.map((_, input) => toKeySelector(Array.isArray(selector) ? selector[input] : selector, undefined, declaredAt));
    return new ConnectedStreams(
      streams.map(({ environment, transformation }, input) => new DataStream(environment, environment.add(new KeyByTransformation(transformation, selectors[input]!, 'hash', declaredAt)))),
    );
  }

  /** Behind `keyBy`: how many parallel instances the operators have that need the key. */
  parallelism(parallelism: Parallelism): this {
    const declaredAt = captureSourceLocation(this.parallelism);
    checkParallelism(parallelism, declaredAt);
    for (const stream of this.#streams) stream.parallelism(parallelism);
    return this;
  }

  /**
   * Joins records of the same key.
   *
   * With `{ window }`, each record of the left (first) stream with each of the right one in the same window; with `{ within }`, with each
   * that is close in event time. The function makes a result of two records; `undefined` drops it. `type` says which records are given
   * though they have no partner, as which the function then gets `undefined`.
   *
   * With a class that extends {@link BaseJoinFunction}: as it says, for any number of streams.
   *
   * ```ts
   * const clicks = env.fromCollection([{ user: 1, at: 1000 }]).assignTimestamps('at', { outOfOrdernessMs: 0 });
   * const buys = env.fromCollection([{ user: 1, item: 'pen', at: 2500 }]).assignTimestamps('at', { outOfOrdernessMs: 0 });
   * clicks
   *   .connect(buys)
   *   .keyBy('user')
   *   .join({ within: { after: '5s' }, type: 'left' }, (click, buy) => `${click.user} ${buy?.item ?? 'nothing'}`)
   *   .print();
   * ```
   *
   * @throws SageError SAGE_PLAN_NOT_KEYED when a stream has no key; SAGE_PLAN_EVENT_TIME, when the pipeline is submitted, for
   * `within` without `assignTimestamps`
   */
  join<R, Type extends JoinType = 'inner'>(options: WindowJoinOptions<Type> | IntervalJoinOptions<Type>, fn: (left: LeftOf<Ins, Type>, right: RightOf<Ins, Type>) => R): DataStream<Mapped<R>>;
  join<Out, A extends readonly unknown[]>(Class: ClassOf<BaseJoinFunction<Ins[number], Out, K>, A>, ...args: NoInfer<A>): DataStream<Out>;
  join<Out>(instance: BaseJoinFunction<Ins[number], Out, K>): DataStream<Out>;
  join(what: unknown, ...args: readonly unknown[]): DataStream<never> {
    const declaredAt = captureSourceLocation(this.join);
    const inputs = this.#inputs;
    const pairs = toPairJoin(what, args[0], inputs.length, declaredAt);
    const fn = pairs === undefined ? toUserFunction(what, args, { call: 'join', bases: [BaseJoinFunction], needsBase: true, declaredAt }) : undefined;
    checkJoinInputs(inputs, declaredAt);
    if (fn !== undefined) return this.#derive(new JoinTransformation(inputs, fn, declaredAt));
    const { environment } = this.#streams[0]!;
    return new DataStream(environment, addPairJoin(environment, inputs, pairs!, declaredAt));
  }

  /**
   * What a class that extends `KeyedCoProcessFunction` collects: it has a handler for each stream (`execute0`, `execute1` ...), and one
   * state and timers for each key of all of them. Results keep the key.
   *
   * @throws SageError SAGE_PLAN_NOT_KEYED when a stream has no key, SAGE_PLAN_HANDLERS when there are more or fewer handlers than streams
   */
  process<F extends ProcessesConnected<K, Ins> & CoProcessMethods<Ins>, A extends readonly unknown[]>(Class: ClassOf<F, A>, ...args: NoInfer<A>): KeyedStream<K, Collected<F>>;
  process<F extends ProcessesConnected<K, Ins> & CoProcessMethods<Ins>>(instance: F): KeyedStream<K, Collected<F>>;
  process(value: unknown, ...args: readonly unknown[]): KeyedStream<K, never> {
    const declaredAt = captureSourceLocation(this.process);
    const inputs = this.#inputs;
    const fn = toCoProcess(value, args, inputs, declaredAt);
    const { environment } = this.#streams[0]!;
    return streamKinds().keyed(environment, environment.add(new KeyedProcessTransformation(inputs, fn, 'several', declaredAt))) as KeyedStream<K, never>;
  }

  /** One record for each record of all streams: as `map` behind `union`. */
  map<R>(fn: RecordFunction<Ins[number], R>): DataStream<Mapped<R>>;
  map<R, A extends readonly unknown[]>(Class: ClassOf<Executes<Ins[number], R>, A>, ...args: NoInfer<A>): DataStream<Mapped<R>>;
  map<R>(instance: Executes<Ins[number], R>): DataStream<Mapped<R>>;
  map(...args: [never]): DataStream<never> {
    return this.#union().map(...args) as DataStream<never>;
  }

  /** Sends the records of all streams to one sink: as `sink` behind `union`. Gives the stream of all of them. */
  sink(target: Ins[number][], options?: SinkOptions): DataStream<Ins[number]>;
  sink(connector: Sink<Ins[number]>, options?: SinkOptions): DataStream<Ins[number]>;
  sink(stream: Writable | WritableStream<Ins[number]>, options?: StreamSinkOptions): DataStream<Ins[number]>;
  sink(fn: RecordFunction<Ins[number], unknown>, options?: SinkOptions): DataStream<Ins[number]>;
  sink<A extends readonly unknown[]>(Class: ClassOf<Executes<Ins[number], unknown>, A>, ...options: ClassOptions<SinkOptions, NoInfer<A>>): DataStream<Ins[number]>;
  sink(instance: Executes<Ins[number], unknown>, options?: SinkOptions): DataStream<Ins[number]>;
  sink(...args: [unknown, unknown?]): DataStream<Ins[number]> {
    return this.#union().sink(...(args as [never]));
  }

  #union(): DataStream<Ins[number]> {
    const [first, ...others] = this.#streams as readonly [DataStream<Ins[number]>, ...DataStream<Ins[number]>[]];
    return first.union(...others);
  }

  #derive(transformation: BaseTransformation): DataStream<never> {
    const { environment } = this.#streams[0]!;
    return new DataStream(environment, environment.add(transformation));
  }
}

registerStreamKinds({ connected: (streams) => new ConnectedStreams(streams) });
