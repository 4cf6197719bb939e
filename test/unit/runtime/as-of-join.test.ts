// One as-of join by itself: records and watermarks in any order, against its definition.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { AsOfJoin } from '../../../ts/runtime/stage/as-of-join.ts';
import type { AsOfJoinSettings } from '../../../ts/transformations/as-of-join-transformation.ts';
import { PROPERTY_RUNS } from '../../property-runs.ts';
import { type Given, JoinBench, type Sent, joinSteps, sortedPairs } from './join-bench.ts';

const benchOf = (settings: AsOfJoinSettings): JoinBench => new JoinBench((node, bindings) => new AsOfJoin(node, bindings), { kind: 'asOfJoin', settings });

/** Of the records up to the time of `left`, the latest; of several of one time the one that came last. */
function versionOf(left: Sent, rights: readonly Sent[], withinMs: number | undefined): Sent | undefined {
  let version: Sent | undefined;
  for (const right of rights) if (right.key === left.key && right.at <= left.at && (version === undefined || right.at >= version.at)) version = right;
  return version !== undefined && withinMs !== undefined && version.at < left.at - withinMs ? undefined : version;
}

describe('an as-of join', () => {
  it('gives each left record that is not late with the latest right one, as its type says, and counts all else', () => {
    fc.assert(
      fc.property(fc.record({ withinMs: fc.constantFrom(undefined, 0, 4, 20), type: fc.constantFrom('inner', 'left') }), joinSteps, (settings, all) => {
        const bench = benchOf(settings);
        const [lefts, rights] = bench.play(all);
        const pairs = lefts.map((left) => ({ left, version: versionOf(left, rights, settings.withinMs) }));
        const expected = pairs.filter(({ version }) => version !== undefined || settings.type === 'left').map(({ left, version }): Given => ({ pair: [left.id, version?.id], time: left.at }));
        expect(sortedPairs(bench.given)).toEqual(sortedPairs(expected));
        expect(bench.dropped[0]).toBe(lefts.length - expected.length + rights.filter((right) => !pairs.some(({ version }) => version === right)).length);
      }),
      { numRuns: 5 * PROPERTY_RUNS },
    );
  });

  it('keeps one record of a key that holds, and those that event time has not passed', () => {
    const bench = benchOf({ withinMs: undefined, type: 'inner' });
    for (let at = 0; at < 10_000; at++) {
      bench.do({ id: at, side: at % 3 === 0 ? 0 : 1, key: `k${at % 5}`, at });
      if (at % 10 === 9) bench.do({ watermark: at });
      expect(bench.join.waiting.records).toBeLessThanOrEqual(5 + 11);
    }
  });

  it('forgets a key of which nothing holds any more', () => {
    const bench = benchOf({ withinMs: 10, type: 'inner' });
    bench.do({ id: 1, side: 1, key: 'a', at: 0 });
    bench.do({ watermark: 10 });
    expect(bench.join.waiting).toEqual({ records: 1, keys: 1 });
    bench.do({ watermark: 11 });
    expect(bench.join.waiting).toEqual({ records: 0, keys: 0 });
    expect(bench.dropped[0]).toBe(1);
  });
});
