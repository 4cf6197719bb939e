// Gates that are saved in the middle, and go on in fresh instances: what passes then is what passes without the break.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { StageOp } from '../../../../ts/compiler/physical-plan.ts';
import { type RecordGate, makeRecordGate } from '../../../../ts/runtime/stage/record-gates.ts';
import { PROPERTY_RUNS } from '../../../property-runs.ts';
import { SavedInstances, instanceOf, ownerOf } from '../checkpoint/saved-instances.ts';
import { nodeOf } from './stage-node.ts';

interface Clocks {
  epochMs: number;
  /** Begins anew with each process. */
  sinceMs: number;
}

function gatesOf(op: StageOp, isKeyed: boolean, instances: number, clocks: Clocks, reached: () => void = () => undefined): RecordGate[] {
  return Array.from({ length: instances }, (_, instance) =>
    makeRecordGate(nodeOf(op, undefined, isKeyed), { instance, nowMs: () => clocks.epochMs - clocks.sinceMs, epochMs: () => clocks.epochMs, limitReached: reached, isNeeded: () => true })!,
  );
}

function handedOn(gates: readonly RecordGate[], fresh: readonly RecordGate[]): readonly RecordGate[] {
  const saved = new SavedInstances();
  gates.forEach((gate, at) => saved.save(gate.stateParts!(ownerOf(at, gates.length)), ownerOf(at, gates.length)));
  fresh.forEach((gate, at) => saved.restore(gate.stateParts!(ownerOf(at, fresh.length)), ownerOf(at, fresh.length)));
  for (const gate of fresh) gate.open?.();
  return fresh;
}

const single: readonly (readonly [string, StageOp])[] = [
  ['limit', { kind: 'limit', keyed: false, max: 5 }],
  ['sample of every third', { kind: 'sample', settings: { every: 3 } }],
  ['sample of a fraction', { kind: 'sample', settings: { fraction: 0.5, seed: 4 } }],
  ['dedup', { kind: 'dedup', keyed: false, by: undefined, ttlMs: undefined }],
];

describe.each(single)('a %s of all records', (_name, op) => {
  it('given a break anywhere, when it goes on, then the same records pass', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9), { maxLength: 30 }), fc.nat(30), (records, cut) => {
        const clocks = { epochMs: 1000, sinceMs: 0 };
        const [whole] = gatesOf(op, false, 1, clocks);
        const expected = records.map((record) => whole!.passes(record, undefined));
        const before = gatesOf(op, false, 1, clocks);
        const passed = records.slice(0, cut).map((record) => before[0]!.passes(record, undefined));
        const [behind] = handedOn(before, gatesOf(op, false, 1, clocks));
        expect([...passed, ...records.slice(cut).map((record) => behind!.passes(record, undefined))]).toEqual(expected);
      }),
      { numRuns: PROPERTY_RUNS },
    );
  });
});

const keyed: readonly (readonly [string, StageOp])[] = [
  ['limit', { kind: 'limit', keyed: true, max: 2 }],
  ['dedup', { kind: 'dedup', keyed: true, by: ((record: number) => record % 4) as never, ttlMs: undefined }],
  ['dedup by the key', { kind: 'dedup', keyed: true, by: undefined, ttlMs: undefined }],
];
const keys = ['a', '\0b', 7, null, { x: 1 }, [1, 'k']];

describe.each(keyed)('a %s of each key', (_name, op) => {
  it('given a break anywhere, when it goes on with other instances, then the same records pass', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(9), fc.nat(keys.length - 1)), { maxLength: 40 }), fc.nat(40), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }), (records, cut, from, to) => {
        const clocks = { epochMs: 1000, sinceMs: 0 };
        const passing = (gates: readonly RecordGate[], some: typeof records): boolean[] => some.map(([record, key]) => gates[instanceOf(keys[key], gates.length)]!.passes(record, keys[key]));
        const expected = passing(gatesOf(op, true, 1, clocks), records);
        const before = gatesOf(op, true, from, clocks);
        const passed = passing(before, records.slice(0, cut));
        const behind = handedOn(before, gatesOf(op, true, to, clocks));
        expect([...passed, ...passing(behind, records.slice(cut))]).toEqual(expected);
      }),
      { numRuns: PROPERTY_RUNS },
    );
  });
});

describe('a limit', () => {
  it('given one that was reached, when it goes on, then it is told again', () => {
    let told = 0;
    const clocks = { epochMs: 0, sinceMs: 0 };
    const before = gatesOf({ kind: 'limit', keyed: false, max: 1 }, false, 1, clocks);
    before[0]!.passes('x', undefined);
    handedOn(before, gatesOf({ kind: 'limit', keyed: false, max: 1 }, false, 1, clocks, () => told++));
    expect(told).toBe(1);
  });
});

describe('a dedup whose keys live for a time', () => {
  it('given a process that begins with another clock, when it goes on, then keys end when they would have', () => {
    const op: StageOp = { kind: 'dedup', keyed: false, by: undefined, ttlMs: 100 };
    const [before] = gatesOf(op, false, 1, { epochMs: 5000, sinceMs: 0 });
    expect(before!.passes('x', undefined)).toBe(true);
    const clocks = { epochMs: 5099, sinceMs: 5090 };
    const [behind] = handedOn([before!], gatesOf(op, false, 1, clocks));
    expect(behind!.passes('x', undefined)).toBe(false);
    clocks.epochMs = 5100;
    expect(behind!.passes('x', undefined)).toBe(true);
  });
});
