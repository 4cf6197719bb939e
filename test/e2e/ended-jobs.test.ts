import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';

import { LocalEnvironment, count } from '../../ts/index.ts';
import { numbers } from './support/run-to-array.ts';

/** Buffers still held when everything that can be collected has been, or `enough` at the latest. */
async function heldBuffers(enough: number): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let held = Infinity;
  for (let round = 0; round < 20 && held > enough; round++) {
    collect();
    await nextTurn();
    held = process.memoryUsage().arrayBuffers;
  }
  return held;
}

describe('jobs that have ended', () => {
  it.each([
    ['well', false],
    ['with an error', true],
  ])('%s keep none of the buffers of their tasks, though they are still listed', async (_, fails) => {
    const run = async (): Promise<void> => {
      const env = new LocalEnvironment();
      const stream = env.fromCollection(numbers(10)).map((n) => ({ n })).parallelism(2);
      const results = stream.keyBy('n').parallelism(3).aggregate({ n: count() });
      results.sink(() => {
        if (fails) throw new Error('fails');
      });
      await env.submit({ autostop: true }).catch(() => undefined);
    };
    await run();
    const before = await heldBuffers(0);
    for (let job = 0; job < 20; job++) await run();

    // One of them has some 4 MB while it runs.
    const most = before + (10 << 20);
    expect(await heldBuffers(most)).toBeLessThanOrEqual(most);
  });
});
