import type { SourceLocation } from '../common/source-location.ts';
import { BaseTransformation } from './base-transformation.ts';

/** All records of all inputs. Its output carries no key. The same stream may be among the inputs twice. */
export class UnionTransformation extends BaseTransformation {
  readonly kind = 'union';

  constructor(inputs: readonly BaseTransformation[], declaredAt: SourceLocation) {
    super('union', inputs, declaredAt);
  }
}
