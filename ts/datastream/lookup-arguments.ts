import { planError } from '../common/errors.ts';
import type { SourceLocation } from '../common/source-location.ts';
import { describeValue } from '../functions/check-user-function.ts';
import { isClass } from '../functions/class-detection.ts';
import { LookupFunction } from '../functions/lookup-function.ts';
import type { AsyncSettings } from '../transformations/map-async-transformation.ts';
import type { LookupSettings } from '../transformations/lookup-transformation.ts';
import { COUNT, DELAY_MS, checkNumber, toAsyncSettings, toSelector } from './operator-arguments.ts';
import { checkOptions } from './plan-checks.ts';
import type { RetryOptions } from './stream-options.ts';

/** Rows that a `lookup` keeps. */
export interface LookupCacheOptions {
  /** So many in each parallel instance, those that were asked for last; a whole number from 1. */
  readonly max: number;
  /** Milliseconds after which a row is looked up again, by the job's clock; never when left away. */
  readonly ttlMs?: number;
}

/** How a `lookup` gathers keys. */
export interface LookupBatchOptions {
  /** Keys of one call, at most; not more than `concurrency`. */
  readonly max: number;
  /** Milliseconds that the first key of a call waits for others. */
  readonly waitMs: number;
}

/** Options of `lookup` on a keyed stream, which may look up its own key. */
export interface KeyedLookupOptions<Type extends 'inner' | 'left' = 'inner'> {
  /** `'left'` lets records go on that there is no row for; else they are dropped, and counted. */
  readonly type?: Type;
  /** Records in work at the same time, in each parallel instance; a whole number from 1. */
  readonly concurrency: number;
  /** Whether results leave in the order of their records; `true` when left away. */
  readonly ordered?: boolean;
  /** Milliseconds that one attempt may take, the time that it waits for a batch included. */
  readonly timeoutMs?: number;
  /** How often a failed lookup is repeated. */
  readonly retry?: number | RetryOptions;
  /** Keeps rows, and that there is none; nothing is kept when left away. What fails is never kept. */
  readonly cache?: LookupCacheOptions;
}

/** Options of `lookup`. */
export interface LookupOptions<Selector, Type extends 'inner' | 'left' = 'inner'> extends KeyedLookupOptions<Type> {
  /** What is looked up: the path of a field, or a function of the record. A record whose key is `undefined` or `null` has no row. */
  readonly key: Selector;
}

/** The options of a `lookup` of many keys at once. */
export interface WithLookupBatch {
  /** The function is given an array of keys, and gives an array with a row for each; a class needs `lookupBatch`. */
  readonly batch: LookupBatchOptions;
}

/** The options of a `lookup` of one key at a time. */
export interface WithoutLookupBatch {
  /** Left away. */
  readonly batch?: undefined;
}

/** On a keyed stream: its own key is looked up. */
export interface WithoutKey {
  /** Left away. */
  readonly key?: undefined;
}

const NAMES = ['key', 'type', 'concurrency', 'ordered', 'timeoutMs', 'retry', 'cache', 'batch', 'args'];

/** What `lookup` was told. @throws SageError SAGE_PLAN_ARGUMENT, SAGE_PLAN_FUNCTION, or SAGE_PLAN_NOT_KEYED without any key */
export function checkLookupOptions(options: unknown, combine: unknown, keyed: boolean, declaredAt: SourceLocation): { readonly settings: AsyncSettings; readonly lookup: LookupSettings; readonly args: unknown } {
  const { key, type = 'inner', cache, batch, args, ...calls } = checkOptions(options, NAMES, 'lookup', declaredAt);
  const settings = toAsyncSettings(calls, 'lookup', keyed, declaredAt);
  if (key === undefined && !keyed) {
    throw planError('SAGE_PLAN_NOT_KEYED', {
      message: 'lookup was not told what to look up, on a stream without a key',
      expected: 'a key in the options, or a keyed stream',
      fix: "Write lookup(fn, { key: 'user', concurrency: 16 }, combine).",
      declaredAt,
    });
  }
  if (type !== 'inner' && type !== 'left') {
    throw planError('SAGE_PLAN_ARGUMENT', { message: `the type of lookup is ${describeValue(type)}`, expected: "'inner' or 'left'", found: describeValue(type), fix: "Leave it away for 'inner'.", declaredAt });
  }
  if (typeof combine !== 'function' || isClass(combine)) {
    throw planError('SAGE_PLAN_FUNCTION', {
      message: `lookup was given ${describeValue(combine)} for what becomes of a record and its row`,
      expected: 'a function of the record and the row',
      found: describeValue(combine),
      fix: 'Write lookup(fn, options, (record, row) => ({ ...record, ...row })).',
      declaredAt,
    });
  }
  return {
    settings,
    lookup: {
      key: key === undefined ? undefined : toSelector(key, 'key of lookup', declaredAt),
      type,
      cache: cache === undefined ? undefined : checkCache(cache, declaredAt),
      batch: batch === undefined ? undefined : checkBatch(batch, settings.concurrency, declaredAt),
      combine: combine as LookupSettings['combine'],
    },
    args,
  };
}

function checkCache(value: unknown, declaredAt: SourceLocation): LookupSettings['cache'] {
  const { max, ttlMs } = checkOptions(value, ['max', 'ttlMs'], 'cache of lookup', declaredAt);
  return {
    max: checkNumber(max, 'max of the cache of lookup', COUNT, declaredAt),
    ttlMs: ttlMs === undefined ? undefined : checkNumber(ttlMs, 'ttlMs of the cache of lookup', { least: 1, whole: false }, declaredAt),
  };
}

function checkBatch(value: unknown, concurrency: number, declaredAt: SourceLocation): LookupSettings['batch'] {
  const { max, waitMs } = checkOptions(value, ['max', 'waitMs'], 'batch of lookup', declaredAt);
  return {
    max: checkBatchMax(checkNumber(max, 'max of the batch of lookup', COUNT, declaredAt), concurrency, declaredAt),
    waitMs: checkNumber(waitMs, 'waitMs of the batch of lookup', DELAY_MS, declaredAt),
  };
}

/** With more keys in a batch than records in work none would ever be full, and each would wait for its time in vain. */
function checkBatchMax(max: number, concurrency: number, declaredAt: SourceLocation): number {
  if (max <= concurrency) return max;
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: `lookup was to gather ${max} keys in a batch, with ${concurrency === 1 ? 'one record' : `${concurrency} records`} in work at a time: no batch would ever be full`,
    expected: 'a concurrency that is not less than max of the batch',
    found: `concurrency: ${concurrency}, batch: { max: ${max} }`,
    fix: `Write concurrency: ${max}${concurrency === 1 ? ', or leave batch away: one record at a time has one key' : `, or batch: { max: ${concurrency} }`}.`,
    declaredAt,
  });
}

/** @throws SageError SAGE_PLAN_FUNCTION for a class that looks nothing up. */
export function checkLookupClass(value: unknown, batched: boolean, declaredAt: SourceLocation): void {
  if (!isClass(value)) return;
  const needed = batched ? 'lookupBatch' : 'lookup';
  const { prototype } = value as { prototype: Readonly<Record<string, unknown>> };
  if (typeof prototype[needed] === 'function' || (!batched && !(prototype instanceof LookupFunction) && (value as unknown) !== LookupFunction)) return;
  throw planError('SAGE_PLAN_FUNCTION', {
    message: `lookup was given ${describeValue(value)}, which has no ${needed}`,
    expected: `a class that extends LookupFunction, with ${needed}${batched ? '(keys)' : '(key)'}`,
    found: describeValue(value),
    fix: batched ? 'Add lookupBatch(keys) to the class, or leave batch away.' : 'Write a class that extends LookupFunction and has lookup().',
    declaredAt,
  });
}
