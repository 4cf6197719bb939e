import type { SourceLocation } from '../common/source-location.ts';
import type { UserFunction } from '../functions/user-function.ts';
import { BaseTransformation } from './base-transformation.ts';
import { commonKey } from './common-key.ts';
import type { KeyByTransformation } from './key-by-transformation.ts';

/** A `BaseJoinFunction` over keyed inputs, of which each instance has all records of its keys. Its output carries no key. */
export class JoinTransformation extends BaseTransformation {
  readonly kind = 'join';
  readonly fn: UserFunction;

  constructor(inputs: readonly BaseTransformation[], fn: UserFunction, declaredAt: SourceLocation) {
    super('join', inputs, declaredAt);
    this.fn = fn;
  }

  /** The key by which its inputs are divided among instances. */
  get dividedBy(): KeyByTransformation | undefined {
    return commonKey(this.inputs);
  }

  override get canFail(): boolean {
    return true;
  }
}
