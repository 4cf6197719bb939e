// Operators that let some records pass, saved in the middle, and going on in fresh instances.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { StageOp } from '../../../../ts/compiler/physical-plan.ts';
import { type RecordGate, makeRecordGate } from '../../../../ts/runtime/stage/record-gates.ts';
import { PROPERTY_RUNS } from '../../../property-runs.ts';
import { SavedInstances, instanceOf, ownerOf } from '../checkpoint/saved-instances.ts';
import { nodeOf } from './stage-node.ts';

interface Step {
  readonly key: number;
  readonly value: number;
  readonly afterMs: number;
}

const steps: fc.Arbitrary<Step[]> = fc.array(fc.record({ key: fc.integer({ min: 0, max: 4 }), value: fc.integer({ min: 0, max: 3 }), afterMs: fc.integer({ min: 0, max: 4 }) }), { maxLength: 60, size: 'max' });

interface Stop {
  readonly after: number;
  readonly parallelism: number;
  /** Steps before which there is an epoch: those behind the first one are changes. */
  readonly epochs: readonly number[];
}

/** Epochs that held what has changed, of all runs. */
let changes = 0;

/** The steps that pass; after so many of them other instances go on, whose clock begins anew. */
function play(op: StageOp, isKeyed: boolean, all: readonly Step[], parallelism: number, stop?: Stop): number[] {
  let epochMs = 1_000_000;
  let startedMs = epochMs;
  const make = (instance: number): RecordGate =>
    makeRecordGate(nodeOf(op), { instance, nowMs: () => epochMs - startedMs, epochAheadMs: () => startedMs, limitReached: () => undefined, isNeeded: () => true })!;
  let gates = Array.from({ length: parallelism }, (_, instance) => make(instance));
  const saved = new SavedInstances();
  return all.flatMap(({ key, value, afterMs }, n) => {
    if (stop !== undefined && n <= stop.after && (n === stop.after || stop.epochs.includes(n))) {
      gates.forEach((gate, at) => {
        const owner = ownerOf(at, parallelism);
        saved.save(gate.stateParts!(owner), owner);
        if (n === stop.after) saved.expectAll(gate.stateParts!(owner), owner);
      });
    }
    if (n === stop?.after) {
      changes += saved.changes;
      startedMs = epochMs;
      gates = Array.from({ length: stop.parallelism }, (_, instance) => {
        const gate = make(instance);
        saved.restore(gate.stateParts!(ownerOf(instance, stop.parallelism)), ownerOf(instance, stop.parallelism));
        gate.open?.();
        return gate;
      });
    }
    epochMs += afterMs;
    return gates[isKeyed ? instanceOf(key, gates.length) : 0]!.passes({ value }, isKeyed ? key : undefined) ? [n] : [];
  });
}

const by = ((record: { readonly value: number }) => record.value) as never;
const keyed: Readonly<Record<string, StageOp>> = {
  'a dedup within the key': { kind: 'dedup', keyed: true, by, ttlMs: undefined },
  'a dedup within the key, with a time to live': { kind: 'dedup', keyed: true, by, ttlMs: 9 },
  'a dedup of keys': { kind: 'dedup', keyed: true, by: undefined, ttlMs: 20 },
  'a limit of each key': { kind: 'limit', keyed: true, max: 3 },
};
const single: Readonly<Record<string, StageOp>> = {
  'a dedup of whole records': { kind: 'dedup', keyed: false, by: undefined, ttlMs: undefined },
  'a dedup with a time to live': { kind: 'dedup', keyed: false, by, ttlMs: 9 },
  'a limit': { kind: 'limit', keyed: false, max: 7 },
  'a sample of one in three': { kind: 'sample', settings: { every: 3 } },
  'a random sample': { kind: 'sample', settings: { fraction: 0.4, seed: 7 } },
};

const epochs = fc.array(fc.nat({ max: 59 }), { maxLength: 30, size: 'max' });

describe.each(Object.entries(keyed))('given %s that is saved in the middle', (_name, op) => {
  it('when it goes on in one to three fresh instances, then the same records pass as in one that was never stopped', () => {
    changes = 0;
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 3 }), fc.nat({ max: 59 }), fc.integer({ min: 1, max: 3 }), epochs, (all, parallelism, after, then, before) => {
        expect(play(op, true, all, parallelism, { after, parallelism: then, epochs: before })).toEqual(play(op, true, all, 1));
      }),
      { numRuns: PROPERTY_RUNS },
    );
    // Else all of it was whole, and nothing was tried.
    expect(changes).toBeGreaterThan(0);
  });
});

describe.each(Object.entries(single))('given %s that is saved in the middle', (_name, op) => {
  it('when it goes on, then the same records pass as in one that was never stopped', () => {
    fc.assert(
      fc.property(steps, fc.nat({ max: 59 }), epochs, (all, after, before) => {
        expect(play(op, false, all, 1, { after, parallelism: 1, epochs: before })).toEqual(play(op, false, all, 1));
      }),
      { numRuns: PROPERTY_RUNS },
    );
  });
});
