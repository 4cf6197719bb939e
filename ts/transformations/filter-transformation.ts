import type { SourceLocation } from '../common/source-location.ts';
import type { UserFunction } from '../functions/user-function.ts';
import { BaseTransformation } from './base-transformation.ts';
import type { KeyByTransformation } from './key-by-transformation.ts';

/** Lets records pass for which the function is truthy. */
export class FilterTransformation extends BaseTransformation {
  readonly kind = 'filter';
  readonly fn: UserFunction;

  constructor(input: BaseTransformation, fn: UserFunction, declaredAt: SourceLocation) {
    super('filter', [input], declaredAt);
    this.fn = fn;
  }

  override get keyedBy(): KeyByTransformation | undefined {
    return this.inputs[0]?.keyedBy;
  }

  override get canFail(): boolean {
    return true;
  }
}
