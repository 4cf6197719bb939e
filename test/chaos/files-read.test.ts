import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { LocalEnvironment, ParquetSink, type SageError } from '../../ts/index.ts';
import type { FileFormat } from '../e2e/pipelines/files.ts';
import { failureOf } from '../e2e/support/failure-of.ts';
import { numbers } from '../e2e/support/run-to-array.ts';
import { type CopyArgs, arrived, copy } from './pipelines/files.ts';

const FORMATS: readonly FileFormat[] = ['textLines', 'jsonLines', 'parquet'];
const module = fileURLToPath(new URL('pipelines/files.ts', import.meta.url));
const sourceLine = readFileSync(module, 'utf8').split('\n').findIndex((line) => line.endsWith('// at source')) + 1;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-read-'));
  arrived.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** The error of a job that reads; it is whole, and what was to be written is as it was before. */
async function readingError(args: CopyArgs, parallelism: number): Promise<SageError> {
  const out = write('out', 'before');
  const names = readdirSync(folder).toSorted();
  const error = await failureOf(copy.run({ ...args, out, outFormat: 'jsonLines' }, { parallelism }));
  expect(error.operator).toBe('the source');
  expect(error.declaredAt).toMatchObject({ file: module, line: sourceLine });
  expect(error.context['file']).toBe(args.from);
  expect(error.message).toContain(args.from);
  expect(error.help).not.toBe('');
  expect(readdirSync(folder).toSorted()).toEqual(names);
  expect(readFileSync(out, 'utf8')).toBe('before');
  return error;
}

async function expectNextJobRuns(): Promise<void> {
  arrived.length = 0;
  await copy.run({ format: 'textLines', from: write('next', 'a\nb\n') });
  expect(arrived).toEqual(['a', 'b']);
}

describe.each([1, 3])('with %i readers', (parallelism) => {
  describe.each(FORMATS)('%s', (format) => {
    it('a file that is not there', async () => {
      expect(await readingError({ format, from: join(folder, 'none') }, parallelism)).toMatchObject({ code: 'SAGE_IO_NOT_FOUND', domain: 'external' });
      await expectNextJobRuns();
    });

    it('a folder that is not there', async () => {
      expect(await readingError({ format, from: join(folder, 'none', 'none') }, parallelism)).toMatchObject({ code: 'SAGE_IO_NOT_FOUND' });
    });

    it('a folder without a file, and a file in place of a folder', async () => {
      mkdirSync(join(folder, 'sub'));
      expect(await readingError({ format, from: join(folder, 'sub') }, parallelism)).toMatchObject({ code: 'SAGE_IO_NOT_FOUND' });
      const file = write('file', 'x');
      expect(await readingError({ format, from: join(file, 'x') }, parallelism)).toMatchObject({ code: 'SAGE_IO_NOT_A_FILE' });
    });

    it.skipIf(process.getuid?.() === 0)('a file that may not be read', async () => {
      const path = write('secret', 'a\n');
      chmodSync(path, 0o000);
      expect(await readingError({ format, from: path }, parallelism)).toMatchObject({ code: 'SAGE_IO_PERMISSION' });
    });
  });

  describe('a line that is not JSON', () => {
    const good = numbers(40_000).map((n) => JSON.stringify({ n, text: 'é'.repeat(n % 50) }));

    it.each([0, 1, 13_333, 20_000, 39_999])('line %i from 0: the error says where it is', async (broken) => {
      const lines = good.with(broken, '{"n": oops}');
      const content = lines.join('\r\n');
      const error = await readingError({ format: 'jsonLines', from: write('in', content) }, parallelism);
      const byte = Buffer.byteLength(lines.slice(0, broken).map((line) => `${line}\r\n`).join('')) + '{"n": '.length;
      expect(error).toMatchObject({ code: 'SAGE_FORMAT_JSON', domain: 'external', retryable: false, context: { line: broken + 1, byte, excerpt: '{"n": oops}' } });
      expect(error.message).toContain(`line ${broken + 1}`);
    });

    it.each([
      ['{"a":1} x', 8], ['{"a":1', 6], ['[1,]', 3], ["{'a':1}", 1], ['{"a":"b\tc"}', 7], [String.raw`{"a":"\x"}`, 6], ['NaN', 0], ['undefined', 0], ['01', 1], ['1.', 2], ['"\u0000"', 1], ['{"a":1}}', 7], ['\uFEFF{}', 0], ['{"a" 1}', 5], ['-', 1], ['\u00a01', 0],
    ] as const)('%j at byte %i', async (line, at) => {
      expect(() => JSON.parse(line) as unknown).toThrow(SyntaxError);
      const error = await readingError({ format: 'jsonLines', from: write('in', `{"a":0}\n\n${line}\n{"a":2}\n`) }, parallelism);
      expect(error).toMatchObject({ code: 'SAGE_FORMAT_JSON', context: { line: 3, byte: 9 + at } });
    });
  });

  it.each(['textLines', 'jsonLines'] as const)('%s: bytes that are not UTF-8', async (format) => {
    const lines = numbers(30_000).map((n) => Buffer.from(`"é${n}"\n`));
    const before = Buffer.concat(lines.slice(0, 20_000));
    const content = Buffer.concat([before, Buffer.from('"ab'), Buffer.from([0xc3, 0x28]), Buffer.from('"\n'), ...lines.slice(20_000)]);
    const error = await readingError({ format, from: write('in', content) }, parallelism);
    expect(error).toMatchObject({ code: 'SAGE_FORMAT_UTF8', domain: 'external', context: { line: 20_001, byte: before.length + 3 } });
  });

  it('a character of several bytes that the end of the file cuts', async () => {
    const content = Buffer.from('a\né').subarray(0, -1);
    expect(await readingError({ format: 'textLines', from: write('in', content) }, parallelism)).toMatchObject({ code: 'SAGE_FORMAT_UTF8', context: { line: 2, byte: 2 } });
  });

  describe('a file that is not Parquet', () => {
    it.each([
      ['no byte at all', ''],
      ['text', 'id,name\n1,one\n'],
      ['the magic only', 'PAR1PAR1'],
      ['a footer that is longer than the file', Buffer.concat([Buffer.from('PAR1'), Buffer.from([0xff, 0xff, 0xff, 0x7f]), Buffer.from('PAR1')])],
      ['zeros between the magic', Buffer.concat([Buffer.from('PAR1'), Buffer.alloc(1000), Buffer.from([100, 0, 0, 0]), Buffer.from('PAR1')])],
    ])('%s', async (_, content) => {
      expect(await readingError({ format: 'parquet', from: write('in.parquet', content) }, parallelism)).toMatchObject({ code: 'SAGE_FORMAT_PARQUET', domain: 'external' });
      await expectNextJobRuns();
    });

    it('the first half of one, and one with bytes in the middle overwritten', async () => {
      const path = join(folder, 'in.parquet');
      const env = new LocalEnvironment('write');
      env.fromCollection(numbers(5000).map((n) => ({ n, text: `${Math.sin(n)}` }))).sink(new ParquetSink(path, { rowGroupRows: 1000 }));
      await env.submit({ autostop: true });
      const whole = readFileSync(path);
      truncateSync(path, whole.length / 2);
      expect(await readingError({ format: 'parquet', from: path }, parallelism)).toMatchObject({ code: 'SAGE_FORMAT_PARQUET' });
      writeFileSync(path, Buffer.from(whole).fill(0xff, 100, whole.length - 2000));
      expect(await readingError({ format: 'parquet', from: path }, parallelism)).toMatchObject({ code: 'SAGE_FORMAT_PARQUET' });
      await expectNextJobRuns();
    });
  });

  it('a text that is read as JSON', async () => {
    expect(await readingError({ format: 'jsonLines', from: write('in', 'hello\n') }, parallelism)).toMatchObject({ code: 'SAGE_FORMAT_JSON', context: { line: 1, byte: 0 } });
  });
});

describe('a pipe', () => {
  it('is read to its end, once, however many readers there are', async () => {
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    for (const parallelism of [1, 3]) {
      arrived.length = 0;
      const [result] = await Promise.all([
        copy.run({ format: 'textLines', from: path }, { parallelism }),
        import('node:fs/promises').then((fs) => fs.writeFile(path, numbers(10_000).join('\n'))),
      ]);
      expect(result.recordsIn).toBe(10_000);
      expect(arrived.map(Number).toSorted((a, b) => a - b)).toEqual(numbers(10_000));
    }
  });
});
