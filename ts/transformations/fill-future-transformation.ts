import type { SourceLocation } from '../common/source-location.ts';
import { BaseTransformation } from './base-transformation.ts';
import type { FromFutureTransformation } from './from-future-transformation.ts';

/** Where records of a loop leave for its head: the tail of a feedback edge. They lose their key there. */
export class FillFutureTransformation extends BaseTransformation {
  readonly kind = 'fillFuture';
  readonly future: FromFutureTransformation;

  constructor(input: BaseTransformation, future: FromFutureTransformation, declaredAt: SourceLocation) {
    super('fillFuture', [input], declaredAt);
    this.future = future;
  }
}
