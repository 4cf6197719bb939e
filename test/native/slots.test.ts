import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { exported, outcomeOf } from './support/binding.ts';
import { imageOf, tinyGraph } from './support/tiny-job.ts';

const call = (name: string, ...args: unknown[]): number => exported[name]!(...args) as number;
let job: number;
let layout: number;

beforeAll(() => {
  job = call('createJob', tinyGraph());
  layout = call('internLayout', job, '{"key":"f64","row":{"tup":["f64"]}}');
});
afterAll(() => void exported['dropJob']!(job));

function slotsOf(handle: number, keys: readonly number[]): number[] {
  const slots = new Int32Array(keys.length);
  const column = new Uint8Array(Float64Array.from(keys).buffer);
  call('slotsFor', handle, imageOf(keys.length, layout, [column, column]), slots);
  return [...slots];
}

describe('slots', () => {
  it('go to other keys when they are given back', () => {
    const handle = call('slotsCreate', job);
    expect(slotsOf(handle, [10, 20, 30, 10])).toEqual([0, 1, 2, 0]);
    // when two are given back, one of them twice, and one that nobody has
    expect(call('slotsFree', handle, Int32Array.of(1, 0, 1, 9))).toBe(1);
    // then the key that stays keeps its own, and new ones take the others
    const [stays, ...others] = slotsOf(handle, [30, 40, 10, 50]);
    expect(stays).toBe(2);
    expect(others.toSorted()).toEqual([0, 1, 3]);
    call('stateDrop', handle);
  });

  it('are refused when they cannot be', () => {
    const handle = call('slotsCreate', job);
    expect(outcomeOf('slotsFree', [handle, Int32Array.of(-1)])).toMatchObject({ code: 'SAGE_INTERNAL' });
    const timers = call('timersCreate', job);
    expect(outcomeOf('slotsFree', [timers, Int32Array.of(0)])).toMatchObject({ code: 'SAGE_INTERNAL' });
    expect(outcomeOf('timersHeld', [handle, Int32Array.of(0)])).toMatchObject({ code: 'SAGE_INTERNAL' });
  });
});
