import type { SourceLocation } from '../common/source-location.ts';
import type { AnyExpression } from '../functions/expressions/expression-types.ts';
import type { UserFunction } from '../functions/user-function.ts';
import { BaseTransformation } from './base-transformation.ts';
import type { KeyByTransformation } from './key-by-transformation.ts';

/** Lets records pass for which the function is truthy, or the expression true. */
export class FilterTransformation extends BaseTransformation {
  readonly kind = 'filter';
  readonly fn: UserFunction | AnyExpression;

  constructor(input: BaseTransformation, fn: UserFunction | AnyExpression, declaredAt: SourceLocation) {
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
