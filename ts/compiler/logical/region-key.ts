import type { KeyByTransformation } from '../../transformations/key-by-transformation.ts';
import type { Transformation } from '../../transformations/transformation.ts';

/**
 * The keyBy in whose region an operator lies: it takes records with that key, whether or not it hands the key on. A
 * union lies in none, as its inputs may have different keys; an operator with a handler for each input
 * lies in that of the first one, where all of them have a key.
 */
export function regionKey(transformation: Transformation): KeyByTransformation | undefined {
  if (transformation.kind === 'comap' || transformation.kind === 'join') return transformation.dividedBy;
  return transformation.kind === 'keyBy' || transformation.kind === 'union' ? undefined : transformation.inputs[0]?.keyedBy;
}
