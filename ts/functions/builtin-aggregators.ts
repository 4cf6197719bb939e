import { aggregatorInput } from './aggregator-input.ts';
import type { BuiltinAggregator, BuiltinAggregatorName } from './aggregator.ts';
import type { AnyExpression, ExpressionFor, ExpressionOf, Resolved } from './expressions/expression-types.ts';
import type { PathOf, PathTo, PathValue } from './path-types.ts';

/** What may be summed: `null` and `undefined` are skipped. */
type Numeric = number | null | undefined;

/** A field path to numbers, an expression, or a function that gives one. */
type NumericInput<T> = PathTo<T, Numeric> | ExpressionFor<T, number> | ((record: T) => Numeric);

/** How many records. */
export function count(): BuiltinAggregator<unknown, number> {
  return { kind: 'builtin', name: 'count', input: undefined };
}

/** Sum of the numbers; 0 of none. `null`, `undefined` and missing are skipped, NaN makes the sum NaN. */
export function sum<T>(input: NumericInput<T>): BuiltinAggregator<T, number> {
  return builtin('sum', aggregatorInput('sum', input, sum));
}

/** Mean of the numbers; `null` of none. Skips what `sum` skips. */
export function avg<T>(input: NumericInput<T>): BuiltinAggregator<T, number | null> {
  return builtin('avg', aggregatorInput('avg', input, avg));
}

/** Least number; `null` of none; NaN wins. */
export function min<T>(input: NumericInput<T>): BuiltinAggregator<T, number | null> {
  return builtin('min', aggregatorInput('min', input, min));
}

/** Largest number; `null` of none; NaN wins. */
export function max<T>(input: NumericInput<T>): BuiltinAggregator<T, number | null> {
  return builtin('max', aggregatorInput('max', input, max));
}

/** The first value that is not `null`, `undefined` or missing, in order of arrival; `null` of none. */
export function first<T, V>(input: (record: T) => V): BuiltinAggregator<T, NonNullable<V> | null>;
export function first<T, P extends PathOf<T>>(path: P): BuiltinAggregator<T, NonNullable<PathValue<T, P>> | null>;
export function first<T, E extends ExpressionOf<T>>(expression: E): BuiltinAggregator<T, NonNullable<Resolved<T, E>> | null>;
export function first(input: string | AnyExpression | ((record: never) => unknown)): BuiltinAggregator<never, unknown> {
  return builtin('first', aggregatorInput('first', input, first));
}

/** The last value that is not `null`, `undefined` or missing, in order of arrival; `null` of none. */
export function last<T, V>(input: (record: T) => V): BuiltinAggregator<T, NonNullable<V> | null>;
export function last<T, P extends PathOf<T>>(path: P): BuiltinAggregator<T, NonNullable<PathValue<T, P>> | null>;
export function last<T, E extends ExpressionOf<T>>(expression: E): BuiltinAggregator<T, NonNullable<Resolved<T, E>> | null>;
export function last(input: string | AnyExpression | ((record: never) => unknown)): BuiltinAggregator<never, unknown> {
  return builtin('last', aggregatorInput('last', input, last));
}

function builtin<T, R>(name: BuiltinAggregatorName, input: BuiltinAggregator<T, R>['input']): BuiltinAggregator<T, R> {
  return { kind: 'builtin', name, input };
}
