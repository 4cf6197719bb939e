import type { SourceLocation } from '../common/source-location.ts';
import type { FieldPath } from '../functions/field-path.ts';
import { BaseTransformation } from './base-transformation.ts';
import type { KeyByTransformation } from './key-by-transformation.ts';

/** What a timestamp counts: time since 1970 in this unit, or an ISO 8601 text, which is of UTC where it names no offset. A `Date` is itself in any unit. */
export type TimestampUnit = 'ms' | 's' | 'us' | 'ns' | 'iso';
/** Says how far event time is: all records before `watermark` have been given, and with `isIdle` none come for now. */
export type SayWatermark = (watermark: number, isIdle: boolean) => void;

/** Who says how far event time is, instead of the timestamps. */
export interface WatermarkGiver {
  /** Called once in each job, before its first record. */
  connect(say: SayWatermark): void;
}

/** How event time is derived, in milliseconds. */
export interface TimestampSettings {
  /** A record may come so much later than one with a greater timestamp. */
  readonly outOfOrdernessMs: number;
  /** Without records for so long nobody waits for this stream's event time; never when undefined. */
  readonly idleMs: number | undefined;
  /** A timestamp may be so far ahead of the clock. */
  readonly maxAheadMs: number;
  /** Milliseconds when undefined. */
  readonly unit?: TimestampUnit;
  /** Says the watermarks; `outOfOrdernessMs` is infinite then, so that none are derived. */
  readonly watermarks?: WatermarkGiver;
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
