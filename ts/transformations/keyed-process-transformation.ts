import type { SourceLocation } from '../common/source-location.ts';
import type { UserFunction } from '../functions/user-function.ts';
import { BaseTransformation } from './base-transformation.ts';
import type { KeyByTransformation } from './key-by-transformation.ts';

/** `KeyedProcessFunction`, `KeyedCoProcessFunction`, `KeyedBroadcastProcessFunction`. */
export type KeyedProcessForm = 'one' | 'several' | 'broadcast';

/** A function with state and timers for each key of its inputs, or of the first one where the second is broadcast; emits whatever it collects. */
export class KeyedProcessTransformation extends BaseTransformation {
  readonly kind = 'keyedProcess';
  readonly fn: UserFunction;
  readonly form: KeyedProcessForm;

  constructor(inputs: readonly BaseTransformation[], fn: UserFunction, form: KeyedProcessForm, declaredAt: SourceLocation) {
    super('process', inputs, declaredAt);
    this.fn = fn;
    this.form = form;
  }

  /** What comes of a broadcast record has no key. */
  override get keyedBy(): KeyByTransformation | undefined {
    return this.form === 'broadcast' ? undefined : this.inputs[0]?.keyedBy;
  }

  override get canFail(): boolean {
    return true;
  }
}
