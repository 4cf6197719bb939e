import { givenTimestamp } from '../../functions/timestamped.ts';
import type { Stage } from '../physical-plan.ts';

/** Whether a node is a source of records alone: nothing behind it takes them out of `timestamped(record, t)`. */
export function isUntimedSource({ nodes }: Stage, id: number): boolean {
  const { op, children } = nodes[id]!;
  if (op.kind !== 'source') return false;
  return !children.some((child) => {
    const below = nodes[child]!.op;
    return below.kind === 'assignTimestamps' && below.selector === givenTimestamp;
  });
}
