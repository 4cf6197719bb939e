import type { SourceLocation } from '../../common/source-location.ts';
import type { BaseTransformation } from '../../transformations/base-transformation.ts';
import type { Transformation } from '../../transformations/transformation.ts';
import { carriesTime } from './event-time.ts';

/** Why records have no event time though some of their streams have one. */
export interface MixedEventTime {
  /** Puts streams with event time and streams without together. */
  readonly at: BaseTransformation;
  /** The first of its inputs that has event time. */
  readonly withTime: BaseTransformation;
  /** The first of its inputs that has none. */
  readonly without: BaseTransformation;
}

/** Which streams they are, in words for an error of `operator`: its own, or those of an operator above it. */
export function describeMixed({ at, withTime, without }: MixedEventTime, operator: { readonly name: string; readonly declaredAt: SourceLocation }): string {
  // Of a join, what puts its sides together has no call of its own.
  const streams = at.name === operator.name || at.declaredAt === operator.declaredAt ? 'of its streams' : `of the streams that '${at.name}' puts together`;
  return `${streams}, '${withTime.name}' has event time and '${without.name}' has none`;
}

/** The operator at or above this one that puts streams with event time and streams without together, if that is why there is none here. */
export function findMixedEventTime(transformation: BaseTransformation, isTimed: (input: BaseTransformation) => boolean): MixedEventTime | undefined {
  const { inputs } = transformation;
  const untimed = inputs.filter((input) => !isTimed(input));
  const withTime = inputs.find(isTimed);
  if (withTime !== undefined) return untimed.length > 0 ? { at: transformation, withTime, without: untimed[0]! } : undefined;
  for (const input of untimed) {
    // Where event time ends, what is above says nothing of it.
    if (!carriesTime(input as Transformation, () => true)) continue;
    const mixed = findMixedEventTime(input, isTimed);
    if (mixed !== undefined) return mixed;
  }
  return undefined;
}
