import { counted } from '../../common/counted.ts';
import { isFieldPath } from '../../functions/field-path.ts';
import { givenTimestamp } from '../../functions/timestamped.ts';
import type { AsOfJoinTransformation } from '../../transformations/as-of-join-transformation.ts';
import type { AssignTimestampsTransformation } from '../../transformations/assign-timestamps-transformation.ts';
import type { BatchTransformation } from '../../transformations/batch-transformation.ts';
import type { DedupTransformation } from '../../transformations/dedup-transformation.ts';
import type { IntervalJoinTransformation } from '../../transformations/interval-join-transformation.ts';
import { type LookupSettings, LookupTransformation } from '../../transformations/lookup-transformation.ts';
import type { MapAsyncTransformation } from '../../transformations/map-async-transformation.ts';
import type { Selector } from '../physical-plan.ts';

/** What a mapAsync or a lookup was told, in words. */
export function describeAsync(transformation: MapAsyncTransformation): string {
  const { settings } = transformation;
  const { concurrency, ordered, concurrencyPerKey, timeoutMs, retry } = settings;
  const isLookup = transformation instanceof LookupTransformation;
  return [
    // Records of a lookup share calls, and many need none.
    `${counted(concurrency, isLookup ? 'record' : 'call')} at a time`,
    ordered ? 'in order' : 'in any order',
    ...(concurrencyPerKey === undefined ? [] : [`${concurrencyPerKey} of a key`]),
    ...(timeoutMs === undefined ? [] : [`within ${timeoutMs} ms`]),
    ...(retry === undefined ? [] : [retry.retry === 1 ? '1 retry' : `${retry.retry} retries`]),
    ...(isLookup ? describeLookup(transformation.lookup) : []),
  ].join(', ');
}

function describeLookup({ key, type, cache, batch }: LookupSettings): string[] {
  return [
    `${type} by ${key === undefined ? 'the key' : describeSelector(key)}`,
    ...(cache === undefined ? [] : [`${counted(cache.max, 'row')} kept${cache.ttlMs === undefined ? '' : ` for ${cache.ttlMs} ms`}`]),
    // A call for one key waits for no other.
    ...(batch === undefined ? [] : [batch.max === 1 ? '1 key a call' : `up to ${batch.max} keys a call, gathered for ${batch.waitMs} ms`]),
  ];
}

/** When a batch closes, in words. */
export function describeBatch({ settings, keyed }: BatchTransformation): string {
  const { max, waitMs, bytes, weight, by } = settings;
  return [
    ...(max === undefined ? [] : [weight === undefined ? `${max} records` : `weight ${max}`]),
    ...(waitMs === undefined ? [] : [`${waitMs} ms`]),
    ...(bytes === undefined ? [] : [`${bytes} bytes`]),
    ...(by === undefined ? [] : [`by ${describeSelector(by)}`]),
    ...(keyed ? ['for each key'] : []),
  ].join(', ');
}

/** What a dedup compares, in words. */
export function describeDedup({ by, ttlMs, keyed }: DedupTransformation): string {
  const what = by === undefined ? (keyed ? 'the key' : 'the whole record') : describeSelector(by);
  return [`by ${what}`, ...(keyed && by !== undefined ? ['within each key'] : []), ...(ttlMs === undefined ? [] : [`for ${ttlMs} ms`])].join(', ');
}

/** Which records an as-of join, or one with a table, pairs, in words. */
export function describeAsOfJoin({ settings }: AsOfJoinTransformation, takesTime: boolean): string {
  const { withinMs, type, table } = settings;
  if (table !== undefined) {
    const when = takesTime && table.time !== 'processing' ? 'event time' : 'processing time';
    return `${type}, with the row of a table by ${when}${withinMs === undefined ? '' : `, which holds for ${withinMs} ms`}`;
  }
  return `${type}, left with the latest right${withinMs === undefined ? '' : ` of the last ${withinMs} ms`}`;
}

/** Which records an interval join pairs, in words. */
export function describeIntervalJoin({ settings }: IntervalJoinTransformation): string {
  const { beforeMs, afterMs, type } = settings;
  return `${type}, right from ${beforeMs} ms before to ${afterMs} ms after left`;
}

/** Where timestamps come from and how late a record may be, in words. */
export function describeTimestamps({ selector, settings }: AssignTimestampsTransformation): string {
  const { outOfOrdernessMs, idleMs, maxAheadMs, unit } = settings;
  return [
    `${selector === givenTimestamp ? 'as the source gives them' : `by ${describeSelector(selector)}`}${unit === undefined ? '' : ` in ${unit}`}`,
    `up to ${outOfOrdernessMs} ms out of order`,
    ...(idleMs === undefined ? [] : [`idle after ${idleMs} ms`]),
    ...(maxAheadMs === Number.POSITIVE_INFINITY ? ['however far ahead'] : [`at most ${maxAheadMs} ms ahead`]),
  ].join(', ');
}

function describeSelector(selector: Selector | AssignTimestampsTransformation['selector']): string {
  return isFieldPath(selector) ? `field ${selector.path}` : selector.name === '' ? 'a lambda' : `function ${selector.name}`;
}
