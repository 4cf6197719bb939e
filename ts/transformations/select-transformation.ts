import type { SourceLocation } from '../common/source-location.ts';
import type { NamedExpressions } from '../functions/expressions/linked-record.ts';
import { BaseTransformation } from './base-transformation.ts';
import type { KeyByTransformation } from './key-by-transformation.ts';

/** Makes records whose fields are expressions: of these alone, or beside the fields that are there. */
export class SelectTransformation extends BaseTransformation {
  readonly kind = 'select';
  readonly columns: NamedExpressions;
  /** Whether the other fields of the record stay. */
  readonly keepsOthers: boolean;

  constructor(input: BaseTransformation, columns: NamedExpressions, keepsOthers: boolean, declaredAt: SourceLocation) {
    super(keepsOthers ? 'withColumn' : 'select', [input], declaredAt);
    this.columns = columns;
    this.keepsOthers = keepsOthers;
  }

  override get keyedBy(): KeyByTransformation | undefined {
    return this.inputs[0]?.keyedBy;
  }

  override get canFail(): boolean {
    return true;
  }
}
