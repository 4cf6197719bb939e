import type { SourceLocation } from '../common/source-location.ts';
import type { FieldPath } from '../functions/field-path.ts';
import { BaseTransformation } from './base-transformation.ts';
import type { KeyByTransformation } from './key-by-transformation.ts';

/** Lets the first record of each value pass. */
export class DedupTransformation extends BaseTransformation {
  readonly kind = 'dedup';
  /** What makes two records equal; on a keyed stream the key, else the whole record, when undefined. */
  readonly by: ((record: never) => unknown) | FieldPath | undefined;
  /** After so long an equal record passes again; never when undefined. */
  readonly ttlMs: number | undefined;

  constructor(
    input: BaseTransformation,
    by: ((record: never) => unknown) | FieldPath | undefined,
    ttlMs: number | undefined,
    declaredAt: SourceLocation,
  ) {
    super('dedup', [input], declaredAt);
    this.by = by;
    this.ttlMs = ttlMs;
  }

  /** Whether equality is within a key. */
  get keyed(): boolean {
    return this.inputs[0]?.keyedBy !== undefined;
  }

  override get keyedBy(): KeyByTransformation | undefined {
    return this.inputs[0]?.keyedBy;
  }

  override get canFail(): boolean {
    return true;
  }
}
