import type { SourceLocation } from '../common/source-location.ts';
import { BaseTransformation } from './base-transformation.ts';

/** What makes the right side a table: a row of each key, which its records change. */
export interface TableSettings {
  /** Whether a record takes its key's row away; `null` always does. */
  readonly isDeleted: ((record: never) => unknown) | undefined;
  /** Whether the row is that of the time of the left record, or the one at hand when that comes; undefined: the first where both sides have event time. */
  readonly time: 'event' | 'processing' | undefined;
}

/** Which record of the right side is the one of a record of the left side. */
export interface AsOfJoinSettings {
  /** It may be so much older; however old when undefined. */
  readonly withinMs: number | undefined;
  /** Whether records of the left side are given without one. */
  readonly type: 'inner' | 'left';
  /** Set when the right side is a table. */
  readonly table?: TableSettings;
}

/** Pairs `[left, right]` of each left record of a key with the right one that was the latest at its time. It is given `SidedRecord`s; its output carries no key. */
export class AsOfJoinTransformation extends BaseTransformation {
  readonly kind = 'asOfJoin';
  readonly settings: AsOfJoinSettings;

  constructor(input: BaseTransformation, settings: AsOfJoinSettings, declaredAt: SourceLocation) {
    super('asOfJoin', [input], declaredAt);
    this.settings = settings;
  }
}
