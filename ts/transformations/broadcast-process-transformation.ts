import type { SourceLocation } from '../common/source-location.ts';
import type { UserFunction } from '../functions/user-function.ts';
import { BaseTransformation } from './base-transformation.ts';

/** The input of a process function with a broadcast side that every instance has all records of. */
export const BROADCAST_INPUT = 1;

/** A `BroadcastProcessFunction`: the records of its first input, and all records of its second in each instance. Its output carries no key. */
export class BroadcastProcessTransformation extends BaseTransformation {
  readonly kind = 'broadcastProcess';
  readonly fn: UserFunction;

  constructor(input: BaseTransformation, broadcast: BaseTransformation, fn: UserFunction, declaredAt: SourceLocation) {
    super('process', [input, broadcast], declaredAt);
    this.fn = fn;
  }

  override get canFail(): boolean {
    return true;
  }
}
