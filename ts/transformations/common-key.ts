import type { BaseTransformation } from './base-transformation.ts';
import type { KeyByTransformation } from './key-by-transformation.ts';

/** The keyBy that stands for all inputs of an operator: that of the first; nothing unless all inputs have a key. */
export function commonKey(inputs: readonly BaseTransformation[]): KeyByTransformation | undefined {
  return inputs.every(({ keyedBy }) => keyedBy !== undefined) ? inputs[0]?.keyedBy : undefined;
}
