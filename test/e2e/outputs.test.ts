import { globSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { tableFromIPC } from 'apache-arrow';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { ArrowSink, FileSource, JsonLinesSink, LocalEnvironment, TextLinesSink } from '../../ts/index.ts';
import { partitionedRecord, writeOutput } from './pipelines/outputs.ts';
import { numbers, recordsOf } from './support/run-to-array.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-outputs-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function write(records: readonly unknown[], sink: JsonLinesSink | TextLinesSink | ArrowSink): Promise<void> {
  const env = new LocalEnvironment('write');
  env.fromCollection(records as never[]).sink(sink);
  await env.submit({ autostop: true });
}

const parsed = (text: string): unknown[] => text.split('\n').slice(0, -1).map((line) => JSON.parse(line) as unknown);
const files = (): string[] => globSync('**/*', { cwd: folder }).filter((name) => statSync(join(folder, name)).isFile()).toSorted();
/** Names of temporary files begin with a dot, which globs leave away. */
const hidden = (): string[] => readdirSync(folder, { recursive: true }).map(String).filter((name) => /(^|\/)\./.test(name));

describe('compressed lines, read by Node', () => {
  const records = numbers(5000).map((n) => ({ n, text: `é😀\n${n}` }));

  test('.gz and .zst in the path decide; Node reads what was written', async () => {
    await write(records, new JsonLinesSink(join(folder, 'a.jsonl.gz')));
    await write(records, new JsonLinesSink(join(folder, 'a.jsonl.zst'), { compressionLevel: 9 }));
    await write(records, new JsonLinesSink(join(folder, 'plain.gz'), { compression: 'none' }));
    expect(parsed(gunzipSync(readFileSync(join(folder, 'a.jsonl.gz'))).toString())).toEqual(records);
    expect(parsed(zstdDecompressSync(readFileSync(join(folder, 'a.jsonl.zst'))).toString())).toEqual(records);
    expect(parsed(readFileSync(join(folder, 'plain.gz'), 'utf8'))).toEqual(records);
  });

  test('appended members and frames are one text', async () => {
    for (const path of [join(folder, 'log.gz'), join(folder, 'log.zst'), join(folder, 'log')]) {
      for (const part of [0, 1, 2]) await write(records.slice(part * 1000, part * 1000 + 1000), new JsonLinesSink(path, { append: true }));
    }
    const texts = [gunzipSync(readFileSync(join(folder, 'log.gz'))), zstdFrames(readFileSync(join(folder, 'log.zst'))), readFileSync(join(folder, 'log'))];
    for (const text of texts) expect(parsed(text.toString())).toEqual(records.slice(0, 3000));
  });
});

/** Node stops behind the first frame. */
function zstdFrames(bytes: Buffer): Buffer {
  const texts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const { buffer, engine } = zstdDecompressSync(bytes.subarray(at), { info: true } as object) as never as { buffer: Buffer; engine: { bytesWritten: number } };
    texts.push(buffer);
    at += engine.bytesWritten;
  }
  return Buffer.concat(texts);
}

describe('append', () => {
  test('a job that fails leaves the file as it was, and nothing beside it', async () => {
    const path = join(folder, 'log');
    writeFileSync(path, 'old, without line end');
    const env = new LocalEnvironment('fails');
    env
      .fromSource(function* () {
        for (let n = 0; n < 50_000; n++) {
          if (n === 49_999) throw new Error('late');
          yield `line ${n}`;
        }
      })
      .sink(new TextLinesSink(path, { append: true }));
    await expect(env.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_USER_SOURCE' });
    expect(readFileSync(path, 'utf8')).toBe('old, without line end');
    expect(readdirSync(folder)).toEqual(['log']);

    await write(['new'], new TextLinesSink(path, { append: true }));
    expect(readFileSync(path, 'utf8')).toBe('old, without line end\nnew\n');
  });

  test('somebody else who writes meanwhile is noticed, and keeps what he wrote', async () => {
    const path = join(folder, 'log');
    writeFileSync(path, 'old\n');
    const env = new LocalEnvironment('races');
    env
      .fromSource(async function* () {
        yield 'a';
        // The sink has looked at the file when its temporary one is there.
        while (hidden().length === 0) await new Promise((resolve) => setImmediate(resolve));
        writeFileSync(path, 'old\nother\n');
      })
      .sink(new TextLinesSink(path, { append: true }));
    await expect(env.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_IO_CHANGED', retryable: true, context: { file: path } });
    expect(readFileSync(path, 'utf8')).toBe('old\nother\n');
  });
});

describe('partitions', () => {
  const expected = new Map<string, unknown[]>();
  for (const n of numbers(3000)) {
    const { k, day, ...rest } = partitionedRecord(n);
    const name = `day=${day ?? '__HIVE_DEFAULT_PARTITION__'}/k=${k}`;
    expected.set(name, [...(expected.get(name) ?? []), rest]);
  }

  test.each(['jsonLines', 'parquet', 'arrow'] as const)('%s: every record is in the folder of its values, once, whatever instance wrote it', async (format) => {
    const result = await writeOutput.run({ format, path: `${folder}/`, records: 3000, options: { partitionBy: ['day', 'k'], maxOpenFiles: 3 } }, { parallelism: 3 });
    expect(result.recordsOut).toBe(3000);
    const found = new Map<string, { n: number }[]>();
    for (const name of files()) {
      expect(name).toMatch(/\/part-0000[012]-\d{5}\.(jsonl|parquet|arrow)$/);
      const path = join(folder, name);
      const source = format === 'jsonLines' ? FileSource.jsonLines<{ n: number }>(path) : FileSource[format]<{ n: number }>(path);
      found.set(dirname(name), [...(found.get(dirname(name)) ?? []), ...(await recordsOf((env) => env.fromSource(source)))]);
    }
    expect([...found.keys()].toSorted()).toEqual([...expected.keys()].toSorted());
    for (const [name, records] of found) expect(records.toSorted((a, b) => a.n - b.n)).toEqual(expected.get(name));
    expect(hidden()).toEqual([]);
  });

  test('a job that fails leaves no file and no folder', async () => {
    const env = new LocalEnvironment('fails');
    env.fromCollection([{ k: 'a' }, { k: 'b' }, { k: { not: 'a name' } }]).sink(new JsonLinesSink(`${folder}/`, { partitionBy: ['k'] }));
    const error: unknown = await env.submit({ autostop: true }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'SAGE_FORMAT_RECORD', message: expect.stringContaining('field k') as string });
    expect(readdirSync(folder)).toEqual([]);
  });

  test('records of any shapes: the files together hold exactly the records', async () => {
    const scalar = fc.oneof(fc.string(), fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null), fc.string({ unit: 'binary', maxLength: 20 }));
    const record = fc.record({ key: scalar, n: fc.oneof(fc.integer(), fc.string(), fc.array(fc.integer())), extra: fc.dictionary(fc.string(), scalar) }, { requiredKeys: ['n'] });
    await fc.assert(
      fc.asyncProperty(fc.array(record, { maxLength: 12 }), fc.boolean(), async (records, keep) => {
        const path = mkdtempSync(join(folder, 'run-'));
        await write(records, new JsonLinesSink(`${path}/`, { partitionBy: ['key'], keepPartitionFields: keep, maxOpenFiles: 2 }));
        const found = globSync('*/*', { cwd: path }).flatMap((name) => parsed(readFileSync(join(path, name), 'utf8')).map((value) => ({ folder: dirname(name), value })));
        const wanted = records.map(({ key, ...rest }) => {
          const text = key === null || key === undefined || key === '' ? '__HIVE_DEFAULT_PARTITION__' : hive(String(key));
          return { folder: `key=${text}`, value: JSON.parse(JSON.stringify(keep && key !== undefined ? { key, ...rest } : rest)) as unknown };
        });
        const sorted = (all: readonly object[]): string[] => all.map((one) => stable(one)).toSorted();
        expect(sorted(found)).toEqual(sorted(wanted));
      }),
      { numRuns: 25 },
    );
  }, 60_000);
});

/** The escapes of Hive, written down once more. */
function hive(text: string): string {
  const escaped = (char: string): boolean => char < ' ' || '"#%\'*/:=?\\\x7F{[]^'.includes(char);
  return [...text].map((char) => (escaped(char) ? `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}` : char)).join('');
}

/** JSON with names in order. */
function stable(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
}

describe('a folder with parts of an earlier run', () => {
  const run = (parallelism: number, options: object): Promise<unknown> =>
    writeOutput.run({ format: 'jsonLines', path: `${folder}/`, records: 100, options }, { parallelism });

  test('with more instances is refused, unless it is said what becomes of them', async () => {
    await run(2, {});
    const error: unknown = await run(1, {}).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'SAGE_IO_EXISTS', message: expect.stringContaining("existing: 'replace'") as string });
    expect(files()).toEqual(['part-00000.jsonl', 'part-00001.jsonl']);
    await run(1, { existing: 'replace' });
    expect(files()).toEqual(['part-00000.jsonl']);
    expect(files().flatMap((name) => parsed(readFileSync(join(folder, name), 'utf8')))).toHaveLength(100);
    await run(1, { existing: 'add' });
    expect(files().flatMap((name) => parsed(readFileSync(join(folder, name), 'utf8')))).toHaveLength(200);
  });
});

describe('Arrow, read by apache-arrow', () => {
  const records = numbers(300).map((n) => ({ n, x: n / 2 + 0.25, text: `é😀${n}`, flag: n % 2 === 0, at: new Date(n * 1000), place: { x: n, name: null }, late: n < 200 ? null : 'z' }));

  test.each(['file', 'stream'] as const)('a %s has the records', async (format) => {
    const path = join(folder, 'out.arrow');
    await write(records, new ArrowSink(path, { format }));
    const table = tableFromIPC(readFileSync(path));
    const rows = table.toArray().map((row: { toJSON(): Record<string, unknown> }) => {
      const { at, place, ...rest } = row.toJSON() as { at: number; place: { toJSON(): unknown } };
      return { ...rest, at: new Date(at), place: place.toJSON() };
    });
    expect(rows).toEqual(records);
    expect(await recordsOf((env) => env.fromSource(FileSource.arrow(path)))).toEqual(records);
  });

  test('and compressed it comes back to us', async () => {
    for (const compression of ['lz4', 'zstd'] as const) {
      const path = join(folder, `out-${compression}.arrow`);
      await write(records, new ArrowSink(path, { compression }));
      expect(await recordsOf((env) => env.fromSource(FileSource.arrow(path)))).toEqual(records);
    }
  });
});

test('names of 255 bytes can be written', async () => {
  const name = `${'é'.repeat(124)}.jsonl`;
  await write([1, 2], new JsonLinesSink(join(folder, name)));
  expect(files()).toEqual([name]);
});

describe('standard output is one, before anything runs', () => {
  test('two sinks that write it are an error', async () => {
    const env = new LocalEnvironment('twice');
    env.fromCollection(['a']).sink(new TextLinesSink('-')).sink(new JsonLinesSink('-'));
    await expect(env.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_PLAN_OUTPUT_PATH' });
  });

  test('and so are two instances of one', async () => {
    const env = new LocalEnvironment('instances');
    env.fromCollection(['a']).sink(new TextLinesSink('-'), { parallelism: 2 });
    await expect(env.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_PLAN_OUTPUT_PATH', message: expect.stringContaining('standard output') as string });
  });

  test('explain says where records go', () => {
    const env = new LocalEnvironment('plan');
    env.fromCollection([{ a: 1 }]).sink(new JsonLinesSink('-')).sink(new JsonLinesSink('out/', { partitionBy: ['a'] }));
    const plan = env.explain('logical');
    expect(plan).toContain('jsonLines to standard output');
    expect(plan).toContain("jsonLines 'out/' by a");
  });
});
