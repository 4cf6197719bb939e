import type { AnyExpression } from './expressions/expression-types.ts';
import type { FieldPath } from './field-path.ts';

/** Aggregators that the core computes. */
export type BuiltinAggregatorName = 'count' | 'sum' | 'avg' | 'min' | 'max' | 'first' | 'last';

/** An aggregator that the core computes on columns; made by `count()`, `sum()` and so on. */
export interface BuiltinAggregator<in T, out R> {
  /** Tells it from an aggregator in JavaScript. */
  readonly kind: 'builtin';
  /** Which it is. */
  readonly name: BuiltinAggregatorName;
  /** What is aggregated; `undefined` for `count()`. */
  readonly input: FieldPath | AnyExpression | ((record: T) => unknown) | undefined;
  /** Only for the type; never set. */
  readonly result?: R;
}

/**
 * An aggregator in JavaScript. `init` makes an accumulator, `add` gives the accumulator with one more record (it may
 * change and return the one it got), `merge` joins two, `result` reads the result without changing the accumulator.
 *
 * `add` may be async, but not in windows: the next record waits. `init` and `result` may not. Records are added one by one; `merge` is
 * needed where windows overlap or merge, which otherwise keep all of their records.
 *
 * With an error policy a record that fails leaves nothing behind in any of the aggregators: an `add` that changes the accumulator
 * in place must not fail once it has, and one that has `check` is called last, when nothing can fail any more.
 */
export interface UserAggregator<T, A, R> {
  /** Makes the accumulator of a key. */
  init(): A;
  /** Throws for a record that `add`, which is synchronous then, could not take. Called where an error policy is set. */
  check?(record: T): void;
  /** The accumulator with one more record: the one that it was given, changed, or another. */
  add(accumulator: A, record: T): A | PromiseLike<A>;
  /** Two accumulators in one: `left`, changed, or another. `right` stays as it is, and no part of it may be kept. Only windows that overlap or merge need it. */
  merge?(left: A, right: A): A;
  /** Reads the result, and leaves the accumulator as it is. */
  result(accumulator: A): R;
}

/** What `aggregate({ name: aggregator })` takes. */
export type Aggregator<T, R> = BuiltinAggregator<T, R> | UserAggregator<T, unknown, R>;

/** What an aggregator gives. */
export type AggregatorResult<X> =
  X extends BuiltinAggregator<never, infer R> ? R : X extends { result(accumulator: never): infer R } ? R : never;

/** Results by name, as given to `aggregate`. */
export type AggregateSpec<T> = Readonly<Record<string, Aggregator<T, unknown>>>;

/** The record of results of a spec. */
export type AggregateResults<S> = { [Name in keyof S]: AggregatorResult<S[Name]> };

/**
 * Types an aggregator of your own where it is written: the accumulator's type comes from `init`, the record's from the
 * stream.
 *
 * ```ts
 * env
 *   .fromCollection([{ name: 'Ann' }, { name: 'Isabella' }])
 *   .aggregate({
 *     longest: aggregator({
 *       init: () => '',
 *       add: (longest, person: { name: string }) => (person.name.length > longest.length ? person.name : longest),
 *       result: (longest) => longest,
 *     }),
 *   })
 *   .print();
 * ```
 */
export function aggregator<T, A, R>(definition: UserAggregator<T, A, R>): UserAggregator<T, A, R> {
  return definition;
}

/** Whether the core computes this aggregator. */
export function isBuiltinAggregator(value: unknown): value is BuiltinAggregator<never, unknown> {
  return typeof value === 'object' && value !== null && (value as { kind?: unknown }).kind === 'builtin';
}

/** Whether `value` is an aggregator object of a user. */
export function isUserAggregator(value: unknown): value is UserAggregator<unknown, unknown, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const { init, add, merge, result } = value as Partial<Record<'init' | 'add' | 'merge' | 'result', unknown>>;
  return (
    typeof init === 'function' &&
    typeof add === 'function' &&
    typeof result === 'function' &&
    (merge === undefined || typeof merge === 'function')
  );
}
