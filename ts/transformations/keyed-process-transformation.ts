import type { SourceLocation } from '../common/source-location.ts';
import type { UserFunction } from '../functions/user-function.ts';
import { BaseTransformation } from './base-transformation.ts';
import type { KeyByTransformation } from './key-by-transformation.ts';

/** A `KeyedProcessFunction`: has state and timers for each key, and emits whatever it collects. */
export class KeyedProcessTransformation extends BaseTransformation {
  readonly kind = 'keyedProcess';
  readonly fn: UserFunction;

  constructor(input: BaseTransformation, fn: UserFunction, declaredAt: SourceLocation) {
    super('process', [input], declaredAt);
    this.fn = fn;
  }

  override get keyedBy(): KeyByTransformation | undefined {
    return this.inputs[0]?.keyedBy;
  }

  override get canFail(): boolean {
    return true;
  }
}
