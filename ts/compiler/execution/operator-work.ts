import { isBuiltinAggregator } from '../../functions/aggregator.ts';
import { isFieldPath } from '../../functions/field-path.ts';
import type { AnyAggregator } from '../../transformations/aggregate-transformation.ts';
import type { WindowTransformation } from '../../transformations/window-transformation.ts';
import type { LogicalOperator, OperatorKind } from '../logical-plan.ts';

/** Kinds whose functions keep nothing but states by name, so that one can go on with those of another. */
const FUNCTIONS: ReadonlySet<OperatorKind> = new Set(['map', 'flatMap', 'filter', 'process', 'comap', 'route']);

/**
 * What an operator does, as far as its state goes: checkpoints say so, and one under the same id that does something else is not given a state that
 * it would leave lying or misread.
 */
export function operatorWork({ kind, source, transformation }: Pick<LogicalOperator, 'kind' | 'source' | 'transformation'>): string {
  if (source !== undefined) return source.form === 'collection' ? 'source of an array' : source.form === 'native' ? 'source of files' : 'source';
  if (transformation.kind === 'sink' && transformation.sink.form === 'native') return 'sink of files';
  if (transformation.kind === 'aggregate') return `aggregate of ${aggregatorNames(transformation.spec)}`;
  if (transformation.kind === 'window') return windowsWork(transformation);
  return FUNCTIONS.has(kind) ? 'function' : kind;
}

/** Accumulators lie one behind the other, in this order. */
function aggregatorNames(spec: Readonly<Record<string, AnyAggregator>>): string {
  const name = (aggregator: AnyAggregator): string => {
    if (!isBuiltinAggregator(aggregator)) return 'one of the user';
    return isFieldPath(aggregator.input) ? `${aggregator.name}('${aggregator.input.path}')` : aggregator.name;
  };
  return Object.values(spec).map(name).join(', ');
}

/** Windows of another size are other windows. */
function windowsWork({ settings: { assigner }, result }: WindowTransformation): string {
  const { kind, ...sizes } = assigner;
  const given = Object.entries(sizes).filter(([, value]) => value !== undefined && value !== 0);
  const of = given.length === 0 ? kind : `${kind}, ${given.map(([name, value]) => `${name}: ${value}`).join(', ')}`;
  return `windows (${of}) of ${result.kind === 'aggregate' ? aggregatorNames(result.spec) : result.kind}`;
}
