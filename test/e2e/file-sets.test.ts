import { chmodSync, globSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { FileSource, LocalEnvironment, ParquetSink, type SageError } from '../../ts/index.ts';
import { numbers, recordsOf } from './support/run-to-array.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-sets-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

/** A file that appears whole, as the guide says it should. */
function publish(name: string, content: string | Buffer): void {
  renameSync(write(`${dirname(name)}/.${name.split('/').at(-1)}`, content), join(folder, name));
}

const lines = (path: string | readonly string[], parallelism = 1): Promise<string[]> =>
  recordsOf((env) => env.fromSource(FileSource.textLines(path)), { parallelism });

describe('paths', () => {
  test('a file, a directory, a pattern, a URL, and lists of them: in order, each file once', async () => {
    for (const name of ['a.txt', 'b.txt', 'd/1', 'd/e/2', '.hidden', '_done']) write(name, `${name}\n`);
    expect(await lines(folder)).toEqual(['a.txt', 'b.txt', 'd/1', 'd/e/2']);
    expect(await lines(`${folder}/*.txt`)).toEqual(['a.txt', 'b.txt']);
    const list = [pathToFileURL(join(folder, 'b.txt')), `${folder}/d`, `${folder}/*.txt`];
    expect(await recordsOf((env) => env.fromSource(FileSource.textLines(list)))).toEqual(['b.txt', 'd/1', 'd/e/2', 'a.txt']);
  });

  test('relative to the working directory, as they are shown in errors', async () => {
    const pattern = 'test/e2e/support/no-such-*.ts';
    await expect(lines(pattern)).rejects.toMatchObject({ code: 'SAGE_IO_NOT_FOUND', context: { file: pattern } });
    expect(await lines('test/e2e/support/run-to-*.ts')).toContain('/** Whole numbers from 0, `count` of them. */');
  });

  test('patterns mean what they mean to Node', async () => {
    const name = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 2 });
    const file = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => `${names.join('/')}.t`);
    const part = fc.oneof(name, fc.constantFrom('*', '?', 'a*', '*b', '[ab]', '[!a]*', '{a,b}', '{aa,b*}', '**'));
    const pattern = fc.tuple(fc.array(part, { maxLength: 2 }), fc.constantFrom('*.t', '?.t', '{a,bb}.t', '[a-b]*.t', 'a.t')).map(([parts, last]) => [...parts, last].join('/'));
    let matched = 0;
    await fc.assert(fc.asyncProperty(fc.uniqueArray(file, { minLength: 1, maxLength: 12 }), pattern, async (files, wanted) => {
      rmSync(folder, { recursive: true, force: true });
      for (const path of files) write(path, `${path}\n`);
      const expected = globSync(wanted, { cwd: folder }).filter((path) => statSync(join(folder, path)).isFile()).toSorted();
      const found = await lines(`${folder}/${wanted}`).catch((error: SageError) => {
        expect(error).toMatchObject({ code: 'SAGE_IO_NOT_FOUND' });
        return [];
      });
      expect(found.toSorted()).toEqual(expected);
      matched += expected.length;
    }), { numRuns: 60 });
    expect(matched).toBeGreaterThan(0);
  });

  test('a link to a file or a directory is followed', async () => {
    write('real/a', 'a\n');
    mkdirSync(join(folder, 'in'));
    symlinkSync(join(folder, 'real'), join(folder, 'in/linked'));
    symlinkSync(join(folder, 'real/a'), join(folder, 'in/file'));
    expect(await lines(join(folder, 'in'))).toEqual(['a', 'a']);
  });

  test.skipIf(process.getuid?.() === 0)('a directory that may not be entered is an error, not fewer records', async () => {
    write('a', 'a\n');
    chmodSync(dirname(write('secret/b', 'b\n')), 0o000);
    await expect(lines(folder)).rejects.toMatchObject({ code: 'SAGE_IO_PERMISSION' });
    chmodSync(join(folder, 'secret'), 0o700);
  });
});

describe('many files, several readers', () => {
  test('every line once, whatever is compressed and however it is cut', async () => {
    const file = fc.record({
      lines: fc.array(fc.string({ unit: fc.constantFrom('a', 'é', '😀', ' '), maxLength: 10 }), { maxLength: 30 }),
      end: fc.constantFrom('', '\n'),
      pack: fc.constantFrom((text: Buffer) => text, gzipSync, zstdCompressSync, (text: Buffer) => Buffer.concat([gzipSync(text.subarray(0, 7)), gzipSync(text.subarray(7))])),
    });
    await fc.assert(fc.asyncProperty(fc.array(file, { minLength: 1, maxLength: 8 }), fc.integer({ min: 1, max: 5 }), async (files, parallelism) => {
      rmSync(folder, { recursive: true, force: true });
      const expected = files.flatMap(({ lines: texts, end, pack }, index) => {
        const named = texts.map((text, at) => `${index}:${at}:${text}`);
        write(`${index}`, pack(Buffer.from(named.join('\n') + (named.length === 0 ? '' : end))));
        return named;
      });
      const found = await lines(folder, parallelism);
      if (parallelism === 1) expect(found).toEqual(expected);
      expect(found.toSorted()).toEqual(expected.toSorted());
    }), { numRuns: 40 });
  });

  test('row groups of Parquet files, whose columns need not be the same', async () => {
    const records = numbers(3).map((file) => numbers(500).map((n) => ({ n, [`only${file}`]: `${file}-${n}` })));
    for (const [index, own] of records.entries()) {
      const env = new LocalEnvironment('write');
      env.fromCollection(own).sink(new ParquetSink(join(folder, `${index}.parquet`), { rowGroupRows: 100 }));
      await env.submit({ autostop: true });
    }
    for (const parallelism of [1, 2, 4]) {
      const read = await recordsOf((env) => env.fromSource(FileSource.parquet<object>(`${folder}/*.parquet`)), { parallelism });
      const byText = (all: readonly object[]): string[] => all.map((record) => JSON.stringify(record)).toSorted();
      expect(byText(read)).toEqual(byText(records.flat()));
    }
    await expect(recordsOf((env) => env.fromSource(FileSource.parquet<{ only1: string }>(folder, { columns: ['only1'] }))))
      .rejects.toMatchObject({ code: 'SAGE_FORMAT_COLUMN_MISSING', context: { file: join(folder, '0.parquet') } });
  });

  test('a broken compressed file names itself and the byte in it', async () => {
    write('a.gz', gzipSync('fine\n'));
    const packed = gzipSync(numbers(10_000).join('\n'));
    const path = write('b.gz', packed.subarray(0, 5000));
    await expect(lines(folder, 2)).rejects.toMatchObject({ code: 'SAGE_IO_TRUNCATED', context: { file: path, compressedByte: 5000 } });
    write('b.gz', Buffer.from(packed).fill(0, 6000, 6100));
    await expect(lines(folder, 2)).rejects.toMatchObject({ code: 'SAGE_FORMAT_COMPRESSED', context: { file: path } });
  });
});

describe('a directory that is watched', () => {
  const watched = (parallelism = 1, everyMs = 10): { env: LocalEnvironment; stream: AsyncIterable<string> } => {
    const env = new LocalEnvironment('watch', { parallelism });
    return { env, stream: env.fromSource(FileSource.textLines(`${folder}/*.txt*`, { watch: { everyMs } })).collect() };
  };

  test.each([1, 3])('with %i readers: what is there and what comes, each file once, until the job is left', async (parallelism) => {
    for (const name of ['0.txt', '1.txt']) publish(name, `${name}\n`);
    const seen: string[] = [];
    for await (const line of watched(parallelism).stream) {
      seen.push(line);
      const next = seen.length + 1;
      // The next file appears when one has been read: while readers look, in the same moment as others, compressed or not.
      if (next < 30) publish(`${next}.txt`, next % 2 === 0 ? `${next}.txt\n` : gzipSync(`${next}.txt\n`));
      if (seen.length === 30) break;
    }
    expect(seen.toSorted()).toEqual(numbers(30).map((n) => `${n}.txt`).toSorted());
  });

  test('older files come first', async () => {
    for (const [name, seconds] of [['a.txt', 3000], ['b.txt', 1000], ['c.txt', 2000], ['d.txt', 2000]] as const) {
      utimesSync(write(name, `${name}\n`), seconds, seconds);
    }
    const seen: string[] = [];
    for await (const line of watched().stream) if (seen.push(line) === 4) break;
    expect(seen).toEqual(['b.txt', 'c.txt', 'd.txt', 'a.txt']);
  });

  test('a file that is removed and comes again is read again; one that changes after it was read is an error', async () => {
    publish('a.txt', 'first\n');
    const seen: string[] = [];
    const reading = (async () => {
      for await (const line of watched().stream) {
        seen.push(line);
        if (line === 'first') {
          // The file behind it is read after a look that did not find this one.
          unlinkSync(join(folder, 'a.txt'));
          publish('b.txt', 'second\n');
        }
        if (line === 'second') publish('a.txt', 'third\n');
        if (line === 'third') write('b.txt', 'second, and more\n');
      }
    })();
    await expect(reading).rejects.toMatchObject({ code: 'SAGE_IO_CHANGED', domain: 'external', context: { file: join(folder, 'b.txt') } });
    expect(seen).toEqual(['first', 'second', 'third']);
  });

  test('it is unbounded, and stop ends it with what was read', async () => {
    publish('a.txt', 'a\n');
    const arrived = Promise.withResolvers<string>();
    const env = new LocalEnvironment('stop');
    const source = FileSource.textLines(folder, { watch: true });
    expect(source.describe()).toMatchObject({ bounded: false, spec: { watch: { everyMs: 1000 } } });
    env.fromSource(FileSource.textLines(folder, { watch: { everyMs: 10 } })).sink((line) => arrived.resolve(line));
    const job = await env.submit();
    expect(await arrived.promise).toBe('a');
    expect(await job.stop()).toMatchObject({ status: 'stopped', recordsIn: 1, recordsOut: 1 });
  });

  test('what cannot be watched is an error', async () => {
    const path = write('a.txt', 'a\n');
    const watch = (what: string): Promise<string[]> => recordsOf((env) => env.fromSource(FileSource.textLines(what, { watch: true })));
    await expect(watch(path)).rejects.toMatchObject({ code: 'SAGE_IO_NOT_A_FILE' });
    await expect(watch(join(folder, 'none'))).rejects.toMatchObject({ code: 'SAGE_IO_NOT_FOUND' });
    await expect(watch(join(folder, 'none/*.txt'))).rejects.toMatchObject({ code: 'SAGE_IO_NOT_FOUND' });
  });
});
