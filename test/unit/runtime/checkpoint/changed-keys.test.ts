import { describe, expect, it } from 'vitest';

import { ChangedKeys } from '../../../../ts/runtime/checkpoint/changed-keys.ts';

describe('keys that have changed', () => {
  it('given nothing was handed over, then nothing is noted, and everything has to be handed over', () => {
    const changed = new ChangedKeys();
    changed.add('a');
    expect([changed.isNoting, changed.take(100, () => 1)]).toEqual([false, undefined]);
    changed.restart();
    expect([changed.isNoting, [...changed.take(100, () => 1)!]]).toEqual([true, []]);
  });

  it('given keys that changed, came and went, then each is there once, without a value when it is no longer there, and is noted anew', () => {
    const kept = new Map([['a', 1], ['b', 2], ['c', 3], ['d', 4]]);
    const changed = new ChangedKeys();
    changed.restart();
    for (const key of ['b', 'gone', 'b']) changed.add(key);
    expect([...changed.take(kept.size, (key) => kept.get(key as string))!]).toEqual([['b', 2], ['gone', undefined]]);
    changed.add('d');
    expect([...changed.take(kept.size, (key) => kept.get(key as string))!]).toEqual([['d', 4]]);
  });

  it('given more than half of them changed, then everything is handed over, and what changes behind that is noted', () => {
    const changed = new ChangedKeys();
    changed.restart();
    for (const key of [1, 2, 3]) changed.add(key);
    expect(changed.take(5, () => 0)).toBeUndefined();
    changed.restart();
    changed.add(4);
    expect([...changed.take(5, () => 0)!]).toEqual([[4, 0]]);
  });

  it('given more than half a million changed, then none is kept, and everything is handed over', () => {
    const changed = new ChangedKeys();
    changed.restart();
    for (let key = 0; key <= 2 ** 19; key++) changed.add(key);
    expect([changed.isNoting, changed.take(Number.POSITIVE_INFINITY, () => 0)]).toEqual([false, undefined]);
  });
});
