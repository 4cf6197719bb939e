import type { SourceLocation } from '../common/source-location.ts';
import type { AnyExpression } from '../functions/expressions/expression-types.ts';
import type { FieldPath } from '../functions/field-path.ts';
import type { UserFunction } from '../functions/user-function.ts';
import { BaseTransformation } from './base-transformation.ts';

/** Which instance a keyed record goes to: that of its key's hash, all, or one after the other. */
export type KeyStrategy = 'hash' | 'broadcast' | 'roundRobin';

/** Gives each record a key and sends it to the instances of the region behind; its parallelism is that region's. */
export class KeyByTransformation extends BaseTransformation {
  readonly kind = 'keyBy';
  readonly selector: UserFunction | FieldPath | AnyExpression;
  readonly strategy: KeyStrategy;

  constructor(
    input: BaseTransformation,
    selector: UserFunction | FieldPath | AnyExpression,
    strategy: KeyStrategy,
    declaredAt: SourceLocation,
  ) {
    super('keyBy', [input], declaredAt);
    this.selector = selector;
    this.strategy = strategy;
  }

  override get keyedBy(): KeyByTransformation {
    return this;
  }

  override get canFail(): boolean {
    return true;
  }
}
