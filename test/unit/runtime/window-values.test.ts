import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';

import { collectList } from '../../../ts/functions/collecting-aggregators.ts';
import { AggregatedValues, ElementValues, ReducedValues, type WindowValues } from '../../../ts/runtime/stage/window-values.ts';

/** How many of these are still there when everything that can be collected has been. */
async function alive(refs: readonly WeakRef<object>[]): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let round = 0; round < 5; round++) {
    collect();
    await nextTurn();
  }
  return refs.filter((ref) => ref.deref() !== undefined).length;
}

/** Records of so many windows, given and shown, of which nothing but the values knows. */
function fill(values: WindowValues, windows: number): WeakRef<object>[] {
  return Array.from({ length: windows }, (_, acc) => {
    const record = { acc };
    values.init(acc);
    values.add(acc, record);
    values.result(Int32Array.of(acc), { key: 'a', start: 0, end: 10 });
    return new WeakRef(record);
  });
}

const kinds: Readonly<Record<string, () => WindowValues>> = {
  'all elements': () => new ElementValues(true),
  'a reduced value': () => new ReducedValues((a) => a),
  'aggregators that keep records': () => new AggregatedValues({ all: collectList() }, true, () => undefined),
};

describe.each(Object.entries(kinds))('what JavaScript keeps of windows (%s)', (_, make) => {
  it('is held while they are open, and gone when they have closed', async () => {
    const values = make();
    const refs = fill(values, 100);
    expect(await alive(refs)).toBe(100);
    for (let acc = 0; acc < 90; acc++) values.free(acc);
    expect(await alive(refs)).toBe(10);
    expect(values.isEmpty(99)).toBe(false);
  });
});
