import type { SourceLocation } from '../common/source-location.ts';
import { BaseTransformation } from './base-transformation.ts';
import type { KeyByTransformation } from './key-by-transformation.ts';

/** Lets the first records pass: on a keyed stream of each key, else of all. */
export class LimitTransformation extends BaseTransformation {
  readonly kind = 'limit';
  readonly max: number;

  constructor(input: BaseTransformation, max: number, declaredAt: SourceLocation) {
    super('limit', [input], declaredAt);
    this.max = max;
  }

  /** Whether each key has a limit of its own. */
  get keyed(): boolean {
    return this.inputs[0]?.keyedBy !== undefined;
  }

  override get keyedBy(): KeyByTransformation | undefined {
    return this.inputs[0]?.keyedBy;
  }
}
