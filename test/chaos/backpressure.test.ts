import { describe, expect, it } from 'vitest';

import { queueSize } from '../../ts/compiler/physical/queue-size.ts';
import { MAX_BATCH_ROWS } from '../../ts/runtime/codec/batch-writer.ts';
import { FAST, SLOW, type Shape, slowSinks } from './pipelines/slow-sinks.ts';
import { Tally } from './support/tally.ts';

const RECORDS = 300_000;
/**
 * What may be under way on one edge: a queue takes a batch as long as it is below its limit, its writer holds an open one,
 * and its reader one that it works on.
 */
const ON_AN_EDGE = queueSize(1).maxRows + 3 * MAX_BATCH_ROWS;

async function run(shape: Shape, options: { readonly isolated?: boolean }): Promise<{ tally: Tally; isolates: number }> {
  const buffer = Tally.buffer(2);
  const { recordsIn, isolates } = await slowSinks.run({ shape, records: RECORDS, tally: buffer }, options);
  const tally = new Tally(buffer);
  expect(recordsIn).toBe(shape === 'long lists' ? 3 : RECORDS);
  expect([tally.given, tally.taken(SLOW)]).toEqual([RECORDS, RECORDS]);
  return { tally, isolates };
}

describe('a sink that is slower than its source holds it back', () => {
  it('in one isolate: a record is pulled when the one before it was taken', async () => {
    const { tally, isolates } = await run('one sink', {});
    expect(isolates).toBe(1);
    expect(tally.mostBehind(SLOW)).toBe(1);
  });

  it('in one isolate, with a fast branch beside it', async () => {
    const { tally } = await run('a slow branch of two', {});
    expect(tally.taken(FAST)).toBe(RECORDS);
    expect(tally.mostBehind(SLOW)).toBe(1);
  });

  it('in one isolate, with three sources that take turns', async () => {
    const { tally } = await run('a union of three', {});
    expect(tally.mostBehind(SLOW)).toBe(1);
  });

  it.each([
    ['one sink', 1],
    ['a slow branch of two', 1],
    // Four queues between the two stages of two instances, one before each of the first and behind each of the second.
    ['two stages', 2 + 4 + 2],
    ['parallel sinks', 2],
    ['a union of three', 3],
    ['long lists', 1],
  ] as const)('over threads: %s', async (shape, edges) => {
    const { tally, isolates } = await run(shape, { isolated: true });
    expect(isolates).toBeGreaterThanOrEqual(2);
    expect(tally.mostBehind(SLOW)).toBeLessThanOrEqual(edges * ON_AN_EDGE);
    // The queues were full, or the sinks were not slow and nothing was seen.
    expect(tally.mostBehind(SLOW)).toBeGreaterThan(queueSize(1).maxRows / 2);
    if (shape === 'a slow branch of two') expect(tally.taken(FAST)).toBe(RECORDS);
  });
});
