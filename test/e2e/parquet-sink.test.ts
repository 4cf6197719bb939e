import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { FileSource, JsonLinesSink, LocalEnvironment, ParquetSink, type ParquetSinkOptions } from '../../ts/index.ts';
import { recordsOf } from './support/run-to-array.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-parquet-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Writes records made in JavaScript, and reads the file again. */
async function throughParquet(records: readonly object[]): Promise<unknown[]> {
  const path = join(folder, `${records.length}-${Math.random()}.parquet`);
  const env = new LocalEnvironment('write');
  env.fromCollection(records).sink(new ParquetSink(path));
  await env.submit({ autostop: true });
  return recordsOf((reading) => reading.fromSource(FileSource.parquet(path)));
}

describe('records made in JavaScript come back from a Parquet file', () => {
  test('numbers, texts, booleans, dates and nested objects; what is missing comes back as null', async () => {
    const date = new Date('2001-02-03T04:05:06.789Z');
    expect(
      await throughParquet([
        { id: 1, name: 'a', ok: true, at: date, place: { x: 1, y: 'north' } },
        { id: 2.5, name: null, place: null },
      ]),
    ).toEqual([
      { id: 1, name: 'a', ok: true, at: date, place: { x: 1, y: 'north' } },
      { id: 2.5, name: null, ok: null, at: null, place: null },
    ]);
  });

  test('functions and symbols are left out, as JSON.stringify does; the fields beside them stay columns', async () => {
    const records = [{ id: 1, run: (): number => 1, place: { x: 1, mark: Symbol('here') } }, { id: 2, place: { x: 2 } }, { id: 3, run: (): number => 3 }];
    expect(await throughParquet(records)).toEqual([{ id: 1, place: { x: 1 } }, { id: 2, place: { x: 2 } }, { id: 3, place: null }]);
  });

  test('arrays of any length and depth, as JSON columns', async () => {
    const records = [{ tags: ['a', 'b'], grid: [[1, 2], [3]] }, { tags: [], grid: [[]] }, { tags: ['c'], grid: null }];
    expect(await throughParquet(records)).toEqual(records);
  });
});

describe('what a Parquet file cannot hold is an error of the user, not of ours', () => {
  test('a bigint', async () => {
    await expect(throughParquet([{ id: 1n }])).rejects.toMatchObject({ domain: 'user', record: { id: 1n } });
  });

  test('a field that changes its type', async () => {
    await expect(throughParquet([{ id: 1 }, { id: 'one' }])).rejects.toMatchObject({ code: 'SAGE_FORMAT_COLUMN_TYPE' });
  });
});

describe('the options that error messages name', () => {
  test('schema: a field that the first records do not have', async () => {
    const path = join(folder, 'schema.parquet');
    const env = new LocalEnvironment('schema');
    const records = Array.from({ length: 3000 }, (_, id) => (id < 2000 ? { id } : { id, note: `n${id}` }));
    env.fromCollection(records).sink(new ParquetSink(path, { schema: { note: 'str?' } }));
    await env.submit({ autostop: true });
    const read = await recordsOf((reading) => reading.fromSource(FileSource.parquet<{ id: number; note: string | null }>(path)));
    expect(read).toEqual(records.map((record) => ({ note: null, ...record })));
  });

  test('schema: a field inside an object, in the words of the error', async () => {
    const path = join(folder, 'deep.parquet');
    const records = Array.from({ length: 40_000 }, (_, id) => ({ id, place: id < 30_000 ? { x: id } : { x: id, name: `n${id}` } }));
    const write = (options: ParquetSinkOptions): Promise<unknown> => {
      const env = new LocalEnvironment('schema');
      env.fromCollection(records).sink(new ParquetSink(path, options));
      return env.submit({ autostop: true });
    };
    await expect(write({})).rejects.toMatchObject({ code: 'SAGE_FORMAT_COLUMN_TYPE', message: expect.stringContaining('schema: { "place": { "name": "str?" } }') as string });
    await write({ schema: { place: { name: 'str?' } } });
    const read = await recordsOf((reading) => reading.fromSource(FileSource.parquet<{ id: number; place: object }>(path)));
    expect(read).toEqual(records.map(({ id, place }) => ({ id, place: { name: null, ...place } })));
  });

  test('mkdir: a folder that is not there', async () => {
    const write = (name: string, options: { mkdir?: boolean }): Promise<unknown> => {
      const env = new LocalEnvironment('mkdir');
      env.fromCollection([1]).sink(new JsonLinesSink(join(folder, name, 'deep', 'a.jsonl'), options));
      return env.submit({ autostop: true });
    };
    await expect(write('without', {})).rejects.toMatchObject({ code: 'SAGE_IO_NOT_FOUND', message: expect.stringContaining('mkdir: true') });
    await expect(write('with', { mkdir: true })).resolves.toMatchObject({ recordsOut: 1 });
  });
});
