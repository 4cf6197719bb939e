import type { BuiltinAggregator, BuiltinAggregatorName } from '../../functions/aggregator.ts';
import { evaluatorOf } from '../../functions/expressions/evaluate-expression.ts';
import { Expression } from '../../functions/expressions/expression.ts';
import { readOptionalField } from '../../functions/field-path.ts';

/** Accumulator of one unkeyed built-in aggregate. */
export interface BuiltinState {
  count: number;
  value: unknown;
}

/** One input into one built-in aggregate: what `compiler/codegen/builtin-aggregate.ts` generates, as a function. */
export function addBuiltin(name: BuiltinAggregatorName, state: BuiltinState, input: unknown): void {
  if (name === 'count') {
    state.count++;
    return;
  }
  if (input === undefined || input === null) return;
  const number = input as number;
  switch (name) {
    case 'sum':
    case 'avg':
      state.value = (state.value as number) + number;
      break;
    case 'min':
      if (state.count === 0 || number < (state.value as number) || number !== number) state.value = number;
      break;
    case 'max':
      if (state.count === 0 || number > (state.value as number) || number !== number) state.value = number;
      break;
    case 'first':
      if (state.count === 0) state.value = input;
      break;
    case 'last':
      state.value = input;
      break;
  }
  state.count++;
}

/** Adds what another accumulator has. Which of two values came first it cannot know. */
export function mergeBuiltin(name: BuiltinAggregatorName, into: BuiltinState, from: BuiltinState): void {
  if (from.count === 0) return;
  const { count } = into;
  switch (name) {
    case 'sum':
    case 'avg':
      into.value = (into.value as number) + (from.value as number);
      break;
    case 'min':
    case 'max':
      addBuiltin(name, into, from.value);
      break;
    case 'first':
      if (count === 0) into.value = from.value;
      break;
    case 'last':
      into.value = from.value;
      break;
    case 'count':
      break;
  }
  into.count = count + from.count;
}

/** Result of one built-in aggregate. */
export function builtinResult(name: BuiltinAggregatorName, state: BuiltinState): unknown {
  if (name === 'count') return state.count;
  if (name === 'sum') return state.value;
  if (state.count === 0) return null;
  return name === 'avg' ? (state.value as number) / state.count : state.value;
}

/** The input of an aggregator in a record; undefined where it has none. */
export function readAggregateInput(aggregator: BuiltinAggregator<never, unknown>, record: unknown): unknown {
  const { input } = aggregator;
  if (typeof input === 'function') return (input as (record: unknown) => unknown)(record);
  if (input === undefined) return undefined;
  return Expression.is(input) ? evaluatorOf(input)(record) : readOptionalField(input, record);
}
