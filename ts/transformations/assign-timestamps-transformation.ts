import type { SourceLocation } from '../common/source-location.ts';
import type { FieldPath } from '../functions/field-path.ts';
import { BaseTransformation } from './base-transformation.ts';
import type { KeyByTransformation } from './key-by-transformation.ts';

/** How event time is derived, in milliseconds. */
export interface TimestampSettings {
  /** A record may come so much later than one with a greater timestamp. */
  readonly outOfOrdernessMs: number;
  /** Without records for so long nobody waits for this stream's event time; never when undefined. */
  readonly idleMs: number | undefined;
  /** A timestamp may be so far ahead of the clock. */
  readonly maxAheadMs: number;
}

/** What gives a record its timestamp; a function is given the timestamp that it had as well. */
export type TimestampSelector = ((record: never, previous: number | undefined) => unknown) | FieldPath;

/** Gives each record its event time, and derives from these how far event time has come. */
export class AssignTimestampsTransformation extends BaseTransformation {
  readonly kind = 'assignTimestamps';
  readonly selector: TimestampSelector;
  readonly settings: TimestampSettings;

  constructor(input: BaseTransformation, selector: TimestampSelector, settings: TimestampSettings, declaredAt: SourceLocation) {
    super('assignTimestamps', [input], declaredAt);
    this.selector = selector;
    this.settings = settings;
  }

  override get keyedBy(): KeyByTransformation | undefined {
    return this.inputs[0]?.keyedBy;
  }

  override get canFail(): boolean {
    return true;
  }
}
