import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { FileSource, JsonLinesSink, LocalEnvironment, ParquetSink, type SageError, TextLinesSink } from '../../ts/index.ts';
import { type FileFormat, recordOf, writeFile } from './pipelines/files.ts';
import { numbers, recordsOf } from './support/run-to-array.ts';

const FORMATS: readonly FileFormat[] = ['textLines', 'jsonLines', 'parquet'];
const EXTENSIONS = { textLines: 'txt', jsonLines: 'jsonl', parquet: 'parquet' } as const;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-written-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const read = (format: FileFormat, path: string): Promise<unknown[]> =>
  recordsOf<unknown>((env) => env.fromSource<unknown>(format === 'textLines' ? FileSource.textLines(path) : format === 'jsonLines' ? FileSource.jsonLines(path) : FileSource.parquet(path)));

const byNumber = (records: readonly unknown[]): unknown[] => records.toSorted((a, b) => numberOf(a) - numberOf(b));
const numberOf = (record: unknown): number => (typeof record === 'string' ? Number(/\d+/.exec(record)![0]) : (record as { n: number }).n);

async function write(records: readonly unknown[], sink: JsonLinesSink | TextLinesSink | ParquetSink): Promise<void> {
  const env = new LocalEnvironment('write');
  env.fromCollection(records as never[]).sink(sink);
  await env.submit({ autostop: true });
}

describe('what was written is read again', () => {
  test('JSON lines are what JSON.stringify makes of each record, also to JSON.parse', async () => {
    const path = join(folder, 'out.jsonl');
    const records = [
      { a: 1, b: 'é😀\n\u2028"\\', c: null, d: undefined, e: [1, [undefined, null], { x: -0 }], f: new Date(0), g: true },
      { a: 'text', b: 1.5e300, c: [], d: {}, h: Number.NaN, i: Number.POSITIVE_INFINITY, j: new Date(Number.NaN) },
      { 'a b': 1, '': 2, 2: 3, 1: 4, '"': 5, 'é': 6, '\ud800': 7 },
      Object.fromEntries([['__proto__', 1], ['constructor', 2], ['toString', 3]]),
      { t: '\ud83d alone', u: '\u0000\u001f\u007f' },
      'a text', 5, true, null, [], [1, 'two', [3]], {}, -0, '',
      { toJSON: 'a field' },
    ];
    await write(records, new JsonLinesSink(path));
    const lines = readFileSync(path, 'utf8').split('\n');
    expect(lines.pop()).toBe('');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(records.map((record) => JSON.parse(JSON.stringify(record)) as unknown));
    expect(await read('jsonLines', path)).toEqual(lines.map((line) => JSON.parse(line) as unknown));
  });

  test('numbers that JSON does not have are null, also behind objects', async () => {
    const path = join(folder, 'out.jsonl');
    await write([{ a: 1 }, Number.NaN, { a: Number.NaN }, Number.NEGATIVE_INFINITY, 'x', Number.NaN], new JsonLinesSink(path));
    expect(readFileSync(path, 'utf8')).toBe('{"a":1}\nnull\n{"a":null}\nnull\n"x"\nnull\n');
  });

  test('text lines: each string with a line end', async () => {
    const path = join(folder, 'out.txt');
    const records = ['', 'a', 'é😀', ' b ', '\uFEFFc', 'x'.repeat(3 * 2 ** 20), 'd\r', ''];
    await write(records, new TextLinesSink(path));
    expect(readFileSync(path, 'utf8')).toBe(records.map((record) => `${record}\n`).join(''));
    expect(await read('textLines', path)).toEqual(records.map((record) => record.replace(/\r$/, '')));
  });

  test('Parquet rows whose first records have only nulls in a field', async () => {
    const path = join(folder, 'out.parquet');
    const records = numbers(3000).map((n) => ({ n, late: n < 1500 ? null : `n${n}`, deep: n < 20 ? null : { a: n < 700 ? null : n / 2 } }));
    await write(records, new ParquetSink(path));
    expect(await read('parquet', path)).toEqual(records);
  });
});

describe.each(FORMATS)('%s', (format) => {
  const all = numbers(3000).map((n) => recordOf[format](n));

  test('{part} in the path: a file for each instance, all records in one of them', async () => {
    const result = await writeFile.run({ format, path: join(folder, 'a-{part}.out'), records: 3000 }, { parallelism: 3 });
    expect(result.isolates).toBeGreaterThanOrEqual(2);
    const names = readdirSync(folder).toSorted();
    expect(names).toEqual(['a-00000.out', 'a-00001.out', 'a-00002.out']);
    const parts = await Promise.all(names.map((name) => read(format, join(folder, name))));
    expect(parts.filter((part) => part.length === 0)).toEqual([]);
    expect(byNumber(parts.flat())).toEqual(all);
  });

  test('a folder as the path: parts in it', async () => {
    mkdirSync(join(folder, 'out'));
    await writeFile.run({ format, path: `${join(folder, 'out')}/`, records: 3000 }, { parallelism: 2 });
    const names = readdirSync(join(folder, 'out')).toSorted();
    expect(names).toEqual(['00000', '00001'].map((part) => `part-${part}.${EXTENSIONS[format]}`));
    const parts = await Promise.all(names.map((name) => read(format, join(folder, 'out', name))));
    expect(byNumber(parts.flat())).toEqual(all);
  });

  test('one path and several instances before it: one writer has all records', async () => {
    const path = join(folder, 'one');
    const result = await writeFile.run({ format, path, records: 3000 }, { parallelism: 3 });
    expect(result.isolates).toBeGreaterThanOrEqual(2);
    expect(result.recordsOut).toBe(3000);
    expect(byNumber(await read(format, path))).toEqual(all);
  });

  test('one path for several writers is an error before anything runs', async () => {
    const error: unknown = await writeFile.run({ format, path: join(folder, 'one'), records: 10, sinks: 2 }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'SAGE_PLAN_OUTPUT_PATH', domain: 'user' });
    expect((error as SageError).declaredAt?.file).toContain('pipelines/files.ts');
    expect(readdirSync(folder)).toEqual([]);
  });

  test('no record at all: a file that is there and has none', async () => {
    const path = join(folder, 'none');
    await writeFile.run({ format, path, records: 0 });
    expect(await read(format, path)).toEqual([]);
  });

  test('the old file is there until the job has ended, also through a link', async () => {
    const path = join(folder, 'out');
    const link = join(folder, 'link');
    writeFileSync(path, 'before');
    symlinkSync(path, link);
    const seen = new Set<string>();
    const env = new LocalEnvironment('replaces');
    env
      .fromSource(function* () {
        for (let n = 0; n < 3000; n++) {
          if (n % 500 === 499) seen.add(readFileSync(path, 'utf8'));
          yield recordOf[format](n) as never;
        }
      })
      .sink(format === 'textLines' ? new TextLinesSink(link) : format === 'jsonLines' ? new JsonLinesSink(link) : new ParquetSink(link));
    await env.submit({ autostop: true });
    expect(seen).toEqual(new Set(['before']));
    expect(await read(format, path)).toEqual(all);
    expect(readdirSync(folder).toSorted()).toEqual(['link', 'out']);
    expect(statSync(link).ino).toBe(statSync(path).ino);
  });

  test('a file that is read and written by one job is read as it was', async () => {
    const path = join(folder, 'both');
    await writeFile.run({ format, path, records: 3000 });
    const env = new LocalEnvironment('in place');
    const source = env.fromSource<unknown>(format === 'textLines' ? FileSource.textLines(path) : format === 'jsonLines' ? FileSource.jsonLines(path) : FileSource.parquet(path));
    const kept = source.filter((record) => numberOf(record) % 2 === 0);
    (kept as never as ReturnType<typeof env.fromCollection<never>>).sink(format === 'textLines' ? new TextLinesSink(path) : format === 'jsonLines' ? new JsonLinesSink(path) : new ParquetSink(path));
    await env.submit({ autostop: true });
    expect(await read(format, path)).toEqual(all.filter((record) => numberOf(record) % 2 === 0));
    expect(readdirSync(folder)).toEqual(['both']);
  });
});

test('two sinks of a job with one file, whatever its names are, are an error before anything runs', async () => {
  const path = join(folder, 'out.jsonl');
  for (const other of [path, join(folder, 'x', '..', 'out.jsonl').replace('out.jsonl', './out.jsonl'), relative(process.cwd(), path)]) {
    const env = new LocalEnvironment('twice');
    env.fromCollection([1]).sink(new JsonLinesSink(path)).sink(new JsonLinesSink(other));
    await expect(env.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_PLAN_OUTPUT_PATH' });
  }
  expect(readdirSync(folder)).toEqual([]);
});
