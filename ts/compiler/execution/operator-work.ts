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
  return FUNCTIONS.has(kind) ? 'function' : kind;
}
