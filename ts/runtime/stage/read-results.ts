import type { SegmentInput } from '../../compiler/codegen/segment-input.ts';
import type { KeyedResults } from './keyed-operator.ts';
import { linkRows } from './segment-functions.ts';
import type { StageBindings } from './stage-bindings.ts';

type ResultOp = StageBindings['stage']['nodes'][number]['op'];

/** The input form of a batch of results. */
export function resultInput(
  op: ResultOp,
  results: Extract<KeyedResults, { kind: 'results' | 'running' }>,
): Extract<SegmentInput, { kind: 'results' | 'running' }> {
  if (op.kind !== 'aggregate') throw new TypeError(`operator '${op.kind}' has no native results`);
  return { kind: results.kind, plan: results.reader.known.plan, names: Object.keys(op.spec), keyed: true };
}

/** The records of a batch of results, for the linked form. */
export function readResults(op: ResultOp, results: KeyedResults): Iterable<unknown> {
  if (results.kind === 'records' || results.kind === 'late') return results.records;
  if (results.kind === 'windows') throw new TypeError('windows read their results themselves');
  const { reader } = results;
  const rows = linkRows(resultInput(op, results), reader, results.kind === 'running' ? results.keys : undefined);
  return Array.from({ length: reader.rows }, (_, row) => rows.record(row));
}
