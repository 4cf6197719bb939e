import { regionKey } from '../../compiler/logical/region-key.ts';
import type { StageNode } from '../../compiler/physical-plan.ts';

/** Whether the key of the records that come to a node says which instance they come to: then what is kept of them moves with the key. */
export function isDividedByKey({ operator }: StageNode): boolean {
  return regionKey(operator.transformation)?.strategy === 'hash';
}
