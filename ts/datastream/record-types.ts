import type { End } from '../functions/source-function.ts';

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

/** A function of the user for one record. */
export type RecordFunction<T, R> = (record: T) => R;

/** An object with `execute`, such as one of the function classes. `execute` is written as a property, so that the record's type is checked strictly. */
export interface Executes<T, R> {
  readonly execute: (record: T) => R;
}

/** An object with `execute` and `collect`; what it emits is what it can collect. */
export interface Collects<T, Out> extends Executes<T, unknown> {
  readonly collect: (record: Out) => void;
}

/** A class whose objects are `F`. */
export type ClassOf<F, A extends readonly unknown[]> = new (...args: A) => F;

/** Shows a computed record type as one object. */
export type Simplify<X> = { [K in keyof X]: X[K] } & {};
