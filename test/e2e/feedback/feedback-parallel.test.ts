import { beforeEach, describe, expect, it } from 'vitest';

import { loops, walked } from '../pipelines/loops.ts';
import { numbers } from '../support/run-to-array.ts';

beforeEach(() => {
  walked.length = 0;
});

describe('feedback loops over worker threads', () => {
  it.each([
    [1, 2, 1],
    [3, 4, 2],
    [4, 1, 3],
  ] as const)('go around through %i heads, %i keyed instances and %i fillers', async (...parallelism) => {
    const result = await loops.run({ records: 300, rounds: 12, parallelism, memoryBytes: 1 << 20 });
    expect(result.isolates).toBeGreaterThanOrEqual(2);
    const expected = numbers(300).map((id) => ({ id, left: 0, counted: 13 - (id % 3) }));
    expect(walked.toSorted((a, b) => a.id - b.id)).toEqual(expected);
    for (const { sent, received } of result.edges) expect(sent).toBe(received);
  });

  it('go over disk where there is no memory, and lose nothing', async () => {
    const result = await loops.run({ records: 500, rounds: 6, parallelism: [2, 3, 2], memoryBytes: 0 });
    expect(walked.length).toBe(500);
    expect(walked.every(({ id, counted }) => counted === 7 - (id % 3))).toBe(true);
    const way = result.edges.find(({ feedback }) => feedback !== undefined)!;
    expect(way.sent).toBe(numbers(500).reduce((sum, id) => sum + 6 - (id % 3), 0));
    expect(way.sent).toBe(way.received);
  });
});
