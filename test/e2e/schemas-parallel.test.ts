import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';

import { validated } from './pipelines/schemas.ts';
import { numbers, recordsOf } from './support/run-to-array.ts';

/** Worker threads start slowly on a machine with much to do. */
const TIMEOUT_MS = 60_000;

describe('schemas over worker threads', { timeout: TIMEOUT_MS }, () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sage-schemas-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Fields that come late, in batches of their own. */
  const rows = numbers(6000).map((id) => ({
    id,
    at: new Date(id * 1000).toISOString(),
    unknown: 'x'.repeat(id % 10),
    ...(id > 3000 ? { note: `note ${id}` } : {}),
    ...(id % 5 === 0 ? { place: { x: id, y: id % 2 === 0 ? null : 1 } } : {}),
  }));

  it('given optional fields that come late, then every record arrives as plain JavaScript makes it', async () => {
    const input = join(folder, 'rows.jsonl');
    const output = join(folder, 'out.jsonl');
    writeFileSync(input, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const result = await validated.run({ input, output }, { parallelism: 2 });
    expect([result.recordsIn, result.recordsOut, result.isolates >= 2]).toEqual([rows.length, rows.length, true]);
    const written = readFileSync(output, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as { id: number });
    const expected = rows.map(({ unknown: _, at, ...row }) => ({ ...row, at: Date.parse(at) }));
    expect(written.toSorted((a, b) => a.id - b.id)).toEqual(expected);
  });

  it('given an invalid record in a worker, then its error comes over with the record and its issues', async () => {
    const input = join(folder, 'broken.jsonl');
    writeFileSync(input, '{"id":1,"at":"2024-03-01T00:00:00Z"}\n{"id":2,"at":"never","place":{"x":"far"}}\n');
    await expect(validated.run({ input, output: join(folder, 'none.jsonl') }, { parallelism: 2 })).rejects.toMatchObject({
      code: 'SAGE_SCHEMA_INVALID',
      operator: 'rows',
      record: { id: 2, at: 'never', place: { x: 'far' } },
      cause: [{ path: ['at'] }, { path: ['place', 'x'] }, { path: ['place', 'y'] }],
    });
  });

  it('given any records that match, then an announced layout gives what learning it from the records gives', async () => {
    const schema = z.object({
      a: z.number(),
      b: z.string().nullish(),
      c: z.union([z.number(), z.string()]).optional(),
      d: z.object({ e: z.boolean().optional(), f: z.array(z.number()) }).nullable(),
      g: z.any(),
    });
    const nothing = fc.constant(undefined);
    const record = fc.record(
      {
        a: fc.double({ noNaN: true, noDefaultInfinity: true }),
        b: fc.option(fc.string()),
        c: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.string()),
        d: fc.option(fc.record({ e: fc.boolean(), f: fc.array(fc.integer()) }, { requiredKeys: ['f'] })),
        g: fc.oneof(fc.jsonValue(), fc.date({ noInvalidDate: true }), fc.constant(new Map([[1, { x: new Set([1]) }]])), nothing),
      },
      { requiredKeys: ['a', 'd', 'g'] },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(record, { maxLength: 40 }), async (records) => {
        const behind = (announced: boolean): Promise<unknown[]> =>
          recordsOf((env) => {
            const stream = env.fromCollection<unknown>(records);
            return (announced ? stream.validate(schema) : stream.map((row) => schema.parse(row))).keyBy(() => 1).parallelism(2).map((row) => row);
          });
        expect(await behind(true)).toStrictEqual(await behind(false));
      }),
      { numRuns: 20 },
    );
  });
});
