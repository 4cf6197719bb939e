import type { SourceLocation } from '../common/source-location.ts';
import type { BuiltinAggregator, UserAggregator } from '../functions/aggregator.ts';
import { BaseTransformation } from './base-transformation.ts';
import type { Emit } from './emit.ts';

/** An aggregator whose record type is no longer known. */
export type AnyAggregator = BuiltinAggregator<never, unknown> | UserAggregator<unknown, unknown, unknown>;

/** Computes named results: for each key on a keyed stream, else over all records. Its output carries no key. */
export class AggregateTransformation extends BaseTransformation {
  readonly kind = 'aggregate';
  /** In the order in which the user wrote it; that is the order of the result's fields. */
  readonly spec: Readonly<Record<string, AnyAggregator>>;
  readonly emit: Emit;

  constructor(
    input: BaseTransformation,
    spec: Readonly<Record<string, AnyAggregator>>,
    emit: Emit,
    declaredAt: SourceLocation,
  ) {
    super('aggregate', [input], declaredAt);
    this.spec = spec;
    this.emit = emit;
  }

  /** Whether there is a result for each key; results then begin with the field `key`. */
  get keyed(): boolean {
    return this.inputs[0]?.keyedBy !== undefined;
  }

  override get canFail(): boolean {
    return true;
  }
}
