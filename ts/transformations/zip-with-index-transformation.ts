import type { SourceLocation } from '../common/source-location.ts';
import { BaseTransformation } from './base-transformation.ts';
import type { KeyByTransformation } from './key-by-transformation.ts';

/** `[record, index]` for each record; the index counts from 0 in each instance. */
export class ZipWithIndexTransformation extends BaseTransformation {
  readonly kind = 'zipWithIndex';

  constructor(input: BaseTransformation, declaredAt: SourceLocation) {
    super('zipWithIndex', [input], declaredAt);
  }

  override get keyedBy(): KeyByTransformation | undefined {
    return this.inputs[0]?.keyedBy;
  }
}
