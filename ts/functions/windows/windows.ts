import { type Duration, parseDuration } from '../../common/duration.ts';
import { planError } from '../../common/errors.ts';
import { captureSourceLocation, type SourceLocation } from '../../common/source-location.ts';
import { isTimeZone } from '../../common/zone-offsets.ts';
import { describeValue } from '../check-user-function.ts';

const DAY_MS = 86_400_000;

/** Which records belong together; times in milliseconds. */
export type WindowAssigner =
  | { readonly kind: 'tumbling'; readonly sizeMs: number; readonly offsetMs: number; readonly timeZone: string | undefined }
  | { readonly kind: 'sliding'; readonly sizeMs: number; readonly slideMs: number; readonly offsetMs: number; readonly timeZone: string | undefined }
  | { readonly kind: 'session'; readonly gapMs: number }
  | { readonly kind: 'global' }
  | { readonly kind: 'count'; readonly size: number; readonly slide: number };

/** What `window` takes; made by `tumbling`, `sliding`, `session`, `globalWindow` and `countWindow`. */
export interface Windows {
  /** Tells it from other objects. */
  readonly kind: 'windows';
  /** Which records belong together. */
  readonly assigner: WindowAssigner;
}

/** Where windows start. */
export interface WindowOptions {
  /** Windows start so long after multiples of their size (or slide), counted from 1970-01-01 UTC; 0 when left away. */
  readonly offset?: Duration;
  /** For windows of whole days: they start at midnight of this zone, such as `'Europe/Berlin'`, and have 23 or 25 hours when its clocks change. Changes from 1970 to 2070 are known; earlier and later days have the first and the last offset of these years. */
  readonly timeZone?: string;
}

/**
 * Windows of one size, one after the other. `tumbling('10s')`, `tumbling('1d', { timeZone: 'Europe/Berlin' })`.
 *
 * @param size milliseconds, or a text such as `'500ms'`, `'10s'`, `'5m'`, `'1h'`, `'1d'`; at least 1 ms
 * @throws SageError SAGE_PLAN_ARGUMENT
 */
export function tumbling(size: Duration, options: WindowOptions = {}): Windows {
  const declaredAt = captureSourceLocation(tumbling);
  const sizeMs = checkDuration(size, 'the size of tumbling', 1, declaredAt);
  return windows({ kind: 'tumbling', sizeMs, ...checkPlace(options, 'tumbling', [sizeMs], declaredAt) });
}

/**
 * Windows of one size that start at equal distances: each record is in `size / slide` of them. What a record costs does not
 * depend on that.
 *
 * @param size milliseconds or a text, as for `tumbling`
 * @param slide from the start of one window to the start of the next; may be longer than the size, and records between windows are then left out
 * @throws SageError SAGE_PLAN_ARGUMENT
 */
export function sliding(size: Duration, slide: Duration, options: WindowOptions = {}): Windows {
  const declaredAt = captureSourceLocation(sliding);
  const sizeMs = checkDuration(size, 'the size of sliding', 1, declaredAt);
  const slideMs = checkDuration(slide, 'the slide of sliding', 1, declaredAt);
  return windows({ kind: 'sliding', sizeMs, slideMs, ...checkPlace(options, 'sliding', [sizeMs, slideMs], declaredAt) });
}

/**
 * Records with less than `gap` from one to the next. A session ends `gap` behind its last record; two of them that a late record
 * joins become one.
 *
 * @throws SageError SAGE_PLAN_ARGUMENT
 */
export function session(gap: Duration): Windows {
  const declaredAt = captureSourceLocation(session);
  return windows({ kind: 'session', gapMs: checkDuration(gap, 'the gap of session', 1, declaredAt) });
}

/** One window with all records: it gives its result when the input ends, or when a trigger says so. */
export function globalWindow(): Windows {
  return windows({ kind: 'global' });
}

/**
 * Each `size` records of a key; with `slide`, at each `slide` records the last `size`. `start` and `end` of such a window are numbers of
 * records, counted from 0 for each key.
 *
 * @throws SageError SAGE_PLAN_ARGUMENT
 */
export function countWindow(size: number, slide: number = size): Windows {
  const declaredAt = captureSourceLocation(countWindow);
  for (const [what, n] of [['size', size], ['slide', slide]] as const) {
    if (!Number.isInteger(n) || n < 1 || n > 2 ** 31 - 1) throw wrong(`the ${what} of countWindow`, n, 'a whole number of records from 1', 'Write countWindow(100).', declaredAt);
  }
  return windows({ kind: 'count', size, slide });
}

function windows(assigner: WindowAssigner): Windows {
  return { kind: 'windows', assigner };
}

/** The milliseconds of a duration that is at least so long. @throws SageError SAGE_PLAN_ARGUMENT */
export function checkDuration(value: unknown, what: string, leastMs: number, declaredAt: SourceLocation): number {
  let ms: number | undefined;
  try {
    ms = parseDuration(value as Duration);
  } catch {
    // Said below, in the words of this call.
  }
  if (ms !== undefined && ms >= leastMs) return ms;
  const least = leastMs === 0 ? '' : `, at least ${leastMs} ms`;
  throw wrong(what, value, `milliseconds, or a text such as '500ms', '10s', '5m', '1h', '1d'${least}`, "Write '10s' or 10_000.", declaredAt);
}

function checkPlace(options: WindowOptions, call: string, lengthsMs: readonly number[], declaredAt: SourceLocation): { offsetMs: number; timeZone: string | undefined } {
  const { offset, timeZone, ...others } = options;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw wrong(`an option of ${call}`, unknown, 'offset or timeZone', `Remove '${unknown}' or correct its name.`, declaredAt);
  const offsetMs = offset === undefined ? 0 : checkDuration(offset, `the offset of ${call}`, 0, declaredAt);
  if (timeZone === undefined) return { offsetMs, timeZone };
  if (typeof timeZone !== 'string' || !isTimeZone(timeZone)) throw wrong(`the timeZone of ${call}`, timeZone, "the name of a time zone, such as 'Europe/Berlin'", "Write { timeZone: 'Europe/Berlin' }.", declaredAt);
  if (lengthsMs.some((ms) => ms % DAY_MS !== 0)) {
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: `${call} was given a time zone for windows that are no whole days`,
      expected: 'whole days: an hour may come twice or never when clocks change',
      fix: `Write ${call}('1d', ...), or leave timeZone away and give an offset.`,
      declaredAt,
    });
  }
  return { offsetMs, timeZone };
}

function wrong(what: string, value: unknown, expected: string, fix: string, declaredAt: SourceLocation): Error {
  return planError('SAGE_PLAN_ARGUMENT', { message: `${what} is ${describeValue(value)}`, expected, found: describeValue(value), fix, declaredAt });
}
