import type { SourceLocation } from '../common/source-location.ts';
import type { FieldPath } from '../functions/field-path.ts';
import { BaseTransformation } from './base-transformation.ts';
import type { KeyByTransformation } from './key-by-transformation.ts';

/** When a batch closes; all settings filled in. */
export interface BatchSettings {
  /** Records, or their weights added up; no limit when undefined. */
  readonly max: number | undefined;
  /** Since the batch's first record. */
  readonly waitMs: number | undefined;
  /** Estimated size of the records. */
  readonly bytes: number | undefined;
  /** What a record counts for `max`; 1 when undefined. */
  readonly weight: ((record: never) => number) | undefined;
  /** Records of one batch agree in it; on a keyed stream that is the key when undefined. */
  readonly by: ((record: never) => unknown) | FieldPath | undefined;
  /** Open batches of one instance, with `by` or a key; the one that was opened first closes when there are more. */
  readonly maxOpen: number;
}

/** Arrays of records. */
export class BatchTransformation extends BaseTransformation {
  readonly kind = 'batch';
  readonly settings: BatchSettings;

  constructor(input: BaseTransformation, settings: BatchSettings, declaredAt: SourceLocation) {
    super('batch', [input], declaredAt);
    this.settings = settings;
  }

  /** Whether a batch holds records of one key: then it carries that key on. */
  get keyed(): boolean {
    return this.settings.by === undefined && this.inputs[0]?.keyedBy !== undefined;
  }

  override get keyedBy(): KeyByTransformation | undefined {
    return this.keyed ? this.inputs[0]?.keyedBy : undefined;
  }

  override get canFail(): boolean {
    return true;
  }
}
