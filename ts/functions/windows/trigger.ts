import type { Duration } from '../../common/duration.ts';
import { planError } from '../../common/errors.ts';
import { captureSourceLocation } from '../../common/source-location.ts';
import { describeValue } from '../check-user-function.ts';
import { checkDuration } from './windows.ts';

/** When a window gives a result before its end. */
export type EarlyTrigger =
  | { readonly kind: 'count'; readonly every: number }
  | { readonly kind: 'processingTime'; readonly everyMs: number };

/** When windows give results. */
export type Trigger =
  /** At the end of a window. */
  | { readonly kind: 'time' }
  | EarlyTrigger
  /** As the other one before the end, and at the end. */
  | { readonly kind: 'early'; readonly early: EarlyTrigger };

/** A result after each so many records of a window, and at its end what none has shown. @throws SageError SAGE_PLAN_ARGUMENT */
export function everyCount(records: number): EarlyTrigger {
  if (!Number.isInteger(records) || records < 1 || records > 2 ** 31 - 1) {
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: `everyCount was given ${describeValue(records)}`,
      expected: 'a whole number of records from 1',
      found: describeValue(records),
      fix: 'Write everyCount(100).',
      declaredAt: captureSourceLocation(everyCount),
    });
  }
  return { kind: 'count', every: records };
}

/**
 * A result so long after the first record that no result has shown, by the clock and not by event time, and at the end of the window what none has
 * shown.
 *
 * @throws SageError SAGE_PLAN_ARGUMENT
 */
export function everyPeriod(period: Duration): EarlyTrigger {
  return { kind: 'processingTime', everyMs: checkDuration(period, 'the period of everyPeriod', 1, captureSourceLocation(everyPeriod)) };
}

/** Results before the end of a window, as another trigger says, and one at its end. @throws SageError SAGE_PLAN_ARGUMENT */
export function early(trigger: EarlyTrigger): Trigger {
  const { kind } = (typeof trigger === 'object' && trigger !== null ? trigger : {}) as Partial<Trigger>;
  if (kind !== 'count' && kind !== 'processingTime') {
    const found = kind === 'time' ? 'atEnd()' : kind === 'early' ? 'early(...)' : describeValue(trigger);
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: `early was given ${found}`,
      expected: "everyCount(100) or everyPeriod('1s')",
      found,
      fix: "Write early(everyPeriod('1s')); the result at the end comes without being asked for.",
      declaredAt: captureSourceLocation(early),
    });
  }
  return { kind: 'early', early: trigger };
}

/** One result at the end of a window: what windows do unless told otherwise. */
export function atEnd(): Trigger {
  return { kind: 'time' };
}
