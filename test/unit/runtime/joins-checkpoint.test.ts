// Joins that are saved in the middle, and go on in fresh instances, as many as before or not.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { AsOfJoin } from '../../../ts/runtime/stage/as-of-join.ts';
import { IntervalJoin } from '../../../ts/runtime/stage/interval-join.ts';
import { TableJoin } from '../../../ts/runtime/stage/table-join.ts';
import { VirtualClock } from '../../../ts/testing/virtual-clock.ts';
import { PROPERTY_RUNS } from '../../property-runs.ts';
import { SavedInstances, instanceOf, ownerOf } from './checkpoint/saved-instances.ts';
import { type Given, JoinBench, type Step, sortedPairs } from './join-bench.ts';

const keys = ['a', 'b', 'c', 'd', 'e', 'f'];

/** Records of both sides, watermarks, and time of the clock that passes. */
type TimedStep = Step | { readonly passMs: number };

const steps: fc.Arbitrary<TimedStep[]> = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.record({ side: fc.constantFrom(0 as const, 1 as const), key: fc.constantFrom(...keys), at: fc.integer({ min: 0, max: 60 }) }) },
      { weight: 1, arbitrary: fc.record({ advance: fc.integer({ min: 0, max: 12 }) }) },
      { weight: 1, arbitrary: fc.record({ passMs: fc.integer({ min: 1, max: 9 }) }) },
    ),
    { maxLength: 60, size: 'max' },
  )
  .map((drawn) => {
    let watermark = 0;
    return drawn.map((step, id): TimedStep => ('advance' in step ? { watermark: (watermark += step.advance) } : 'passMs' in step ? step : { id, ...step }));
  });

interface Outcome {
  readonly given: readonly Given[];
  readonly late: number;
  readonly dropped: number;
}

type MakeBench = (clock: VirtualClock) => JoinBench;

/** Instances of a join behind a keyBy: each has the records of its keys, and all watermarks. */
class Instances {
  readonly benches: JoinBench[];

  constructor(make: MakeBench, clock: VirtualClock, parallelism: number) {
    this.benches = Array.from({ length: parallelism }, () => make(clock));
  }

  do(step: Step): void {
    // By the clock nothing is late, so that results may be behind what was said.
    if ('watermark' in step && this.benches[0]!.join instanceof TableJoin) return;
    if ('watermark' in step) for (const bench of this.benches) bench.do(step);
    else this.benches[instanceOf(step.key, this.benches.length)]!.do(step);
  }

  end(): void {
    for (const bench of this.benches) {
      bench.join.end();
      bench.take();
      expect(bench.join.waiting).toEqual({ records: 0, keys: 0 });
    }
  }
}

interface Stop {
  readonly after: number;
  readonly parallelism: number;
  /** Steps before which there is an epoch: those behind the first one are changes. */
  readonly epochs: readonly number[];
}

/** Epochs that held what has changed, of all runs. */
let changes = 0;

/** Does all steps; after so many of them everything is saved, and goes on in so many new instances, whose clock has begun anew. */
function play(make: MakeBench, all: readonly TimedStep[], parallelism: number, stop?: Stop): Outcome {
  let clock = new VirtualClock(1_000_000);
  let instances = new Instances(make, clock, parallelism);
  const benches = [...instances.benches];
  const saved = new SavedInstances();
  all.forEach((step, n) => {
    if (stop !== undefined && n <= stop.after && (n === stop.after || stop.epochs.includes(n))) {
      instances.benches.forEach(({ join }, at) => {
        const owner = ownerOf(at, parallelism);
        saved.save(join.stateParts(owner), owner);
        if (n === stop.after) saved.expectAll(join.stateParts(owner), owner);
      });
    }
    if (n === stop?.after) {
      changes += saved.changes;
      clock = new VirtualClock(clock.now());
      instances = new Instances(make, clock, stop.parallelism);
      benches.push(...instances.benches);
      instances.benches.forEach(({ join }, at) => {
        const owner = ownerOf(at, stop.parallelism);
        saved.restore(join.stateParts(owner), owner);
      });
    }
    if (!('passMs' in step)) instances.do(step);
    else {
      clock.advance(step.passMs);
      for (const { join } of instances.benches) join.closeDue(clock.monotonicMs());
    }
  });
  instances.end();
  const sum = (counts: (bench: JoinBench) => Float64Array): number => benches.reduce((total, bench) => total + counts(bench)[0]!, 0);
  return { given: sortedPairs(benches.flatMap(({ given }) => given)), late: sum(({ late }) => late), dropped: sum(({ dropped }) => dropped) };
}

const stops: fc.Arbitrary<Stop> = fc.record({ after: fc.nat({ max: 59 }), parallelism: fc.integer({ min: 1, max: 3 }), epochs: fc.array(fc.nat({ max: 59 }), { maxLength: 30, size: 'max' }) });
const joinType = fc.constantFrom('inner' as const, 'left' as const);
const withinMs = fc.constantFrom(undefined, 4, 20);

const makers: Readonly<Record<string, fc.Arbitrary<MakeBench>>> = {
  'an interval join': fc
    .record({ beforeMs: fc.constantFrom(0, 2, 10), afterMs: fc.constantFrom(0, 3, 15), type: fc.constantFrom('inner' as const, 'left' as const, 'right' as const, 'full' as const) })
    .map((settings) => () => new JoinBench((node, bindings) => new IntervalJoin(node, bindings), { kind: 'intervalJoin', settings })),
  'an as-of join': fc
    .record({ type: joinType, withinMs })
    .map((settings) => () => new JoinBench((node, bindings) => new AsOfJoin(node, bindings), { kind: 'asOfJoin', settings, time: 'event' })),
  'a join with a table by event time': fc
    .record({ type: joinType, withinMs })
    .map((settings) => () => new JoinBench((node, bindings) => new AsOfJoin(node, bindings), { kind: 'asOfJoin', settings: { ...settings, table: { isDeleted: (id: number) => id % 3 === 0, time: undefined } }, time: 'event' })),
  'a join with a table by the clock': fc
    .record({ type: joinType, withinMs })
    .map((settings) => (clock) => new JoinBench((node, bindings) => new TableJoin(node, { ...bindings, clock }), { kind: 'asOfJoin', settings: { ...settings, table: { isDeleted: (id: number) => id % 3 === 0, time: 'processing' } }, time: 'processing' })),
};

describe.each(Object.entries(makers))('given %s that is saved in the middle', (_name, maker) => {
  it('when it goes on in one to three fresh instances, then all of its results and counts are those of one that was never stopped', () => {
    changes = 0;
    fc.assert(
      fc.property(maker, steps, fc.integer({ min: 1, max: 3 }), stops, (make, all, parallelism, stop) => {
        expect(play(make, all, parallelism, stop)).toEqual(play(make, all, 1));
      }),
      { numRuns: 2 * PROPERTY_RUNS },
    );
    // Else all of it was whole, and nothing was tried.
    expect(changes).toBeGreaterThan(0);
  });
});

describe('given a join that lets the records of a key go between two epochs', () => {
  it('when the second is on top of the first, then it says that this key has gone', () => {
    const bench = new JoinBench((node, bindings) => new IntervalJoin(node, bindings), { kind: 'intervalJoin', settings: { beforeMs: 1, afterMs: 1, type: 'inner' } });
    const { join } = bench;
    const owner = ownerOf(0, 1);
    const saved = new SavedInstances();
    keys.forEach((key, id) => bench.do({ id, side: 0, key, at: id === 0 ? 5 : 50 }));
    saved.save(join.stateParts(owner), owner);
    bench.do({ watermark: 20 });
    saved.save(join.stateParts(owner), owner);
    expect(saved.changes).toBe(1);
    saved.expectAll(join.stateParts(owner), owner);
  });
});

describe('given a join that keeps a record with a function in it', () => {
  it('when it is saved, then the error names the operator, the key and what it is', () => {
    const bench = new JoinBench((node, bindings) => new IntervalJoin(node, bindings), { kind: 'intervalJoin', settings: { beforeMs: 1, afterMs: 1, type: 'inner' } });
    bench.join.submit([0, { call: () => 1 }], 'k');
    const owner = ownerOf(0, 1);
    expect(() => new SavedInstances().save(bench.join.stateParts(owner), owner)).toThrow(expect.objectContaining({ code: 'SAGE_STATE_VALUE', message: expect.stringMatching(/'tested'.*"k".*a function/) as string }));
  });
});
