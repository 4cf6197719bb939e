// One interval join by itself: records and watermarks in any order, against its definition.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { IntervalJoin } from '../../../ts/runtime/stage/interval-join.ts';
import type { IntervalJoinSettings } from '../../../ts/transformations/interval-join-transformation.ts';
import { keepsLeft, keepsRight } from '../../../ts/transformations/join-type.ts';
import { PROPERTY_RUNS } from '../../property-runs.ts';
import { type Given, JoinBench, type Sent, joinSteps, sortedPairs } from './join-bench.ts';

const settingsOf: fc.Arbitrary<IntervalJoinSettings> = fc.record({ beforeMs: fc.constantFrom(0, 2, 10), afterMs: fc.constantFrom(0, 3, 15), type: fc.constantFrom('inner', 'left', 'right', 'full') });
const benchOf = (settings: IntervalJoinSettings): JoinBench => new JoinBench((node, bindings) => new IntervalJoin(node, bindings), { kind: 'intervalJoin', settings });

/** Whether two records are a pair. */
const belong = (left: Sent, right: Sent, { beforeMs, afterMs }: IntervalJoinSettings): boolean => left.key === right.key && right.at >= left.at - beforeMs && right.at <= left.at + afterMs;

describe('an interval join', () => {
  it('gives each pair of records that are not late once, what has no partner as its type says, and counts all else', () => {
    fc.assert(
      fc.property(settingsOf, joinSteps, (settings, all) => {
        const bench = benchOf(settings);
        const sides = bench.play(all, (inTime, watermark) => {
          // What can still have a partner is kept, and nothing else.
          const kept = inTime.filter(({ side, at }) => at + (side === 0 ? settings.afterMs : settings.beforeMs) >= watermark);
          expect(bench.join.waiting).toEqual({ records: kept.length, keys: new Set(kept.map(({ key }) => key)).size });
        });
        const pairs = sides[0].flatMap((left) => sides[1].filter((right) => belong(left, right, settings)).map((right) => ({ pair: [left.id, right.id], time: Math.max(left.at, right.at) })));
        const alone = sides.map((list, side) => list.filter(({ id }) => !pairs.some(({ pair }) => pair[side] === id)));
        const expected: Given[] = [
          ...pairs,
          ...(keepsLeft(settings.type) ? alone[0]!.map(({ id, at }) => ({ pair: [id, undefined], time: at })) : []),
          ...(keepsRight(settings.type) ? alone[1]!.map(({ id, at }) => ({ pair: [undefined, id], time: at })) : []),
        ];
        expect(sortedPairs(bench.given)).toEqual(sortedPairs(expected));
        expect(bench.dropped[0]).toBe((keepsLeft(settings.type) ? 0 : alone[0]!.length) + (keepsRight(settings.type) ? 0 : alone[1]!.length));
      }),
      { numRuns: 5 * PROPERTY_RUNS },
    );
  });

  it('says how far event time is once its results have been taken, and no further than what it may still give', () => {
    const bench = benchOf({ beforeMs: 5, afterMs: 20, type: 'left' });
    bench.do({ id: 1, side: 0, key: 'a', at: 100 });
    bench.do({ watermark: 110 });
    expect(bench.said).toBe(90);
    bench.join.timeChanged({ watermark: 121, isIdle: false });
    bench.join.sayTime();
    expect(bench.said).toBe(90);
    bench.take();
    expect(bench.given).toEqual([{ pair: [1, undefined], time: 100 }]);
    expect(bench.said).toBe(101);
  });

  it('keeps no more than its interval of a stream that goes on and on', () => {
    const bench = benchOf({ beforeMs: 50, afterMs: 50, type: 'inner' });
    let most = 0;
    for (let at = 0; at < 20_000; at++) {
      bench.do({ id: at, side: (at % 2) as 0 | 1, key: `k${at % 1000}`, at });
      if (at % 10 === 9) bench.do({ watermark: at });
      most = Math.max(most, bench.join.waiting.records);
    }
    expect(most).toBeLessThanOrEqual(61);
    expect(bench.join.waiting.keys).toBeLessThanOrEqual(61);
  });
});
