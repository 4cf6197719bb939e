import type { SourceLocation } from '../common/source-location.ts';
import type { UserFunction } from '../functions/user-function.ts';
import { BaseTransformation } from './base-transformation.ts';
import type { Emit } from './emit.ts';

/** Joins records two by two: for each key on a keyed stream, else all of them. Its output carries no key. */
export class ReduceTransformation extends BaseTransformation {
  readonly kind = 'reduce';
  /** Called with the reduced value and the next record. */
  readonly fn: UserFunction;
  readonly emit: Emit;

  constructor(input: BaseTransformation, fn: UserFunction, emit: Emit, declaredAt: SourceLocation) {
    super('reduce', [input], declaredAt);
    this.fn = fn;
    this.emit = emit;
  }

  /** Whether there is a result for each key. */
  get keyed(): boolean {
    return this.inputs[0]?.keyedBy !== undefined;
  }

  override get canFail(): boolean {
    return true;
  }
}
