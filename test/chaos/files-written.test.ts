import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { JsonLinesSink, LocalEnvironment, ParquetSink, type SageError, TextLinesSink } from '../../ts/index.ts';
import { type FileFormat, recordOf } from '../e2e/pipelines/files.ts';
import { failureOf } from '../e2e/support/failure-of.ts';
import { numbers } from '../e2e/support/run-to-array.ts';
import { copy } from './pipelines/files.ts';

const FORMATS: readonly FileFormat[] = ['textLines', 'jsonLines', 'parquet'];
const module = fileURLToPath(new URL('pipelines/files.ts', import.meta.url));
const sinkLine = readFileSync(module, 'utf8').split('\n').findIndex((line) => line.endsWith('// at sink')) + 1;
const fullDisk = fileURLToPath(new URL('scripts/full-disk.ts', import.meta.url));

let folder: string;
let from: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-write-'));
  from = join(folder, 'in.jsonl');
  writeFileSync(from, numbers(5000).map((n) => `${JSON.stringify({ n })}\n`).join(''));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const sinkOf = (format: FileFormat, path: string): TextLinesSink =>
  (format === 'textLines' ? new TextLinesSink(path) : format === 'jsonLines' ? new JsonLinesSink(path) : new ParquetSink(path)) as TextLinesSink;

/** The error of a job that writes; it is whole. */
async function writingError(format: FileFormat, out: string, parallelism = 1, mkdir = false): Promise<SageError> {
  const texts = format === 'textLines';
  const error = await failureOf(copy.run({ format: texts ? 'textLines' : 'jsonLines', from, out, outFormat: format, mkdir }, { parallelism }));
  expect(error.operator).toBe('the sink');
  expect(error.declaredAt).toMatchObject({ file: module, line: sinkLine });
  expect(error.message).toContain(String(error.context['file']));
  expect(error.help).not.toBe('');
  return error;
}

async function expectNextJobRuns(format: FileFormat): Promise<void> {
  const out = join(folder, 'next');
  const env = new LocalEnvironment('next');
  env.fromCollection([recordOf[format](1)] as never[]).sink(sinkOf(format, out));
  await env.submit({ autostop: true });
  expect(existsSync(out)).toBe(true);
}

describe.each(FORMATS)('%s', (format) => {
  it.each([1, 3])('a folder that is not there, with %i instances before the sink', async (parallelism) => {
    const out = join(folder, 'none', 'out');
    const error = await writingError(format, out, parallelism);
    expect(error).toMatchObject({ code: 'SAGE_IO_NOT_FOUND', domain: 'external', context: { file: out } });
    expect(error.message).toContain('mkdir: true');
    expect(readdirSync(folder)).toEqual(['in.jsonl']);
    await expectNextJobRuns(format);
  });

  it('a file in place of a folder', async () => {
    writeFileSync(join(folder, 'plain'), 'before');
    expect(await writingError(format, join(folder, 'plain', 'out'))).toMatchObject({ code: 'SAGE_IO_NOT_A_FILE' });
    expect(await writingError(format, join(folder, 'plain', 'out'), 1, true)).toMatchObject({ code: expect.stringMatching(/SAGE_IO_(NOT_A_FILE|EXISTS)/) as string });
    expect(readdirSync(folder).toSorted()).toEqual(['in.jsonl', 'plain']);
    expect(readFileSync(join(folder, 'plain'), 'utf8')).toBe('before');
  });

  it('a link to itself', async () => {
    symlinkSync('loop', join(folder, 'loop'));
    await writingError(format, join(folder, 'loop', 'out'));
    expect(readdirSync(folder).toSorted()).toEqual(['in.jsonl', 'loop']);
  });

  it.skipIf(process.getuid?.() === 0)('a folder that may not be written', async () => {
    const sub = join(folder, 'sub');
    mkdirSync(sub);
    chmodSync(sub, 0o555);
    expect(await writingError(format, join(sub, 'out'))).toMatchObject({ code: 'SAGE_IO_PERMISSION' });
  });

  it('a function that throws: the old file stays, and nothing is beside it', async () => {
    const out = join(folder, 'out');
    writeFileSync(out, 'before');
    const env = new LocalEnvironment('throws');
    env
      .fromCollection(numbers(20_000))
      .map((n) => {
        if (n === 15_000) throw new Error('no');
        return recordOf[format](n) as string;
      })
      .sink(sinkOf(format, out))
      .sink(sinkOf(format, join(folder, 'new')));
    expect(await failureOf(env.submit({ autostop: true }))).toMatchObject({ code: 'SAGE_USER_THREW', record: 15_000 });
    expect(readdirSync(folder).toSorted()).toEqual(['in.jsonl', 'out']);
    expect(readFileSync(out, 'utf8')).toBe('before');
  });

  it('a job that is cancelled: the old file stays, and nothing is beside it', async () => {
    const out = join(folder, 'out');
    writeFileSync(out, 'before');
    let made = 0;
    const env = new LocalEnvironment('cancelled');
    env.fromSource(() => recordOf[format](made++) as string, { unbounded: true }).sink(sinkOf(format, out));
    const job = await env.submit();
    await expect.poll(() => made, { interval: 1 }).toBeGreaterThan(10_000);
    expect(readdirSync(folder)).toHaveLength(3);
    await job.cancel();
    expect(readdirSync(folder).toSorted()).toEqual(['in.jsonl', 'out']);
    expect(readFileSync(out, 'utf8')).toBe('before');
  });

  it.each(['removed', 'renamed'] as const)('a folder that is %s while the job writes', async (how) => {
    const sub = join(folder, 'sub');
    mkdirSync(sub);
    const env = new LocalEnvironment('moves');
    env
      .fromSource(async function* () {
        for (let n = 0; n < 3000; n++) {
          if (n === 2000) {
            await expect.poll(() => readdirSync(sub), { interval: 1 }).toHaveLength(1); // The temporary file.
            if (how === 'removed') rmSync(sub, { recursive: true });
            else renameSync(sub, join(folder, 'elsewhere'));
          }
          yield recordOf[format](n) as string;
        }
      })
      .named('the numbers')
      .sink(sinkOf(format, join(sub, 'out')))
      .named('the sink');
    const error = await failureOf(env.submit({ autostop: true }));
    expect(error).toMatchObject({ code: 'SAGE_IO_NOT_FOUND', operator: 'the sink', context: { file: join(sub, 'out') } });
    expect(existsSync(sub)).toBe(false);
    await expectNextJobRuns(format);
  });

  it('a disk that is full: the old file stays, nothing is beside it, and the process goes on', async () => {
    const out = join(folder, 'out');
    writeFileSync(out, 'before');
    // Without the trap the limit would kill the process by a signal.
    const child = spawn('sh', ['-c', `trap '' XFSZ; ulimit -f 128; exec "$0" "$@"`, process.execPath, fullDisk, format, out], { stdio: ['ignore', 'pipe', 'inherit'] });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    const code = await new Promise((resolve) => child.on('close', resolve));
    const [first, second] = stdout.trim().split('\n');
    expect(code).toBe(0);
    expect(JSON.parse(first!)).toEqual({ code: 'SAGE_IO_DISK_FULL', operator: 'the sink', file: out, declared: fullDisk, domain: 'external' });
    expect(second).toBe('finished');
    expect(readdirSync(folder).toSorted()).toEqual(['in.jsonl', 'out']);
  });
});

describe('several sinks of a job', () => {
  it.skipIf(!existsSync('/dev/full'))('one that cannot write its last bytes: no other has replaced its file', async () => {
    for (const format of FORMATS) {
      const out = join(folder, 'out');
      writeFileSync(out, 'before');
      const env = new LocalEnvironment('all or nothing');
      const records = env.fromCollection([recordOf[format](1)] as string[]);
      records.sink(sinkOf(format, out));
      records.sink(sinkOf(format, '/dev/full')).named('the full one');
      records.sink(sinkOf(format, join(folder, 'new')));
      expect(await failureOf(env.submit({ autostop: true }))).toMatchObject({ code: 'SAGE_IO_DISK_FULL', operator: 'the full one' });
      expect(readFileSync(out, 'utf8')).toBe('before');
      expect(readdirSync(folder).toSorted()).toEqual(['in.jsonl', 'out']);
    }
  });
});

describe('a record that the format cannot hold', () => {
  it.each([
    ['textLines', { a: 1 }], ['textLines', null], ['textLines', '\ud800 alone'],
    ['jsonLines', 1n], ['jsonLines', { deep: [{ n: 1n }] }],
    ['parquet', { a: '\ud800 alone' }], ['parquet', { a: 1n }],
  ] as const)('%s, %o', async (format, record) => {
    const out = join(folder, 'out');
    writeFileSync(out, 'before');
    const env = new LocalEnvironment('unfit');
    env
      .fromCollection([record] as never[])
      .sink(sinkOf(format, out))
      .named('the sink');
    const error = await failureOf(env.submit({ autostop: true }));
    expect(error.code).not.toBe('SAGE_INTERNAL');
    // A bigint cannot even leave the operator that gave it.
    expect(error.operator).toMatch(/^(the sink|source)$/);
    expect(error.domain).not.toBe('internal');
    expect(readdirSync(folder).toSorted()).toEqual(['in.jsonl', 'out']);
    expect(readFileSync(out, 'utf8')).toBe('before');
  });
});
