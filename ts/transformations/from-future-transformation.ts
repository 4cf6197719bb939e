import type { SourceLocation } from '../common/source-location.ts';
import { BaseTransformation } from './base-transformation.ts';
import type { FillFutureTransformation } from './fill-future-transformation.ts';

/** What a loop may hold, all of its instances together. */
export interface LoopLimits {
  /** In memory; new records wait, and those that go around go on on disk, when there is more. */
  readonly memoryBytes: number;
  /** On disk besides; the job fails when there would be more. */
  readonly spillBytes: number;
}

/** Where records of a loop come back: the head of a feedback edge. */
export class FromFutureTransformation extends BaseTransformation {
  readonly kind = 'fromFuture';
  readonly limits: LoopLimits;
  /** Which operator sends records back; set once. */
  filledBy: FillFutureTransformation | undefined = undefined;

  constructor(name: string, limits: LoopLimits, declaredAt: SourceLocation) {
    super(name, [], declaredAt);
    this.limits = limits;
  }
}
