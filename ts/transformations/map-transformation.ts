import type { SourceLocation } from '../common/source-location.ts';
import type { UserFunction } from '../functions/user-function.ts';
import { BaseTransformation } from './base-transformation.ts';
import type { KeyByTransformation } from './key-by-transformation.ts';

/** One record for each record; an undefined result drops it. */
export class MapTransformation extends BaseTransformation {
  readonly kind = 'map';
  readonly fn: UserFunction;

  constructor(input: BaseTransformation, fn: UserFunction, declaredAt: SourceLocation) {
    super('map', [input], declaredAt);
    this.fn = fn;
  }

  override get keyedBy(): KeyByTransformation | undefined {
    return this.inputs[0]?.keyedBy;
  }

  override get canFail(): boolean {
    return true;
  }
}
