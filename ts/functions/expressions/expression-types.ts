import type { PathOf, PathTo, PathValue } from '../path-types.ts';
import type { Expression } from './expression.ts';

declare const FIELD: unique symbol;

/** Stands for the value of the field `P`, of a type that only the stream knows. */
export interface FieldOf<P extends string> {
  /** Only for the type. */
  readonly [FIELD]: P;
}

declare const VALUE: unique symbol;

/** Stands for the value of a field whose name has been checked already, but is not known here: it is one of several. */
export interface SomeField<X> extends FieldOf<never> {
  /** Only for the type. */
  readonly [VALUE]: X;
}

/** What can be compared: two values of one of these types. */
export type Comparable = number | string | boolean | Date;

/** Values of type `X`, as a constant or as an expression that gives one (or null). */
export type Operand<X> = X | Expression<never, X | FieldOf<string>, string>;

/** An expression of any kind. */
export type AnyExpression = Expression<never, unknown, string>;

/** What an expression for an `X` is called on. */
export type Subject<X> = Expression<never, X | FieldOf<string>, string>;

/** `5` is a number, `'web'` a string. */
export type Widened<V> = V extends number ? number : V extends string ? string : V extends boolean ? boolean : V;

/** What a value that is used as an `X` asks of the record. */
export type Need<V, X> = [V] extends [FieldOf<infer P>] ? { readonly [K in P]: X } : unknown;

/** What an operand that is used as an `X` asks of the record. */
export type NeedOf<E, X> = E extends Expression<infer N, infer V, infer _D> ? N & Need<V, X> : unknown;

/** The fields whose absence makes an operand null. */
export type NullsOf<E> = E extends Expression<infer _N, infer _V, infer D> ? D : never;

/** The type of an operand's value, null apart. */
export type ValueOf<E> = E extends Expression<infer _N, infer V, infer _D> ? V : Widened<E>;

/** What a value of type `V` may be compared with: a field with anything, as only the stream knows its type. */
export type Like<V> = [V] extends [FieldOf<string>] ? Comparable : Widened<V> & Comparable;

/** What all of several operands ask of the record that are used as an `X`. */
export type NeedsOf<E extends readonly unknown[], X> = E extends readonly [infer First, ...infer Rest] ? NeedOf<First, X> & NeedsOf<Rest, X> : unknown;

/** Whether the record type is not known. */
type IsOpen<T> = unknown extends T ? true : [T] extends [never] ? true : false;

/** What records of type `T` have: for each path the type of its value, where there is one. */
export type FieldsOf<T> = IsOpen<T> extends true ? never : { readonly [P in PathOf<T>]: NonNullable<PathValue<T, P>> };

/** An expression for records of type `T`: it reads only fields that they have, as what they are. */
export type ExpressionOf<T> = Expression<FieldsOf<T>, unknown, string>;

/** As `ExpressionOf`, for one that gives an `X`. */
export type ExpressionFor<T, X> = Expression<FieldsOf<T>, X | FieldOf<PathTo<T, X | null | undefined>>, string>;

/** Whether the value at a path may be null or missing. */
type IsNullable<T, P extends string> = IsOpen<T> extends true
  ? true
  : P extends keyof T
    ? (null extends T[P] ? true : undefined extends T[P] ? true : false)
    : P extends `${infer Head}.${infer Rest}`
      ? Head extends keyof T
        ? null extends T[Head]
          ? true
          : undefined extends T[Head]
            ? true
            : IsNullable<NonNullable<T[Head]>, Rest>
        : true
      : true;

/** Null, where one of the fields may be. */
type NullIn<T, D> = true extends (D extends string ? IsNullable<T, D> : false) ? null : never;

type ValueIn<T, V> = V extends SomeField<infer X> ? X : V extends FieldOf<infer P> ? (IsOpen<T> extends true ? unknown : NonNullable<PathValue<T, P>>) : V;

/** What an expression gives for records of type `T`. */
export type Resolved<T, E> = E extends Expression<infer _N, infer V, infer D> ? ValueIn<T, V> | NullIn<T, D> : never;

/** What columns by name give for records of type `T`. */
export type SelectedRecord<T, S> = { -readonly [Name in keyof S]: Resolved<T, S[Name]> };

/** The names of the fields of records; any text where these are not known. */
export type FieldName<T> = IsOpen<T> extends true ? string : keyof T & string;

/** Some fields of records, null in place of nothing. */
export type SelectedFields<T, Name extends string> = SelectedRecord<T, { [K in Name]: Expression<unknown, FieldOf<K>, K> }>;

/** Records with one more field, or with another value in one. */
export type WithColumn<T, Name extends string, E> = IsOpen<T> extends true
  ? { [K in Name]: Resolved<T, E> } & Record<string, unknown>
  : { [K in keyof T | Name]: K extends Name ? Resolved<T, E> : K extends keyof T ? T[K] : never };
