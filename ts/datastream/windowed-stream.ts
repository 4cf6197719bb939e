import type { Duration } from '../common/duration.ts';
import { captureSourceLocation, type SourceLocation } from '../common/source-location.ts';
import type { AggregateResults, AggregateSpec } from '../functions/aggregator.ts';
import { topN } from '../functions/collecting-aggregators.ts';
import { type OutputTag, tagName } from '../functions/output-tag.ts';
import type { PathOf, PathValue } from '../functions/path-types.ts';
import type { ProcessFunction } from '../functions/process-function.ts';
import { lambdaFunction } from '../functions/user-function.ts';
import type { CustomTrigger } from '../functions/windows/custom-trigger.ts';
import type { Trigger } from '../functions/windows/trigger.ts';
import type { WindowBounds } from '../functions/windows/window-bounds.ts';
import { checkDuration } from '../functions/windows/windows.ts';
import { type WindowResult, type WindowSettings, WindowTransformation } from '../transformations/window-transformation.ts';
import { DataStream } from './data-stream.ts';
import type { KeyedStream } from './keyed-stream.ts';
import { checkReducer } from './operator-arguments.ts';
import { checkAggregateSpec, checkText } from './plan-checks.ts';
import type { ClassOf, Executes, Mapped, RecordFunction } from './record-types.ts';
import { registerStreamKinds } from './stream-kinds.ts';
import type { KeyByOptions } from './stream-options.ts';
import { checkTrigger } from './trigger-argument.ts';
import { checkAccumulation, checkWindowNames, checkWindowSettings } from './window-arguments.ts';

/** What results of windows say of the key: nothing on a stream without one. */
export type NoKey = Readonly<Record<never, never>>;

/** What results of windows say of the key. */
export interface WithKey<out K> {
  /** The key. */
  readonly key: K;
}

/** A window with all of its records, in the order in which they came, and its key: what `map` and `process` of windows are given. */
export type WindowContents<Key, T> = Key & WindowBounds & { readonly elements: T[] };

/** What `topN` of windows gives. */
export type TopOfWindow<Key, T> = Key & { readonly window: WindowBounds; readonly top: T[] };

/** What can be ranked. */
type Rankable = number | bigint | string | Date | null | undefined;

/**
 * A stream that is divided into windows: what `window` gives. Event time decides where the stream has timestamps
 * (`assignTimestamps`), else the clock.
 *
 * ```ts
 * const clicks = env.fromCollection([{ page: '/', at: 1000 }, { page: '/', at: 2500 }]);
 * clicks
 *   .assignTimestamps('at', { outOfOrdernessMs: 0 })
 *   .keyBy('page')
 *   .window(tumbling('2s'))
 *   .aggregate({ clicks: count() })
 *   .print();
 * ```
 */
export class WindowedStream<out Key, out T> {
  readonly #stream: DataStream<T>;
  readonly #settings: WindowSettings;

  /** Streams create it; users get it from `window`. */
  constructor(stream: DataStream<T>, settings: WindowSettings) {
    this.#stream = stream;
    this.#settings = settings;
  }

  #with(settings: Partial<WindowSettings>): WindowedStream<Key, T> {
    return new WindowedStream(this.#stream, { ...this.#settings, ...settings });
  }

  /** Windows of each key. The same as `keyBy(...).window(...)`. */
  keyBy<K>(fn: RecordFunction<T, K>, options?: KeyByOptions): WindowedStream<WithKey<Awaited<K>>, T>;
  keyBy<P extends PathOf<T>, K = PathValue<T, P>>(path: P, options?: KeyByOptions): WindowedStream<WithKey<K>, T>;
  keyBy(...args: [never, never?]): WindowedStream<WithKey<never>, T> {
    const keyed: KeyedStream<unknown, T> = this.#stream.keyBy(...args);
    return new WindowedStream(keyed, this.#settings);
  }

  /**
   * So long after its end a window still takes records, of event time: one that comes then makes it give its result again. 0 when
   * this is not called.
   */
  allowedLateness(lateness: Duration): WindowedStream<Key, T> {
    return this.#with({ allowedLatenessMs: checkDuration(lateness, 'allowedLateness', 0, captureSourceLocation(this.allowedLateness)) });
  }

  /** Gives records that come too late for all of their windows to `sideOutput(tag)` of the result; else they are only counted. */
  lateTo(tag: OutputTag<T> | string): WindowedStream<Key, T> {
    const declaredAt = captureSourceLocation(this.lateTo);
    return this.#with({ lateTag: checkText(typeof tag === 'object' && tag !== null ? tagName(tag) : tag, 'lateTo', declaredAt) });
  }

  /**
   * When windows give results: `atEnd()`, `early(everyPeriod('1s'))`, `everyCount(100)` ..., or a trigger of your own: an object, or a class
   * with the arguments of its constructor.
   */
  trigger<S = undefined, A extends readonly unknown[] = []>(trigger: Trigger | CustomTrigger<T, S> | ClassOf<CustomTrigger<T, S>, A>, ...args: NoInfer<A>): WindowedStream<Key, T> {
    return this.#with({ trigger: checkTrigger(trigger, args, captureSourceLocation(this.trigger)) });
  }

  /** What a later result of the same window is made of: all of its records, or those that no result has shown. */
  panes(accumulation: 'accumulating' | 'discarding'): WindowedStream<Key, T> {
    return this.#with({ accumulation: checkAccumulation(accumulation, captureSourceLocation(this.panes)) });
  }

  /**
   * Joins the records of a window two by two to one value. The order of `a` and `b` is that of their time where windows overlap or
   * merge, else that in which they came, so that the function should not care.
   */
  reduce(fn: (a: T, b: T) => T): DataStream<T> {
    const declaredAt = captureSourceLocation(this.reduce);
    return this.#add({ kind: 'reduce', fn: lambdaFunction(checkReducer(fn, declaredAt)) }, declaredAt);
  }

  /** Computes named results for each window: `{ key, window: { start, end }, ...results }`, without `key` on an unkeyed stream. */
  aggregate<S extends AggregateSpec<T>, R = Key & { readonly window: WindowBounds } & AggregateResults<S>>(spec: S): DataStream<R> {
    const declaredAt = captureSourceLocation(this.aggregate);
    const checked = checkAggregateSpec(spec, this.#stream.transformation.keyedBy !== undefined, declaredAt);
    checkWindowNames(checked, declaredAt);
    return this.#add({ kind: 'aggregate', spec: checked }, declaredAt);
  }

  /** The `n` records of each window with the largest value at `by`, largest first: `{ key, window, top }`. */
  topN(n: number, by: (record: T) => Rankable): DataStream<TopOfWindow<Key, T>>;
  topN<P extends PathOf<T>>(n: number, path: P): DataStream<TopOfWindow<Key, T>>;
  topN(n: number, by: string | ((record: T) => Rankable)): DataStream<TopOfWindow<Key, T>> {
    const declaredAt = captureSourceLocation(this.topN);
    return this.#add({ kind: 'aggregate', spec: { top: topN<T>(n, by as (record: T) => Rankable) as never } }, declaredAt);
  }

  /** One record for each window, made of all of its records. */
  map<R>(fn: RecordFunction<WindowContents<Key, T>, R>): DataStream<Mapped<R>>;
  map<R, A extends readonly unknown[]>(Class: ClassOf<Executes<WindowContents<Key, T>, R>, A>, ...args: NoInfer<A>): DataStream<Mapped<R>>;
  map(...args: [never]): DataStream<never> {
    const declaredAt = captureSourceLocation(this.map);
    return this.#add<never>({ kind: 'elements' }, declaredAt).map(...args) as DataStream<never>;
  }

  /** A class that emits with `collect`, given each window with all of its records. */
  process<Out, A extends readonly unknown[]>(Class: ClassOf<ProcessFunction<WindowContents<Key, T>, Out>, A>, ...args: NoInfer<A>): DataStream<Out>;
  process(...args: [never]): DataStream<never> {
    const declaredAt = captureSourceLocation(this.process);
    return this.#add<never>({ kind: 'elements' }, declaredAt).process(...args) as DataStream<never>;
  }

  #add<R>(result: WindowResult, declaredAt: SourceLocation): DataStream<R> {
    checkWindowSettings(this.#settings, declaredAt);
    const { environment, transformation } = this.#stream;
    return new DataStream(environment, environment.add(new WindowTransformation(transformation, this.#settings, result, declaredAt)));
  }
}

registerStreamKinds({ windowed: (stream, settings) => new WindowedStream(stream, settings) });
