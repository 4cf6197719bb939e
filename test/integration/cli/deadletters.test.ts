import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { program, sageKernel } from './run-cli.ts';

const TIMEOUT_MS = 60_000;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-dead-letters-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string): string => join(folder, name);
const lines = (name: string): unknown[] =>
  readFileSync(at(name), 'utf8').split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as unknown);

function write(name: string, records: readonly unknown[]): void {
  writeFileSync(at(name), records.map((record) => `${JSON.stringify(record)}\n`).join(''));
}

const READINGS = [
  { sensor: 'a', at: 1_000, value: '1' },
  { sensor: 'b', at: 2_000, value: '2,5' },
  { sensor: 'a', at: 11_000, value: '3' },
  { sensor: 'b', at: 12_000, value: '4,5' },
  { sensor: 'b', at: 13_000, value: 'none' },
];

/** Runs the program with its mistake: two readings with a comma and one without a number become dead letters. */
async function fail(): Promise<void> {
  write('readings.jsonl', READINGS);
  expect(await sageKernel(['run', '-q', program('dead-letters.ts'), '--', folder])).toMatchObject({ code: 0 });
  expect(lines('counts.jsonl')).toHaveLength(2);
  expect(lines('rejected.jsonl')).toHaveLength(3);
}

describe('sage-kernel deadletters show', { timeout: TIMEOUT_MS }, () => {
  test('given a file of letters, counts them by operator and error, with an example', async () => {
    await fail();
    const { code, stdout } = await sageKernel(['deadletters', 'show', at('rejected.jsonl')]);
    expect(stdout).toMatch(/^3 dead letters in .*rejected\.jsonl\n\n3 × 'parse' \(.*dead-letters\.ts:\d+:\d+\)\n {2}RangeError: '2,5' is no number \[SAGE_USER_THREW\]\n {2}20\d\d-.*Z.*\n {2}such as \{ sensor: 'b', at: 2000, value: '2,5' \}\n$/);
    expect(code).toBe(0);
  });

  test('--json is the same for programs, and --operator leaves others out', async () => {
    await fail();
    const { stdout } = await sageKernel(['deadletters', 'show', at('rejected.jsonl'), '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ letters: 3, groups: [{ operator: 'parse', letters: 3, error: { name: 'RangeError', code: 'SAGE_USER_THREW' }, example: READINGS[1] }] });
    const others = await sageKernel(['deadletters', 'show', at('rejected.jsonl'), '--json', '--operator', 'other']);
    expect(JSON.parse(others.stdout)).toMatchObject({ letters: 0, groups: [] });
  });

  test.each([
    ['a file that is not there', undefined, 'cannot be read: ENOENT'],
    ['a line that is not JSON', '{"operator":\n', 'letters.jsonl:1 is not JSON'],
    ['records that are no letters', '{"id":1}\n', 'letters.jsonl:1 is no dead letter'],
  ])('given %s, says so', async (_, text, message) => {
    if (text !== undefined) writeFileSync(at('letters.jsonl'), text);
    const { code, stderr } = await sageKernel(['deadletters', 'show', at('letters.jsonl')]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });

  test.each([
    [['show'], 'Which dead letters?'],
    [[], 'What with them?'],
    [['burn', 'a.jsonl'], "The action is 'burn'; it can be show, retry."],
    [['retry', 'a.jsonl'], 'Which program?'],
    [['show', 'a.jsonl', '--replace'], '--replace is for retry'],
    [['show', 'a.jsonl', 'b.ts'], 'show runs no program'],
  ])('given %j, says what to write', async (args, message) => {
    const { code, stderr } = await sageKernel(['deadletters', ...args]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});

describe('sage-kernel deadletters retry', { timeout: TIMEOUT_MS }, () => {
  const retry = (output: string, ...options: string[]): ReturnType<typeof sageKernel> =>
    sageKernel(['deadletters', 'retry', at('rejected.jsonl'), program('dead-letters.ts'), ...options, '--', folder, 'mended', output]);

  test('given a program that was mended, gives what it would have given, by key and event time, and leaves what fails again', async () => {
    await fail();
    const { code, stderr } = await retry('more.jsonl');
    expect(stderr).toContain('3 dead letters fed in again, 1 of them failed again');
    expect(lines('more.jsonl')).toEqual([
      { key: 'b', n: 1, window: { start: 0, end: 10_000 } },
      { key: 'b', n: 1, window: { start: 10_000, end: 20_000 } },
    ]);
    expect(lines('rejected.jsonl')).toMatchObject([{ record: READINGS[4], key: 'b', timestamp: 13_000, operator: 'parse' }]);
    expect(lines('counts.jsonl')).toHaveLength(2);
    expect(code).toBe(0);
  });

  test('given a file that is there already, runs nothing, unless told to replace it', async () => {
    await fail();
    const refused = await retry('counts.jsonl');
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(/counts\.jsonl is there already.*\n.*--replace/)]);
    expect([lines('counts.jsonl').length, lines('rejected.jsonl').length]).toEqual([2, 3]);
    const { code } = await retry('counts.jsonl', '--replace', '--json');
    expect([code, lines('counts.jsonl').length, lines('rejected.jsonl').length]).toEqual([0, 2, 1]);
  });

  test('--json prints the result of the job', async () => {
    await fail();
    const { stdout } = await retry('more.jsonl', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ name: 'readings', status: 'finished', recordsIn: 3, deadLetters: 1 });
  });

  test('given letters of an operator that the program does not have, names those it has', async () => {
    await fail();
    write('rejected.jsonl', lines('rejected.jsonl').map((letter) => ({ ...(letter as object), operator: 'gone' })));
    const { code, stderr } = await retry('more.jsonl');
    expect([code, stderr]).toEqual([1, expect.stringMatching(/dead letters of 'gone'[^]*one of 'parse'/)]);
  });

  test('given no letters, says so', async () => {
    await fail();
    const { code, stderr } = await retry('more.jsonl', '--operator', 'other');
    expect([code, stderr]).toEqual([2, expect.stringContaining("There is no dead letter of 'other'")]);
  });

  test('given an operator with two inputs, or one behind it, refuses to guess', async () => {
    write('letters.jsonl', [{ record: 1, operator: 'pair', error: { name: 'Error', message: 'no', code: 'X' }, declaredAt: { file: 'a.ts', line: 1, column: 1 }, attempts: 1, failedAtMs: 0 }]);
    writeFileSync(at('pairs.ts'), `
      import { LocalEnvironment } from '${program('../../../../ts/index.ts')}';
      const env = new LocalEnvironment('pairs');
      env.fromCollection([1]).connect(env.fromCollection(['a'])).comap([(n) => n, (s) => s]).named('pair').onError('skip').print();
      await env.submit({ autostop: true });
    `);
    const { code, stderr } = await sageKernel(['deadletters', 'retry', at('letters.jsonl'), at('pairs.ts')]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/'pair' has 2 inputs/)]);
  });

  test('given a module that defines a pipeline, takes its arguments from the command line', async () => {
    write('letters.jsonl', [1, 2, 3].map((record) => ({ record, operator: 'picky', error: { name: 'RangeError', message: 'no', code: 'X' }, declaredAt: { file: 'a.ts', line: 1, column: 1 }, attempts: 1, failedAtMs: 0 })));
    const { code, stderr } = await sageKernel(['deadletters', 'retry', at('letters.jsonl'), program('pipelines.ts'), '--pipeline', 'failing']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('two is not allowed')]);
  });
});
