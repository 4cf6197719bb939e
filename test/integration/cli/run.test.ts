import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { type CliOptions, program, sageKernel } from './run-cli.ts';

/** Every test starts processes of its own, several at a time. */
const TIMEOUT_MS = 60_000;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A program that the type check of this repository must not see. */
function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** How a process ends whose jobs were stopped by a signal. */
const endBy = (signal: NodeJS.Signals): { code: number | null; signal: NodeJS.Signals | null } => (signal === 'SIGTERM' ? { code: 0, signal: null } : { code: null, signal });

const jsonLines = (text: string): Record<string, unknown>[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe.concurrent('sage-kernel run of a program that submits', { timeout: TIMEOUT_MS }, () => {
  test('is as if Node had run it, with its own arguments', async () => {
    const { code, stdout, stderr } = await sageKernel(['run', program('squares-script.ts'), '--', '3']);
    expect(stdout).toBe('square 0\nsquare 1\nsquare 4\nin 3, isolates 1\n');
    expect(stderr).toMatch(/^squares: finished in \d+\.\d\d s, 3 records in, 3 out\n$/);
    expect(code).toBe(0);
  });

  test('worker threads run the program again up to its submit', async () => {
    const { code, stdout } = await sageKernel(['run', '--quiet', program('squares-script.ts'), '--', '100', '2']);
    expect(stdout).toMatch(/in 100, isolates [23]\n$/);
    expect(stdout.match(/^square /gm)).toHaveLength(100);
    expect(code).toBe(0);
  });

  test('--quiet prints what the program prints and nothing else', async () => {
    const { stderr } = await sageKernel(['run', program('squares-script.ts'), '-q']);
    expect(stderr).toBe('');
  });

  test('--json: the result alone is on standard output, what the program prints is on the other', async () => {
    const { code, stdout, stderr } = await sageKernel(['run', program('squares-script.ts'), '--json', '--', '3']);
    const [result, ...others] = jsonLines(stdout);
    expect(others).toEqual([]);
    expect(Object.keys(result!)).toEqual([
      'jobId', 'name', 'status', 'recordsIn', 'recordsOut', 'recordsDropped', 'recordsSkipped', 'deadLetters', 'durationMs', 'isolates', 'operators', 'edges', 'scaling', 'restarts', 'guarantee',
    ]);
    expect(result).toMatchObject({ name: 'squares', status: 'finished', recordsIn: 3, recordsOut: 3, isolates: 1 });
    expect(stderr).toContain('square 4\n');
    expect(code).toBe(0);
  });

  test('may submit after its top level is done', async () => {
    const { code, stdout } = await sageKernel(['run', program('late-submit.ts')]);
    expect(stdout).toBe('records 3\n');
    expect(code).toBe(0);
  });

  test('decides about its failures itself; --json has a line for each of its jobs', async () => {
    const { code, stdout, stderr } = await sageKernel(['run', program('two-jobs.ts'), '--json']);
    const results = jsonLines(stdout);
    expect(results.map(({ name, status }) => [name, status])).toEqual([['bad', 'failed'], ['good', 'finished']]);
    expect(results[0]!['error']).toMatchObject({ code: 'SAGE_USER_THREW', operator: 'map', declaredAt: expect.stringMatching(/two-jobs\.ts:7:\d+$/) });
    expect(stderr).toContain('expected: ');
    expect(code).toBe(0);
  });

  test('whose own code throws ends with exit code 1 and its stack', async () => {
    const { code, stderr } = await sageKernel(['run', program('throws.ts')]);
    expect(stderr).toContain('TypeError: the program itself is broken');
    expect(stderr).toMatch(/throws\.ts:5/);
    expect(code).toBe(1);
  });

  test('cannot be given the options of exported pipelines, and nothing runs', async () => {
    const { code, stdout, stderr } = await sageKernel(['run', program('squares-script.ts'), '--parallelism', '2']);
    expect(stderr).toMatch(/^sage-kernel: --parallelism is for pipelines that a module exports/);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });

  test.each([['SIGINT'], ['SIGTERM'], ['SIGHUP']] as const)('%s stops its jobs, and the process ends by the signal; by SIGTERM with 0', async (signal) => {
    let sent = false;
    const outcome = await sageKernel(['run', program('endless.ts')], {
      onOutput(stdout, kill) {
        if (sent || !stdout.includes('2000')) return;
        sent = true;
        kill(signal);
      },
    });
    // Together: where one is wrong, the others say why.
    expect({ ...outcome, stdout: outcome.stdout.slice(-15) }).toMatchObject({ stdout: 'status stopped\n', stderr: expect.stringMatching(/^endless: stopped in /), ...endBy(signal) });
  });

  test('that listens to SIGHUP itself goes on', async () => {
    let sent = false;
    const { code, stdout } = await sageKernel(['run', program('reloads.ts')], {
      onOutput(stdout, kill) {
        if (sent || !stdout.includes('ready')) return;
        sent = true;
        kill('SIGHUP');
      },
    });
    expect(stdout).toBe('ready\nreloaded while running\nstatus stopped\n');
    expect(code).toBe(0);
  });

  test.each([[['run', 'endless.ts']], [['run', '--json', 'two-jobs.ts']]])('%j ends without a word when nobody reads what it prints', async ([command, ...rest]) => {
    const args = [command!, ...rest.map((word) => (word.startsWith('--') ? word : program(word)))];
    const { code, signal, stderr } = await sageKernel(args, { onStart: (child) => void (rest.length > 1 ? child.stdout.destroy() : child.stdout.once('data', () => child.stdout.destroy())) });
    expect({ code, signal }).toEqual({ code: 141, signal: null });
    expect(stderr).not.toMatch(/EPIPE/);
  });

  /** Nobody reads standard output until the job has ended, so that what is printed last waits behind a full pipe. */
  const readAtTheEnd =
    (ended: RegExp, signal?: NodeJS.Signals): NonNullable<CliOptions['onStart']> =>
    (child) => {
      child.stdout.pause();
      let stderr = '';
      child.stderr.on('data', (text: string) => {
        if (signal !== undefined && /behind at \d+\n/.test(text)) child.kill(signal);
        stderr += text;
        if (ended.test(stderr)) child.stdout.resume();
      });
    };

  test('with a mistake of syntax: the line and what is wrong, without the frames of Node', async () => {
    const { code, stderr } = await sageKernel(['run', write('syntax.ts', 'const good = 1;\nconst bad = ;\n')]);
    expect(stderr).toMatch(/syntax\.ts:2\n[^]*const bad = ;[^]*\nSyntaxError.*: Expression expected\n/);
    expect(stderr).not.toContain('node:internal');
    expect(code).toBe(1);
  });

  test('whose own code throws loses nothing that it had printed, though its reader is behind', async () => {
    const { code, stdout } = await sageKernel(['run', program('throws-behind-output.ts')], { onStart: readAtTheEnd(/the program itself is broken/) });
    expect(stdout === `${'x'.repeat(2_000_000)}\nlast\n`).toBe(true);
    expect(code).toBe(1);
  });

  test.each([['SIGINT'], ['SIGTERM'], ['SIGHUP']] as const)('%s loses nothing that was printed, though its reader is behind', async (signal) => {
    const outcome = await sageKernel(['run', program('slow-reader.ts')], { onStart: readAtTheEnd(/^unread: stopped in /m, signal) });
    const behind = Number(/^behind at (\d+)$/m.exec(outcome.stderr)?.[1]);
    const numbers = Array.from({ length: behind + 1 }, (_, n) => `${String(n).padStart(1_000)}\n`).join('');
    expect({ code: outcome.code, signal: outcome.signal, complete: outcome.stdout === `${numbers}status stopped\n`, end: outcome.stdout.slice(-15) }).toEqual({ ...endBy(signal), complete: true, end: 'status stopped\n' });
  });
});

describe.concurrent('sage-kernel run of an exported pipeline', { timeout: TIMEOUT_MS }, () => {
  test('runs it with its argument and parallelism, over worker threads', async () => {
    const { code, stdout } = await sageKernel(
      ['run', program('pipelines.ts'), '--pipeline', 'remainders', '--args', '{"upTo":1000}', '--parallelism', '2', '--json'],
    );
    const [result] = jsonLines(stdout);
    expect(result).toMatchObject({ name: 'pipelines', status: 'finished', recordsIn: 1000, recordsOut: 7 });
    expect(result!['isolates']).toBeGreaterThanOrEqual(2);
    expect(code).toBe(0);
  });

  test('the only one of a module needs no name, and {} is its argument', async () => {
    const { code, stdout } = await sageKernel(['run', program('one-pipeline.ts')]);
    expect(stdout).toBe('hello you\n');
    expect(code).toBe(0);
  });

  test('one of several must be named', async () => {
    const { code, stderr } = await sageKernel(['run', program('pipelines.ts')]);
    expect(stderr).toMatch(/defines several pipelines: say which with --pipeline failing or --pipeline remainders or --pipeline unfinished\.\n$/);
    expect(code).toBe(2);
  });

  test('a name that is not there gets the list of those that are', async () => {
    const { code, stderr } = await sageKernel(['run', program('pipelines.ts'), '--pipeline', 'totals']);
    expect(stderr).toMatch(/exports no pipeline 'totals'\. It exports failing, remainders, unfinished\.\n$/);
    expect(code).toBe(2);
  });

  test('a job that fails: the operator, the user\'s line, the record and the cause; exit code 1', async () => {
    const { code, stdout, stderr } = await sageKernel(['run', program('pipelines.ts'), '--pipeline', 'failing', '--json']);
    expect(stderr).toContain("SAGE_USER_THREW: operator 'picky' failed: RangeError: two is not allowed");
    expect(stderr).toMatch(/at .*pipelines\.ts:20:\d+\n/);
    expect(stderr).toContain('record: 2\n');
    expect(stderr).toContain('cause: RangeError: two is not allowed\n      at ');
    // Below the user's frames are generated code and ours: nothing to look for there.
    expect(stderr.match(/^ {6}at /gm)).toHaveLength(1);
    const results = jsonLines(stdout);
    expect(results).toHaveLength(1);
    expect(results[0]).toMatchObject({ status: 'failed', error: { code: 'SAGE_USER_THREW', operator: 'picky' } });
    expect(code).toBe(1);
  });

  test('a plan that is wrong: the user\'s line and a fix; exit code 1', async () => {
    const { code, stdout, stderr } = await sageKernel(['run', program('pipelines.ts'), '--pipeline', 'unfinished', '--json']);
    expect(stderr).toMatch(/^SAGE_PLAN_NO_SINK: .*\n +at .*pipelines\.ts:29:\d+\n/);
    expect(stderr).toContain('fix: ');
    expect(jsonLines(stdout)).toEqual([{ error: expect.objectContaining({ code: 'SAGE_PLAN_NO_SINK' }) }]);
    expect(code).toBe(1);
  });
});

describe.concurrent('sage-kernel run of what cannot be run ends with exit code 2', { timeout: TIMEOUT_MS }, () => {
  test.each([
    ['a file that is not there', () => join(folder, 'missing.ts'), /There is no file .*missing\.ts\.\n$/],
    ['a folder', () => folder, /is no file\. Give the program itself/],
    ['a text', () => write('notes.md', '# Notes\n'), /notes\.md is no program: give a file with JavaScript or TypeScript/],
    ['data', () => write('data.json', '{}'), /data\.json is no program: give a file with JavaScript or TypeScript/],
    [
      'a program that does not submit what it makes',
      () => program('unsubmitted.ts'),
      /There is no pipeline in .*unsubmitted\.ts: .*\nIt makes an environment, and does not submit it: end with await env\.submit\(\{ autostop: true \}\)\.\n$/,
    ],
    ['a file without a pipeline', () => program('no-pipeline.ts'), /There is no pipeline in .*no-pipeline\.ts: it neither submits one nor exports one/],
    ['a program that runs as the main module only', () => program('only-as-main.ts'), /run it with node\.\n$/],
    [
      'TypeScript that needs more than its types stripped',
      () => write('enums.ts', 'enum Colour { Red }\nconsole.log(Colour.Red);\n'),
      /enums\.ts needs more than its types stripped: .*enum/,
    ],
    [
      'a program where the package is not installed',
      () => write('alone.ts', "import { LocalEnvironment } from 'sage-kernel';\nnew LocalEnvironment();\n"),
      /imports sage-kernel, which is not installed where it lies\. Run npm install sage-kernel there\.\n$/,
    ],
    [
      'TypeScript in a package that was not compiled',
      () => {
        mkdirSync(join(folder, 'node_modules/some-package'), { recursive: true });
        writeFileSync(join(folder, 'node_modules/some-package/package.json'), '{"name":"some-package","type":"module","exports":"./main.ts"}');
        writeFileSync(join(folder, 'node_modules/some-package/main.ts'), 'export const x: number = 1;');
        return write('imports-typescript.ts', "import { x } from 'some-package';\nconsole.log(x);\n");
      },
      /Node strips no types inside node_modules/,
    ],
  ])('%s', async (_what, file, message) => {
    const { code, stdout, stderr } = await sageKernel(['run', file()]);
    expect(stderr).toMatch(/^sage-kernel: /);
    expect(stderr).toMatch(message);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });

  test('no command at all', async () => {
    const { code, stderr } = await sageKernel([]);
    expect(stderr).toMatch(/^sage-kernel: No command was given/);
    expect(code).toBe(2);
  });
});
