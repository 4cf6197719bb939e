import type { SourceLocation } from '../common/source-location.ts';
import type { TimerKind } from '../functions/state/timers.ts';

/** An error as plain data, so that it can be written to a file or cross to another thread. */
export interface FailureInfo {
  /** Class of the error, or the type of what was thrown instead of one. */
  readonly name: string;
  /** What the error said. */
  readonly message: string;
  /** The error's own code, if it had one; else one of this package. */
  readonly code: string;
  /** As the engine has written it; `undefined` for what is thrown and is no error. */
  readonly stack: string | undefined;
}

/** A record that an operator could not work on, with all that is known of why. */
export interface DeadLetter<out T> {
  /** The record as the operator was given it; the text of its result, where that cannot be sent to another thread; `undefined` for a timer. */
  readonly record: T;
  /** Its key, on a keyed stream. */
  readonly key: unknown;
  /** Its event time in epoch milliseconds, where it has one; not of records of windows, reduces and aggregates. */
  readonly timestamp?: number;
  /** Only where it was `onTimer` that failed, and no record: the timer. */
  readonly timer?: { readonly kind: TimerKind; readonly time: number };
  /** What went wrong. */
  readonly error: FailureInfo;
  /** Name of the operator. */
  readonly operator: string;
  /** Where the operator stands in the user's source. */
  readonly declaredAt: SourceLocation;
  /** How many times the operator has tried: 1 without retries. */
  readonly attempts: number;
  /** Epoch milliseconds of the last attempt. */
  readonly failedAtMs: number;
}
