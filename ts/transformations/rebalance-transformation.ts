import type { SourceLocation } from '../common/source-location.ts';
import { BaseTransformation } from './base-transformation.ts';

/** Gives the records to the instances behind it in turn; the key is left behind. */
export class RebalanceTransformation extends BaseTransformation {
  readonly kind = 'rebalance';

  constructor(input: BaseTransformation, declaredAt: SourceLocation) {
    super('rebalance', [input], declaredAt);
  }
}
