import { describe, expect, it } from 'vitest';

import { Batcher } from '../../../../ts/runtime/stage/batcher.ts';
import type { BatchSettings } from '../../../../ts/transformations/batch-transformation.ts';
import { bindingsOf, nodeOf } from './stage-node.ts';

interface Made {
  readonly batcher: Batcher;
  readonly clock: { ms: number };
  readonly stopped: () => boolean;
}

function make(settings: Partial<BatchSettings>, keyed = false): Made {
  const clock = { ms: 0 };
  const { bindings, control } = bindingsOf(undefined, { clock: { now: () => clock.ms, monotonicMs: () => clock.ms } });
  const whole: BatchSettings = { max: undefined, waitMs: undefined, bytes: undefined, weight: undefined, by: undefined, maxOpen: 1000, ...settings };
  const batcher = new Batcher(nodeOf({ kind: 'batch', keyed, settings: whole }), bindings);
  return { batcher, clock, stopped: () => control.stop };
}

describe('given a batcher of at most three records', () => {
  it('when the third one comes, then it gives all three, and begins anew', () => {
    const { batcher, stopped } = make({ max: 3 });
    expect([batcher.add('a', undefined), batcher.add('b', undefined), batcher.add('c', undefined)]).toEqual([undefined, undefined, ['a', 'b', 'c']]);
    expect([batcher.add('d', undefined), batcher.takeResults(), stopped()]).toEqual([undefined, undefined, false]);
    batcher.end();
    expect(batcher.takeResults()).toEqual({ records: [['d']], keys: undefined });
    expect(batcher.takeResults()).toBeUndefined();
  });
});

describe('given batches that wait ten milliseconds', () => {
  it('when time passes, then those are due whose first record came so long ago, oldest first', () => {
    const { batcher, clock } = make({ waitMs: 10, by: ((text: string) => text[0]) as never });
    expect(batcher.dueInMs(0)).toBeUndefined();
    batcher.add('a1', undefined);
    clock.ms = 4;
    batcher.add('b1', undefined);
    clock.ms = 9;
    batcher.add('a2', undefined);
    expect([batcher.dueInMs(9), batcher.dueInMs(10), batcher.dueInMs(99)]).toEqual([1, 0, 0]);
    batcher.closeDue(9);
    expect(batcher.takeResults()).toBeUndefined();
    batcher.closeDue(10);
    expect(batcher.takeResults()!.records).toEqual([['a1', 'a2']]);
    expect(batcher.dueInMs(10)).toBe(4);
    batcher.closeDue(1000);
    expect(batcher.takeResults()!.records).toEqual([['b1']]);
    expect(batcher.dueInMs(1000)).toBeUndefined();
  });
});

describe('given keyed batches', () => {
  it('when they close, then each carries its key', () => {
    const { batcher } = make({ max: 2 }, true);
    const keys = [{ id: 1 }, 0, -0, Number.NaN, Number.NaN, { id: 1 }];
    expect(keys.map((key, n) => batcher.add(n, key))).toEqual([undefined, undefined, [1, 2], undefined, [3, 4], [0, 5]]);
    batcher.add(6, null);
    batcher.add(7, undefined);
    batcher.end();
    expect(batcher.takeResults()).toEqual({ records: [[6], [7]], keys: [null, undefined] });
  });

  it('when another key needs the place of the oldest one, then that leaves first, with its own key', () => {
    const { batcher, stopped } = make({ max: 2, maxOpen: 1 }, true);
    batcher.add(1, 'a');
    expect([batcher.add(2, 'b'), stopped(), batcher.isFull]).toEqual([undefined, true, true]);
    // The batch of b is full, but must not overtake.
    expect(batcher.add(3, 'b')).toBeUndefined();
    expect(batcher.takeResults()).toEqual({ records: [[1], [2, 3]], keys: ['a', 'b'] });
    expect(batcher.isFull).toBe(false);
  });
});

describe('given weights', () => {
  const weight = ((n: number) => n) as never;

  it('when a record does not fit, then the batch before it closes; one that is heavier than all is alone', () => {
    const { batcher } = make({ max: 10, weight });
    expect([6, 5, 5].map((n) => batcher.add(n, undefined))).toEqual([undefined, [6], [5, 5]]);
    expect(batcher.add(2, undefined)).toBeUndefined();
    expect(batcher.add(30, undefined)).toBeUndefined();
    expect(batcher.takeResults()!.records).toEqual([[2], [30]]);
  });

  it.each([-1, Number.NaN, '1', undefined, null])('when a weight is %s, then it is refused, and the record is in no batch', (wrong) => {
    const { batcher } = make({ max: 10, weight: (() => wrong) as never });
    expect(() => batcher.add('x', undefined)).toThrow(expect.objectContaining({ code: 'SAGE_USER_WRONG_TYPE' }));
    batcher.end();
    expect(batcher.takeResults()).toBeUndefined();
  });
});

describe('given a limit of bytes', () => {
  it.each([
    ['texts by their UTF-8 length', ['aé', 'b'], 3],
    ['binary data', [new Uint8Array(3), new Uint8Array(1)], 3],
    ['bigints', [{ n: 1n }, {}], 9],
    ['what has no JSON', [undefined, 'a'], 1],
  ] as const)('when records are %s, then they are measured so', (_, records, bytes) => {
    const { batcher } = make({ bytes });
    const full = records.map((record) => batcher.add(record, undefined));
    expect(full.findIndex((batch) => batch !== undefined)).toBe(records[0] === undefined ? 1 : 0);
  });
});
