import { planError } from '../common/errors.ts';
import type { SourceLocation } from '../common/source-location.ts';
import { describeValue } from '../functions/check-user-function.ts';
import { isClass } from '../functions/class-detection.ts';
import { compileFieldPath, type FieldPath } from '../functions/field-path.ts';
import type { TimestampSettings, TimestampUnit } from '../transformations/assign-timestamps-transformation.ts';
import type { BatchSettings } from '../transformations/batch-transformation.ts';
import type { ErrorPolicy, FailureOutcome } from '../transformations/error-policy.ts';
import type { AsyncSettings } from '../transformations/map-async-transformation.ts';
import type { SampleSettings } from '../transformations/sample-transformation.ts';
import { checkOptions } from './plan-checks.ts';

const OUTCOMES: readonly FailureOutcome[] = ['fail', 'skip', 'deadLetter'];
const MAX_OPEN_BATCHES = 10_000;
/** A clock that is an hour wrong does no harm. */
const MAX_AHEAD_MS = 24 * 3600 * 1000;
const FIRST_BACKOFF_MS = 100;
/** Timers of Node wrap around beyond. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** A limit that a call was given. */
interface Limit {
  readonly least: number;
  readonly most?: number;
  readonly whole: boolean;
}

/** A whole number from 1. */
export const COUNT: Limit = { least: 1, whole: true };
/** A time that a timer can wait. */
export const DELAY_MS: Limit = { least: 1, most: MAX_DELAY_MS, whole: false };

/** @throws SageError SAGE_PLAN_ARGUMENT unless it is a number within the limit. */
export function checkNumber(value: unknown, what: string, limit: Limit, declaredAt: SourceLocation): number {
  const { least, most = Number.MAX_SAFE_INTEGER, whole } = limit;
  if (typeof value === 'number' && value >= least && value <= most && (!whole || Number.isInteger(value))) return value;
  const upTo = limit.most === undefined ? `from ${least}` : `from ${least} to ${most}`;
  throw wrongValue(what, value, `a ${whole ? 'whole ' : ''}number ${upTo}`, `Correct ${what}.`, declaredAt);
}

/** The settings of `mapAsync`. @throws SageError SAGE_PLAN_ARGUMENT */
export function checkAsyncOptions(options: unknown, keyed: boolean, declaredAt: SourceLocation): { readonly settings: AsyncSettings; readonly args: unknown } {
  const { args, ...given } = checkOptions(options, ['concurrency', 'ordered', 'concurrencyPerKey', 'timeoutMs', 'retry', 'args'], 'mapAsync', declaredAt);
  return { settings: toAsyncSettings(given, 'mapAsync', keyed, declaredAt), args };
}

/** How asynchronous calls run. @throws SageError SAGE_PLAN_ARGUMENT */
export function toAsyncSettings(given: Readonly<Record<string, unknown>>, call: 'mapAsync' | 'lookup', keyed: boolean, declaredAt: SourceLocation): AsyncSettings {
  const { concurrency, ordered, concurrencyPerKey, timeoutMs, retry } = given;
  if (concurrency === undefined) {
    throw wrongValue(`concurrency of ${call}`, concurrency, 'how many calls may be in flight at the same time', call === 'lookup' ? "Write lookup(fn, { key: 'user', concurrency: 16 }, combine)." : `Write ${call}(fn, { concurrency: 16 }).`, declaredAt);
  }
  if (ordered !== undefined && typeof ordered !== 'boolean') {
    throw wrongValue(`ordered of ${call}`, ordered, 'true or false', 'Leave it away to keep the order.', declaredAt);
  }
  if (concurrencyPerKey !== undefined && !keyed) {
    throw planError('SAGE_PLAN_NOT_KEYED', {
      message: 'mapAsync was given concurrencyPerKey on a stream without a key',
      expected: 'a keyed stream',
      fix: 'Call keyBy before it, or leave concurrencyPerKey away.',
      declaredAt,
    });
  }
  const perKey = concurrencyPerKey === undefined ? undefined : checkNumber(concurrencyPerKey, 'concurrencyPerKey of mapAsync', COUNT, declaredAt);
  return {
    concurrency: checkNumber(concurrency, `concurrency of ${call}`, COUNT, declaredAt),
    ordered: ordered !== false,
    concurrencyPerKey: perKey ?? (keyed && ordered === false ? 1 : undefined),
    timeoutMs: timeoutMs === undefined ? undefined : checkNumber(timeoutMs, `timeoutMs of ${call}`, DELAY_MS, declaredAt),
    retry: retry === undefined ? undefined : checkRetry(retry, call, declaredAt),
  };
}

function checkRetry(value: unknown, call: string, declaredAt: SourceLocation): AsyncSettings['retry'] {
  const { retry, backoffMs } = typeof value === 'number' ? { retry: value, backoffMs: undefined } : checkOptions(value, ['retry', 'backoffMs'], `retry of ${call}`, declaredAt);
  return {
    retry: checkNumber(retry, `retry of ${call}`, { least: 0, whole: true }, declaredAt),
    backoffMs: backoffMs === undefined ? FIRST_BACKOFF_MS : checkNumber(backoffMs, `backoffMs of ${call}`, { ...DELAY_MS, least: 0 }, declaredAt),
  };
}

/** The settings of `batch`. @throws SageError SAGE_PLAN_ARGUMENT, also when nothing would ever close a batch. */
export function checkBatchOptions(options: unknown, declaredAt: SourceLocation): BatchSettings {
  const names = ['max', 'waitMs', 'bytes', 'weight', 'by', 'maxOpen'];
  const { max, waitMs, bytes, weight, by, maxOpen } = checkOptions(options, names, 'batch', declaredAt);
  if (max === undefined && waitMs === undefined && bytes === undefined) {
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: 'batch was given no limit, so that its first batch would never close',
      expected: 'at least one of max, waitMs and bytes',
      fix: 'Write batch({ max: 100, waitMs: 50 }).',
      declaredAt,
    });
  }
  if (weight !== undefined && (typeof weight !== 'function' || isClass(weight))) {
    throw wrongValue('weight of batch', weight, 'a function that gives a number for each record', 'Write weight: (record) => record.tokens.', declaredAt);
  }
  if (weight !== undefined && max === undefined) {
    throw wrongValue('max of batch', max, 'how much the weights of a batch may add up to', 'Write batch({ max: 1000, weight }).', declaredAt);
  }
  return {
    max: max === undefined ? undefined : checkNumber(max, 'max of batch', weight === undefined ? COUNT : { least: Number.MIN_VALUE, whole: false }, declaredAt),
    waitMs: waitMs === undefined ? undefined : checkNumber(waitMs, 'waitMs of batch', DELAY_MS, declaredAt),
    bytes: bytes === undefined ? undefined : checkNumber(bytes, 'bytes of batch', COUNT, declaredAt),
    weight: weight as BatchSettings['weight'],
    by: by === undefined ? undefined : toSelector(by, 'by of batch', declaredAt),
    maxOpen: maxOpen === undefined ? MAX_OPEN_BATCHES : checkNumber(maxOpen, 'maxOpen of batch', COUNT, declaredAt),
  };
}

/** What is taken of a record: by a function, or the path of a field. @throws SageError SAGE_PLAN_ARGUMENT or SAGE_PLAN_FUNCTION */
export function toSelector(value: unknown, what: string, declaredAt: SourceLocation): ((record: never) => unknown) | FieldPath {
  if (typeof value === 'function' && !isClass(value)) return value as (record: never) => unknown;
  if (typeof value === 'string') {
    try {
      return compileFieldPath(value);
    } catch {
      // Said below, in the words of this call.
    }
  }
  throw wrongValue(what, value, "a function of the record, or the path of a field: 'id', 'user.id'", "Write (record) => record.id, or 'id'.", declaredAt);
}

/** How long equal records are kept away. @throws SageError SAGE_PLAN_ARGUMENT */
export function checkDedupOptions(options: unknown, declaredAt: SourceLocation): number | undefined {
  const { ttlMs } = checkOptions(options, ['ttlMs'], 'dedup', declaredAt);
  return ttlMs === undefined ? undefined : checkNumber(ttlMs, 'ttlMs of dedup', { least: 1, whole: false }, declaredAt);
}

/** @throws SageError SAGE_PLAN_ARGUMENT */
export function checkSampleOptions(value: unknown, declaredAt: SourceLocation): SampleSettings {
  const { fraction, seed, every } = typeof value === 'number' ? { fraction: value, seed: undefined, every: undefined } : checkOptions(value, ['fraction', 'seed', 'every'], 'sample', declaredAt);
  if ((fraction === undefined) === (every === undefined)) {
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: fraction === undefined ? 'sample was not told which records to take' : 'sample was given both fraction and every',
      expected: 'either fraction or every',
      fix: 'Write sample(0.1), or sample({ every: 10 }).',
      declaredAt,
    });
  }
  if (every !== undefined) return { every: checkNumber(every, 'every of sample', COUNT, declaredAt) };
  return {
    fraction: checkNumber(fraction, 'the fraction of sample', { least: 0, most: 1, whole: false }, declaredAt),
    seed: seed === undefined ? 0 : checkNumber(seed, 'seed of sample', { least: 0, whole: true }, declaredAt),
  };
}

const UNITS: readonly TimestampUnit[] = ['ms', 's', 'us', 'ns', 'iso'];

/** The settings of `assignTimestamps`. @throws SageError SAGE_PLAN_ARGUMENT */
export function checkTimestampOptions(options: unknown, declaredAt: SourceLocation): TimestampSettings {
  return checkTimestamps(options, 'assignTimestamps', 'Write assignTimestamps(fn, { outOfOrdernessMs: 5000 }).', declaredAt);
}

/** The option `timestamps` of a source that gives them itself. @throws SageError SAGE_PLAN_ARGUMENT */
export function checkGivenTimestamps(options: unknown, call: string, declaredAt: SourceLocation): TimestampSettings {
  const { unit, ...others } = checkOptions(options, ['outOfOrdernessMs', 'idleMs', 'maxAheadMs', 'unit'], `timestamps of ${call}`, declaredAt);
  if (unit !== undefined) throw wrongValue(`unit of timestamps of ${call}`, unit, 'milliseconds or dates in timestamped(record, t)', 'Leave it away, and give milliseconds.', declaredAt);
  return checkTimestamps(others, `timestamps of ${call}`, `Write ${call}(source, { timestamps: { outOfOrdernessMs: 5000 } }).`, declaredAt);
}

function checkTimestamps(options: unknown, call: string, fix: string, declaredAt: SourceLocation): TimestampSettings {
  const { outOfOrdernessMs, idleMs, maxAheadMs, unit } = checkOptions(options, ['outOfOrdernessMs', 'idleMs', 'maxAheadMs', 'unit'], call, declaredAt);
  const known = UNITS.find((one) => one === unit);
  if (unit !== undefined && known === undefined) throw wrongValue(`unit of ${call}`, unit, UNITS.map((one) => `'${one}'`).join(', '), "Leave it away for milliseconds; write unit: 'iso' for texts.", declaredAt);
  if (outOfOrdernessMs === undefined) {
    const expected = 'how many milliseconds later a record may come than one with a greater timestamp';
    throw wrongValue(`outOfOrdernessMs of ${call}`, outOfOrdernessMs, expected, fix, declaredAt);
  }
  return {
    outOfOrdernessMs: checkNumber(outOfOrdernessMs, `outOfOrdernessMs of ${call}`, { least: 0, whole: false }, declaredAt),
    idleMs: idleMs === undefined ? undefined : checkNumber(idleMs, `idleMs of ${call}`, DELAY_MS, declaredAt),
    ...(known === undefined || known === 'ms' ? {} : { unit: known }),
    maxAheadMs:
      maxAheadMs === undefined ? MAX_AHEAD_MS : maxAheadMs === Number.POSITIVE_INFINITY ? maxAheadMs : checkNumber(maxAheadMs, `maxAheadMs of ${call}`, { least: 0, whole: false }, declaredAt),
  };
}

/** @throws SageError SAGE_PLAN_ARGUMENT */
export function checkLimit(value: unknown, declaredAt: SourceLocation): number {
  return checkNumber(value, 'limit', { least: 0, whole: true }, declaredAt);
}

/** What `reduce` calls. @throws SageError SAGE_PLAN_FUNCTION */
export function checkReducer<F>(fn: F, declaredAt: SourceLocation): F {
  if (typeof fn === 'function' && !isClass(fn)) return fn;
  throw planError('SAGE_PLAN_FUNCTION', {
    message: `reduce was given ${describeValue(fn)}`,
    expected: 'a function of the reduced value and the next record',
    fix: 'Write reduce((a, b) => ...).',
    found: describeValue(fn),
    declaredAt,
  });
}

/** The names of branches: at least one, none twice. @throws SageError SAGE_PLAN_ARGUMENT */
export function checkBranchNames(value: unknown, declaredAt: SourceLocation): readonly string[] {
  const names: readonly unknown[] = Array.isArray(value) ? value : [];
  const right = names.length > 0 && names.every((name) => typeof name === 'string' && name !== '') && new Set(names).size === names.length;
  if (right) return names as readonly string[];
  throw wrongValue('the list of names of split', value, 'an array of different names with at least one', "Write split(fn, ['paid', 'open']).", declaredAt);
}

/** @throws SageError SAGE_PLAN_ARGUMENT for another form than {@link ErrorPolicy}. */
export function checkErrorPolicy(value: unknown, declaredAt: SourceLocation): ErrorPolicy {
  const outcome = OUTCOMES.find((known) => known === value);
  if (outcome !== undefined) return outcome;
  const example = "{ retry: 3, backoffMs: 100, then: 'skip' }";
  if (typeof value !== 'object' || value === null) {
    throw wrongValue('onError', value, `${OUTCOMES.map((name) => `'${name}'`).join(', ')}, or ${example}`, `Write onError(${example}).`, declaredAt);
  }
  const { retry, backoffMs, then } = checkOptions(value, ['retry', 'backoffMs', 'then'], 'onError', declaredAt);
  const last = then === undefined ? 'fail' : OUTCOMES.find((known) => known === then);
  if (last === undefined) throw wrongValue('then of onError', then, OUTCOMES.map((name) => `'${name}'`).join(', '), `Write onError(${example}).`, declaredAt);
  return {
    retry: checkNumber(retry, 'retry of onError', { least: 0, whole: true }, declaredAt),
    backoffMs: backoffMs === undefined ? FIRST_BACKOFF_MS : checkNumber(backoffMs, 'backoffMs of onError', { ...DELAY_MS, least: 0 }, declaredAt),
    // oxlint-disable-next-line unicorn/no-thenable -- the name of the setting; a word is no function
    then: last,
  };
}

function wrongValue(what: string, value: unknown, expected: string, fix: string, declaredAt: SourceLocation): Error {
  return planError('SAGE_PLAN_ARGUMENT', { message: `${what} is ${describeValue(value)}`, expected, found: describeValue(value), fix, declaredAt });
}
