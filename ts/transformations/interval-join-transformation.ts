import type { SourceLocation } from '../common/source-location.ts';
import { BaseTransformation } from './base-transformation.ts';
import type { JoinType } from './join-type.ts';

/** A record with the number of the side of a join that it belongs to: 0 for left. */
export type SidedRecord = readonly [side: number, record: unknown];

/** Which records of two sides belong together. */
export interface IntervalJoinSettings {
  /** A record of the right side may be so much earlier than one of the left. */
  readonly beforeMs: number;
  /** A record of the right side may be so much later than one of the left. */
  readonly afterMs: number;
  readonly type: JoinType;
}

/** Pairs `[left, right]` of the records of a key whose event times are close enough. It is given {@link SidedRecord}s; its output carries no key. */
export class IntervalJoinTransformation extends BaseTransformation {
  readonly kind = 'intervalJoin';
  readonly settings: IntervalJoinSettings;

  constructor(input: BaseTransformation, settings: IntervalJoinSettings, declaredAt: SourceLocation) {
    super('intervalJoin', [input], declaredAt);
    this.settings = settings;
  }
}
