import type { StageNode } from '../../compiler/physical-plan.ts';
import type { BatchReader } from '../codec/batch-reader.ts';
import type { KeyedResults } from './keyed-operator.ts';
import { linkRows } from './segment-functions.ts';

/** A record on its way below a windowed operator, and the node that gives it. */
interface GivenRecord {
  readonly node: number;
  readonly record: unknown;
  readonly key: unknown;
  readonly time: number | undefined;
}

/** The input form of a batch of results of windows. */
export function windowInput(op: StageNode['op'], reader: BatchReader): { readonly kind: 'windows'; readonly plan: BatchReader['known']['plan']; readonly names: readonly string[]; readonly keyed: boolean } {
  if (op.kind !== 'window' || op.result.kind !== 'aggregate') throw new TypeError(`operator '${op.kind}' has no results in columns`);
  return { kind: 'windows', plan: reader.known.plan, names: Object.keys(op.result.spec), keyed: op.keyed };
}

/** What windows give below: results, or late records to those who take them; one after the other. */
export function* readWindowResults({ id, op, sides }: StageNode, results: KeyedResults): Generator<GivenRecord> {
  if (results.kind === 'late') {
    for (const { node, channel } of sides) {
      if (channel !== 'output') continue;
      for (const [n, record] of results.records.entries()) yield { node, record, key: undefined, time: results.times?.[n] };
    }
  } else if (results.kind === 'records') {
    for (const [n, record] of results.records.entries()) yield { node: id, record, key: undefined, time: results.times?.[n] };
  } else {
    const { reader } = results;
    const rows = linkRows(windowInput(op, reader), reader, undefined);
    for (let row = 0; row < reader.rows; row++) yield { node: id, record: rows.record(row), key: undefined, time: rows.time?.(row) };
  }
}
