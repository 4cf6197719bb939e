import type { BuiltinAggregator } from '../../functions/aggregator.ts';

/** Built-in aggregators by the name of their result. */
export type BuiltinSpec = Readonly<Record<string, BuiltinAggregator<never, unknown>>>;

/** Built-in aggregators, each with the column of its input. */
export function aggregateSpecs(spec: BuiltinSpec): readonly Readonly<Record<string, unknown>>[] {
  let column = 0;
  return Object.values(spec).map(({ name, input }) => (input === undefined ? { kind: name } : { kind: name, input: column++ }));
}
