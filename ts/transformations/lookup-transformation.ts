import type { SourceLocation } from '../common/source-location.ts';
import type { FieldPath } from '../functions/field-path.ts';
import type { UserFunction } from '../functions/user-function.ts';
import type { BaseTransformation } from './base-transformation.ts';
import { type AsyncSettings, MapAsyncTransformation } from './map-async-transformation.ts';

/** What is looked up of a record, and what becomes of the two. */
export interface LookupSettings {
  /** The key of the record; that of the stream when undefined. */
  readonly key: FieldPath | ((record: never) => unknown) | undefined;
  /** Whether records go on that no row was found for. */
  readonly type: 'inner' | 'left';
  /** Rows that are kept, in each instance, and for how long; none when undefined. */
  readonly cache: { readonly max: number; readonly ttlMs: number | undefined } | undefined;
  /** Keys that are looked up together, and how long the first of them waits for the others. */
  readonly batch: { readonly max: number; readonly waitMs: number } | undefined;
  /** The result for a record and its row. */
  readonly combine: (record: never, row: never) => unknown;
}

/** A `mapAsync` that finds a row for each record. Its function takes a key, or with `batch` an array of them, in place of the record. */
export class LookupTransformation extends MapAsyncTransformation {
  readonly lookup: LookupSettings;

  constructor(input: BaseTransformation, fn: UserFunction, settings: AsyncSettings, lookup: LookupSettings, declaredAt: SourceLocation) {
    super(input, fn, settings, declaredAt);
    this.lookup = lookup;
  }
}
