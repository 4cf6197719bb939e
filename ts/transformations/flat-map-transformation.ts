import type { SourceLocation } from '../common/source-location.ts';
import type { UserFunction } from '../functions/user-function.ts';
import { BaseTransformation } from './base-transformation.ts';
import type { KeyByTransformation } from './key-by-transformation.ts';

/** Zero, one or many records for each record. */
export class FlatMapTransformation extends BaseTransformation {
  readonly kind = 'flatMap';
  readonly fn: UserFunction;

  constructor(input: BaseTransformation, fn: UserFunction, declaredAt: SourceLocation) {
    super('flatMap', [input], declaredAt);
    this.fn = fn;
  }

  override get keyedBy(): KeyByTransformation | undefined {
    return this.inputs[0]?.keyedBy;
  }

  override get canFail(): boolean {
    return true;
  }
}
