import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, openSync, closeSync, readFileSync, rmSync, writeFileSync, writeSync, globSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, gunzipSync, zstdCompressSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';

import { CsvSink, FileSource, JsonSink, LocalEnvironment } from '../../ts/index.ts';
import { numbers, recordsOf, runToArray } from './support/run-to-array.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-csv-json-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string): string => join(folder, name);
const byId = (a: { id: number }, b: { id: number }): number => a.id - b.id;

async function write(records: readonly object[], sink: CsvSink | JsonSink): Promise<void> {
  const env = new LocalEnvironment('write');
  env.fromCollection(records).sink(sink);
  await env.submit({ autostop: true });
}

describe('sets of files', () => {
  const records = numbers(3000).map((id) => ({ id, text: `line\n"${id}"` }));
  const csv = (part: typeof records): string => `id,text\n${part.map(({ id, text }) => `${id},"${text.replaceAll('"', '""')}"\n`).join('')}`;
  const half = [records.slice(0, 1500), records.slice(1500)] as const;

  test.each([1, 3])('CSV files, compressed and not, at parallelism %i', async (parallelism) => {
    writeFileSync(at('a.csv'), csv(half[0]));
    writeFileSync(at('b.csv.gz'), gzipSync(csv(half[1])));
    const read = await recordsOf((env) => env.fromSource(FileSource.csv<{ id: number; text: string }>(at('*.csv{,.gz}'))).parallelism(parallelism));
    expect(read.toSorted(byId)).toEqual(records);
  });

  test.each([1, 3])('JSON documents, compressed and not, at parallelism %i', async (parallelism) => {
    writeFileSync(at('a.json'), JSON.stringify({ rows: half[0] }, null, 1));
    writeFileSync(at('b.json.zst'), zstdCompressSync(JSON.stringify({ rows: half[1] })));
    const read = await recordsOf((env) => env.fromSource(FileSource.json<{ id: number; text: string }>(`${folder}/`, { at: 'rows' })).parallelism(parallelism));
    expect(read.toSorted(byId)).toEqual(records);
  });

  test('what each file leaves out is counted together, and names decide, not places', async () => {
    writeFileSync(at('a.csv'), 'a,b\n1,x\n2\n');
    writeFileSync(at('b.csv'), 'b,a\ny,3\n,,,\n"\n');
    const { records: read, result } = await runToArray((env) => env.fromSource(FileSource.csv<{ a: number }>([at('a.csv'), at('b.csv')], { columns: ['a'], onError: 'skip' })));
    expect(read).toEqual([{ a: 1 }, { a: 3 }]);
    expect(result).toMatchObject({ recordsSkipped: 3, recordsIn: 2 });
  });

  test('a schema checks what is read, and its output is the record', async () => {
    writeFileSync(at('a.csv'), 'id,sold,rest\n1,2024-02-29,x\n');
    writeFileSync(at('a.json'), '[{"id":1,"sold":"2024-02-29","rest":2}]');
    const schema = z.object({ id: z.number(), sold: z.string().transform((text) => new Date(text)) });
    const expected = [{ id: 1, sold: new Date('2024-02-29') }];
    expect(await recordsOf((env) => env.fromSource(FileSource.csv(at('a.csv'), { schema })))).toEqual(expected);
    expect(await recordsOf((env) => env.fromSource(FileSource.json(at('a.json'), { schema })))).toEqual(expected);
  });
});

describe('outputs', () => {
  test('what is appended to CSV goes into its columns, without a second header', async () => {
    for (const name of ['log.csv', 'log.csv.gz']) {
      await write([{ a: 1, b: 'x' }], new CsvSink(at(name), { append: true }));
      await write([{ b: 'y', a: 2 }], new CsvSink(at(name), { append: true }));
      const text = readFileSync(at(name));
      expect(parse(name.endsWith('.gz') ? gunzipSync(text) : text)).toEqual([['a', 'b'], ['1', 'x'], ['2', 'y']]);
    }
    await expect(write([{ c: 3 }], new CsvSink(at('log.csv'), { append: true }))).rejects.toMatchObject({ code: 'SAGE_FORMAT_RECORD' });
  });

  test('a JSON array is compressed, but not appended to', async () => {
    await write([{ a: 1 }, { a: 2 }], new JsonSink(at('a.json.gz')));
    expect(JSON.parse(gunzipSync(readFileSync(at('a.json.gz'))).toString())).toEqual([{ a: 1 }, { a: 2 }]);
    expect(() => new JsonSink(at('a.json'), { append: true } as never)).toThrow(expect.objectContaining({ code: 'SAGE_PLAN_ARGUMENT', message: expect.stringContaining('bracket') as string }));
  });

  test('folders by the values of a field, each file whole', async () => {
    const records = numbers(10).map((n) => ({ kind: n % 2 === 0 ? 'even' : 'odd', n }));
    await write(records, new CsvSink(at('csv/'), { partitionBy: ['kind'], mkdir: true, maxFileRows: 3 }));
    await write(records, new JsonSink(at('json/'), { partitionBy: ['kind'], mkdir: true, keepPartitionFields: true }));
    const rows = (kind: string): unknown[] => globSync(`csv/kind=${kind}/*.csv`, { cwd: folder }).toSorted().flatMap((name) => parse(readFileSync(at(name)), { columns: true, cast: true }) as unknown[]);
    expect(rows('odd')).toEqual([1, 3, 5, 7, 9].map((n) => ({ n })));
    const arrays = globSync('json/**/*.json', { cwd: folder }).flatMap((name) => JSON.parse(readFileSync(at(name), 'utf8')) as { n: number }[]);
    expect(arrays.toSorted((a, b) => a.n - b.n)).toEqual(records);
  });
});

describe.skipIf(process.platform === 'win32')('pipes', () => {
  test.each(['stop', 'cancel'] as const)('a silent pipe does not hold back %s', async (how) => {
    const kinds = [['csv', 'a,b\n1', (path: string) => FileSource.csv(path)], ['json', '[{"a":', (path: string) => FileSource.json(path)]] as const;
    for (const [kind, text, source] of kinds) {
      const pipe = at(`${kind}-${how}`);
      execFileSync('mkfifo', [pipe]);
      const fd = openSync(pipe, 'r+');
      writeSync(fd, text);
      const env = new LocalEnvironment('silent');
      env.fromSource<unknown>(source(pipe)).sink([]);
      const job = await env.submit();
      await job[how]();
      expect(job.status).toBe(how === 'stop' ? 'stopped' : 'canceled');
      closeSync(fd);
    }
  });

  test.each(['csv', 'json'] as const)('%s from the standard input to the standard output', async (kind) => {
    const [source, sink] = kind === 'csv' ? ["FileSource.csv('-')", "new CsvSink('-')"] : ["FileSource.json('-')", "new JsonSink('-')"];
    const program = at('program.ts');
    writeFileSync(
      program,
      `import { CsvSink, FileSource, JsonSink, LocalEnvironment } from ${JSON.stringify(join(import.meta.dirname, '../../ts/index.ts'))};
const env = new LocalEnvironment('through');
env.fromSource(${source}).sink(${sink});
await env.submit({ autostop: true });
`,
    );
    const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    const exit = new Promise((resolve) => child.on('close', resolve));
    const text = kind === 'csv' ? 'a,b\n1,x\n2,y\n' : '[\n{"a":1},\n{"a":2}\n]\n';
    child.stdin.end(text);
    expect(await exit).toBe(0);
    expect(Buffer.concat(chunks).toString()).toBe(text);
  });
});
