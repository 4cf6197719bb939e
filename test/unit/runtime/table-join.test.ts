// A stream joined with a table: by event time and by the clock, in any order, against its definition.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { AsOfJoin } from '../../../ts/runtime/stage/as-of-join.ts';
import { TableJoin } from '../../../ts/runtime/stage/table-join.ts';
import { VirtualClock } from '../../../ts/testing/virtual-clock.ts';
import type { AsOfJoinSettings } from '../../../ts/transformations/as-of-join-transformation.ts';
import { PROPERTY_RUNS } from '../../property-runs.ts';
import { type Given, JoinBench, type Sent, joinSteps, sortedPairs } from './join-bench.ts';

/** Each third record takes its row away. */
const isDeleted = (id: number): boolean => id % 3 === 0;

const settingsOf = (type: 'inner' | 'left', ttlMs: number | undefined): AsOfJoinSettings => ({ withinMs: ttlMs, type, table: { isDeleted, time: undefined } });

const eventBench = (settings: AsOfJoinSettings): JoinBench => new JoinBench((node, bindings) => new AsOfJoin(node, bindings), { kind: 'asOfJoin', settings, time: 'event' });

/** The last change of the key up to the time of `left`, unless it deletes or is too old. */
function rowOf(left: Sent, changes: readonly Sent[], ttlMs: number): Sent | undefined {
  let row: Sent | undefined;
  for (const change of changes) if (change.key === left.key && change.at <= left.at && (row === undefined || change.at >= row.at)) row = change;
  return row === undefined || isDeleted(row.id) || row.at < left.at - ttlMs ? undefined : row;
}

describe('a join with a table by event time', () => {
  it('gives each record that is not late with the row of its own time, and counts all else', () => {
    fc.assert(
      fc.property(fc.constantFrom('inner' as const, 'left' as const), fc.constantFrom(undefined, 4, 20), joinSteps, (type, ttlMs, all) => {
        const bench = eventBench(settingsOf(type, ttlMs));
        const inTime: Sent[] = [];
        let watermark = Number.NEGATIVE_INFINITY;
        for (const step of all) {
          bench.do(step);
          if ('watermark' in step) ({ watermark } = step);
          else if (step.at >= watermark) inTime.push(step);
        }
        bench.join.end();
        bench.take();
        const [lefts, changes] = [0, 1].map((side) => inTime.filter((sent) => sent.side === side)) as [Sent[], Sent[]];
        const pairs = lefts.map((left) => ({ left, row: rowOf(left, changes, ttlMs ?? Infinity) }));
        const expected = pairs.filter(({ row }) => row !== undefined || type === 'left').map(({ left, row }): Given => ({ pair: [left.id, row?.id], time: left.at }));
        expect(sortedPairs(bench.given)).toEqual(sortedPairs(expected));
        expect(bench.late[0]).toBe(all.filter((step) => 'id' in step).length - inTime.length);
        expect(bench.dropped[0]).toBe(lefts.length - expected.length + changes.filter((change) => !pairs.some(({ row }) => row === change)).length);
        expect(bench.join.waiting).toEqual({ records: 0, keys: 0 });
      }),
      { numRuns: 5 * PROPERTY_RUNS },
    );
  });

  it('keeps nothing of a row that was taken away once event time is behind that', () => {
    const bench = eventBench(settingsOf('inner', undefined));
    bench.do({ id: 1, side: 1, key: 'a', at: 1 });
    bench.do({ id: 3, side: 1, key: 'a', at: 5 });
    bench.do({ watermark: 5 });
    expect(bench.join.waiting).toEqual({ records: 2, keys: 1 });
    bench.do({ watermark: 6 });
    expect(bench.join.waiting).toEqual({ records: 0, keys: 0 });
  });
});

describe('a join with a table by the clock', () => {
  it('gives each record at once with the row at hand, frees what has ended, and counts all else', () => {
    const steps = fc.array(fc.record({ side: fc.constantFrom(0 as const, 1 as const), key: fc.constantFrom('a', 'b'), pauseMs: fc.integer({ min: 0, max: 8 }), looks: fc.boolean() }), { maxLength: 40 });
    fc.assert(
      fc.property(fc.constantFrom('inner' as const, 'left' as const), fc.constantFrom(undefined, 5, 12), steps, (type, ttlMs, all) => {
        const clock = new VirtualClock();
        const bench = new JoinBench((node, bindings) => new TableJoin(node, { ...bindings, clock }), { kind: 'asOfJoin', settings: settingsOf(type, ttlMs), time: 'processing' });
        const rows = new Map<string, { id: number; ends: number; used: boolean }>();
        const expected: Given[] = [];
        let dropped = 0;
        const take = (key: string): void => {
          if (rows.get(key)?.used === false) dropped++;
          rows.delete(key);
        };
        all.forEach(({ side, key, pauseMs, looks }, id) => {
          clock.advance(pauseMs);
          const now = clock.monotonicMs();
          for (const [other, { ends }] of rows) if (ends <= now) take(other);
          if (looks) {
            bench.join.closeDue(now);
            expect(bench.join.waiting.keys).toBe(rows.size);
            const next = Math.min(...[...rows.values()].map(({ ends }) => ends));
            // It may be woken too early, for a row that has changed since, but never too late.
            if (next < Infinity) expect(bench.join.dueInMs(now)).toBeLessThanOrEqual(next - now);
          }
          bench.do({ id, side, key, at: id });
          if (side === 1) {
            take(key);
            if (isDeleted(id)) dropped++;
            else rows.set(key, { id, ends: now + (ttlMs ?? Infinity), used: false });
            return;
          }
          const row = rows.get(key);
          if (row !== undefined) row.used = true;
          if (row !== undefined || type === 'left') expected.push({ pair: [id, row?.id], time: id });
          else dropped++;
        });
        bench.join.end();
        for (const key of rows.keys()) take(key);
        expect(bench.given).toEqual(expected);
        expect(bench.dropped[0]).toBe(dropped);
        expect(bench.join.waiting.records).toBe(0);
      }),
      { numRuns: 5 * PROPERTY_RUNS },
    );
  });
});
