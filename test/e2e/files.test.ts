import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { threadId } from 'node:worker_threads';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { FileSource, type JobResult, LocalEnvironment, ParquetSink } from '../../ts/index.ts';
import { type FileFormat, type FileLane, arrivals, readFiles } from './pipelines/files.ts';
import { JSON_FILES, TEXT_FILES, jsonRecordsOf, linesOf } from './support/line-files.ts';
import { numbers, recordsOf } from './support/run-to-array.ts';

const PARALLELISMS = [1, 2, 3, 5] as const;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-files-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The records of each file in the order of readers, which is the order in the file: each reader has a part of it. */
async function read(lanes: readonly FileLane[], parallelism: number): Promise<{ files: unknown[][]; result: JobResult }> {
  arrivals.length = 0;
  const result = await readFiles.run(lanes, { parallelism });
  const files = lanes.map((_, lane) => arrivals.filter((arrival) => arrival.lane === lane).toSorted((a, b) => a.instance - b.instance));
  return { files: files.map((own) => own.map(({ record }) => record)), result };
}

function write(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** A file to read, and what is in it. */
interface Case {
  readonly lane: FileLane;
  readonly name: string;
  readonly records: readonly unknown[];
}

const ROWS = numbers(2000).map((n) => ({ n, text: `é😀${n}`, when: new Date(n), nested: { half: n / 2, none: n % 3 === 0 ? null : 'x' }, list: [n, [null]] }));
const LOOSE = numbers(500).map((n) => ({ a: n, skipped: `{"}${n}`, ...(n % 3 === 0 ? {} : { b: { c: [n] } }), ...(n % 7 === 0 ? { '': null } : {}) }));
/** What is no object has no fields to leave away. */
const OTHERS = '7\n["a"]\n"b"\n{}\n{"d":1}';
const PARQUET_FILES = {
  'as many row groups as are worth it': [100, 2000],
  'fewer row groups than readers': [1500, 2000],
  'row groups of one row': [1, 7],
  'one row': [10, 1],
  'no row': [10, 0],
} as const;

/** What each format has to read; Parquet files are written by us, for nobody else here can. */
async function casesOf(format: FileFormat): Promise<Case[]> {
  if (format !== 'parquet') {
    const [samples, oracle] = format === 'textLines' ? [TEXT_FILES, linesOf] : [JSON_FILES, jsonRecordsOf];
    const cases = Object.entries(samples).map(([name, content], n) => ({ name, lane: { format, path: write(`${format}-${n}`, content) }, records: oracle(content) }));
    if (format === 'textLines') return cases;
    const path = write('columns.jsonl', `${LOOSE.map((record) => JSON.stringify(record)).join('\n')}\n${OTHERS}`);
    const records = [...LOOSE.map(({ a, b }) => (b === undefined ? { a } : { a, b })), 7, ['a'], 'b', {}, {}];
    return [...cases, { name: 'some of the columns', lane: { format, path, columns: ['b', 'a'] }, records }];
  }
  const cases = [];
  for (const [name, [rowGroupRows, count]] of Object.entries(PARQUET_FILES)) {
    const path = join(folder, `${rowGroupRows}-${count}.parquet`);
    const env = new LocalEnvironment('write');
    env.fromCollection(ROWS.slice(0, count)).sink(new ParquetSink(path, { rowGroupRows }));
    await env.submit({ autostop: true });
    cases.push({ name, lane: { format, path }, records: ROWS.slice(0, count) });
  }
  const { lane } = cases[0]!;
  return [...cases, { name: 'some of the columns', lane: { ...lane, columns: ['nested', 'n'] }, records: ROWS.map(({ n, nested }) => ({ n, nested })) }];
}

const FORMATS = ['textLines', 'jsonLines', 'parquet'] as const;
const NAMES = {
  textLines: Object.keys(TEXT_FILES),
  jsonLines: [...Object.keys(JSON_FILES), 'some of the columns'],
  parquet: [...Object.keys(PARQUET_FILES), 'some of the columns'],
} as const;

let cases: Case[];
beforeAll(async () => {
  cases = (await Promise.all(FORMATS.map(casesOf))).flat();
});

describe.each(PARALLELISMS)('%i readers: every record once and in order', (parallelism) => {
  let files: unknown[][];
  let result: JobResult;

  beforeAll(async () => {
    ({ files, result } = await read(cases.map(({ lane }) => lane), parallelism));
  });

  test.each(FORMATS.flatMap((format) => NAMES[format].map((name) => [format, name] as const)))('%s: %s', (format, name) => {
    const index = cases.findIndex((one) => one.lane.format === format && one.name === name);
    expect(files[index]).toEqual(cases[index]!.records);
  });

  test('the counts of the job say so too, and functions ran where they were to', () => {
    expect(result.recordsIn).toBe(cases.reduce((sum, { records }) => sum + records.length, 0));
    expect(result.isolates >= 2).toBe(parallelism > 1);
    for (const name of ['lines of very different lengths', 'as many row groups as are worth it']) {
      const lane = cases.findIndex((one) => one.name === name);
      expect(new Set(arrivals.filter((arrival) => arrival.lane === lane).map(({ instance }) => instance)).size).toBe(parallelism);
    }
    expect(arrivals.every(({ thread }) => (thread === threadId) === (parallelism === 1))).toBe(true);
  });
});

describe('any text, any number of readers', () => {
  const line = fc.oneof({ weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) }, fc.string({ unit: fc.constantFrom('é', '😀', '漢', 'a'), maxLength: 40 }))
    .map((text) => text.replaceAll('\n', ''));
  const content = fc.tuple(fc.boolean(), fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n'))), line)
    .map(([mark, lines, last]) => `${mark ? '\uFEFF' : ''}${lines.map(([text, end]) => text + end).join('')}${last}`);

  test('text lines', async () => {
    await fc.assert(fc.asyncProperty(content, fc.integer({ min: 1, max: 7 }), async (text, parallelism) => {
      const path = write('random.txt', text);
      const records = await recordsOf((env) => env.fromSource(FileSource.textLines(path)), { parallelism });
      expect(records.toSorted()).toEqual(linesOf(Buffer.from(text)).toSorted());
    }));
  });

  test('JSON lines', async () => {
    const records = fc.array(fc.jsonValue());
    await fc.assert(fc.asyncProperty(records, fc.integer({ min: 1, max: 7 }), fc.constantFrom('\n', '\r\n', '\n \n'), async (values, parallelism, end) => {
      const path = write('random.jsonl', values.map((value) => JSON.stringify(value)).join(end));
      const expected = values.map((value) => JSON.parse(JSON.stringify(value)) as unknown);
      const read = await recordsOf((env) => env.fromSource(FileSource.jsonLines(path)), { parallelism });
      const texts = (list: readonly unknown[]): string[] => list.map(canonical).toSorted();
      expect(texts(read)).toEqual(texts(expected));
      if (parallelism === 1) expect(read).toEqual(expected);
    }));
  });
});

/** A JSON text with the fields in the order of their names. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
}

describe('what a path may be', () => {
  test('a file: URL, and names with blanks, percent signs and characters of several bytes', async () => {
    const path = write('50%25 é😀 "name".txt', 'a\nb\n');
    expect(await recordsOf((env) => env.fromSource(FileSource.textLines(path)))).toEqual(['a', 'b']);
    expect(await recordsOf((env) => env.fromSource(FileSource.textLines(pathToFileURL(path))))).toEqual(['a', 'b']);
  });

  test('one file for several sources of a job', async () => {
    const path = write('twice.txt', 'a\nb\n');
    const records = await recordsOf((env) => env.fromSource(FileSource.textLines(path)).union(env.fromSource(FileSource.textLines(path))));
    expect(records.toSorted()).toEqual(['a', 'a', 'b', 'b']);
  });
});

describe('what is special about numbers of bytes', () => {
  test('a line of exactly a block, one byte less and one more', async () => {
    const lengths = [-2, -1, 0, 1, 2].map((more) => 256 * 1024 + more);
    for (const end of ['\n', '\r\n']) {
      const path = write('blocks.txt', lengths.map((length) => 'x'.repeat(length) + end).join(''));
      const records = await recordsOf((env) => env.fromSource(FileSource.textLines(path)));
      expect(records.map(({ length }) => length)).toEqual(lengths);
    }
  });

  test('maxLineBytes: a line of as many bytes is read, a longer one is an error that says where it begins', async () => {
    const path = write('long.txt', `ab\n${'x'.repeat(10)}\n${'x'.repeat(11)}\n`);
    const limited = (maxLineBytes: number): Promise<string[]> => recordsOf((env) => env.fromSource(FileSource.textLines(path, { maxLineBytes })));
    expect(await limited(11)).toHaveLength(3);
    await expect(limited(10)).rejects.toMatchObject({ code: 'SAGE_FORMAT_RECORD', context: { file: path, byte: 14 } });
  });
});
