import { describe, expect, it } from 'vitest';

import type { StageOp } from '../../../../ts/compiler/physical-plan.ts';
import { type RecordGate, makeRecordGate } from '../../../../ts/runtime/stage/record-gates.ts';
import { nodeOf } from './stage-node.ts';

function make(op: StageOp, instance = 0): { readonly gate: RecordGate; readonly clock: { ms: number }; readonly reached: () => number } {
  const clock = { ms: 0 };
  let reached = 0;
  const gate = makeRecordGate(nodeOf(op), { instance, nowMs: () => clock.ms, epochAheadMs: () => 1_000_000, limitReached: () => void reached++, isNeeded: () => true })!;
  return { gate, clock, reached: () => reached };
}

const passing = (gate: RecordGate, values: readonly unknown[], keyOf: (n: number) => unknown = () => undefined): unknown[] =>
  values.filter((value, n) => gate.passes(value, keyOf(n)));

const ten = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

describe('given a limit of three', () => {
  it('when ten records come, then the first three pass, and it is told once, with the third', () => {
    const { gate, reached } = make({ kind: 'limit', keyed: false, max: 3 });
    gate.open!();
    expect([passing(gate, [0, 1]), reached()]).toEqual([[0, 1], 0]);
    expect([passing(gate, [2]), reached()]).toEqual([[2], 1]);
    expect([passing(gate, ten), reached()]).toEqual([[], 1]);
  });

  it('when it is of each key, then each has three, and nobody is told', () => {
    const { gate, reached } = make({ kind: 'limit', keyed: true, max: 3 });
    expect([passing(gate, ten, (n) => ({ part: n % 2 })), reached()]).toEqual([[0, 1, 2, 3, 4, 5], 0]);
  });
});

describe('given a limit of zero', () => {
  it('when it is opened, then it is reached already', () => {
    const { gate, reached } = make({ kind: 'limit', keyed: false, max: 0 });
    gate.open!();
    expect([reached(), passing(gate, ten), reached()]).toEqual([1, [], 1]);
  });
});

describe('given a sample', () => {
  it('when it is one of four, then the first of each four passes', () => {
    expect(passing(make({ kind: 'sample', settings: { every: 4 } }).gate, ten)).toEqual([0, 4, 8]);
  });

  it('when it is a fraction, then a seed gives the same again, and instances differ', () => {
    const some = (seed: number, instance = 0): unknown[] => passing(make({ kind: 'sample', settings: { fraction: 0.5, seed } }, instance).gate, Array.from({ length: 200 }, (_, n) => n));
    expect(some(1)).toEqual(some(1));
    expect(new Set([some(1), some(2), some(1, 1), some(2 ** 40 + 1)].map((values) => values.join()))).toHaveProperty('size', 4);
  });
});

describe('given a dedup', () => {
  const dedup = (keyed: boolean, by: unknown, ttlMs?: number): StageOp => ({ kind: 'dedup', keyed, by: by as never, ttlMs });

  it('when it has a selector, then that decides, within the key on a keyed stream', () => {
    expect(passing(make(dedup(false, (n: number) => n % 3)).gate, ten)).toEqual([0, 1, 2]);
    expect(passing(make(dedup(true, (n: number) => n % 3)).gate, ten, (n) => n % 2)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(passing(make(dedup(true, undefined)).gate, ten, (n) => n % 4)).toEqual([0, 1, 2, 3]);
  });

  it('when the time to live is over, then an equal record passes again', () => {
    const { gate, clock } = make(dedup(false, undefined, 10));
    const at = (ms: number): boolean => {
      clock.ms = ms;
      return gate.passes('x', undefined);
    };
    expect([0, 9, 10, 19, 20].map(at)).toEqual([true, false, true, false, true]);
  });

  it('when the selector throws, then nothing is noted', () => {
    let fails = true;
    const { gate } = make(dedup(false, (n: number) => {
      if (fails) throw new RangeError('no');
      return n;
    }));
    expect(() => gate.passes(1, undefined)).toThrow('no');
    fails = false;
    expect(gate.passes(1, undefined)).toBe(true);
  });
});
