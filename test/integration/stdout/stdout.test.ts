import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';

import { sageKernel } from '../cli/run-cli.ts';

const program = (name: string): string => fileURLToPath(new URL(`./programs/${name}`, import.meta.url));

interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

/** Runs a shell command in which `$NODE` and `$PROGRAM` are what they say. */
async function shell(command: string, programName: string): Promise<Outcome> {
  const child = spawn('bash', ['-c', command], { env: { ...process.env, NODE: process.execPath, PROGRAM: program(programName) }, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { stdout, stderr, code };
}

const linesOf = (text: string): { n: number }[] => text.split('\n').slice(0, -1).map((line) => JSON.parse(line) as { n: number });

const TIMEOUT_MS = 60_000;

describe('standard output as a sink', { timeout: TIMEOUT_MS }, () => {
  test.each([1, 2])('has every record as a whole line, with %i instances before it', async (parallelism) => {
    const { stdout, stderr, code } = await shell(`"$NODE" "$PROGRAM" 20000 ${parallelism}`, 'to-stdout.ts');
    const numbers = linesOf(stdout).map(({ n }) => n).toSorted((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: 20_000 }, (_, n) => n));
    expect(stderr).toContain('status finished, out 20000');
    expect(code).toBe(0);
  });

  test('| head: the job stops when head has its lines, without an error', async () => {
    const { stdout, stderr, code } = await shell('set -o pipefail; "$NODE" "$PROGRAM" | head -n 3', 'endless-to-stdout.ts');
    expect(stdout).toBe('line 0\nline 1\nline 2\n');
    expect(stderr).toBe('status stopped\n');
    expect(code).toBe(0);
  });

  test('a slow reader gets all of it: the pipe holds the job back', async () => {
    const reader = `"$NODE" -e 'let n = 0; process.stdin.on("data", (data) => { n += data.length; process.stdin.pause(); setImmediate(() => process.stdin.resume()); }).on("end", () => console.log(n))'`;
    const { stdout, code } = await shell(`set -o pipefail; "$NODE" "$PROGRAM" 20000 | ${reader}`, 'to-stdout.ts');
    const whole = Array.from({ length: 20_000 }, (_, n) => `${JSON.stringify({ n, text: `é😀 ${'x'.repeat(n % 300)}` })}\n`);
    expect(Number(stdout)).toBe(Buffer.byteLength(whole.join('')));
    expect(code).toBe(0);
  });

  test('into a file by the shell', async () => {
    const { stdout, code } = await shell('file=$(mktemp); "$NODE" "$PROGRAM" 1000 > "$file"; cat "$file"; rm "$file"', 'to-stdout.ts');
    expect(linesOf(stdout)).toHaveLength(1000);
    expect(code).toBe(0);
  });

  test('a job that is cancelled does not wait for a pipe that nobody reads', async () => {
    const child = spawn(process.execPath, [program('cancelled-to-stdout.ts')], { stdio: ['ignore', 'pipe', 'pipe'] });
    const [text] = (await once(child.stderr, 'data')) as [Buffer];
    expect(text.toString()).toBe('status canceled\n');
    child.stdout.resume();
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  test('sage-kernel run keeps its own lines out of it', async () => {
    const { stdout, stderr, code } = await sageKernel(['run', program('to-stdout.ts'), '--', '10']);
    expect(linesOf(stdout)).toHaveLength(10);
    expect(stderr).toMatch(/^lines: finished in .* 10 records in, 10 out$/m);
    expect(code).toBe(0);
    const json = await sageKernel(['run', '--json', program('to-stdout.ts'), '--', '10']);
    expect(linesOf(json.stdout)).toEqual(linesOf(stdout));
    expect(json.stderr).toMatch(/"name":"lines","status":"finished"/);
  });

  test('compressed, for the next command', async () => {
    const script = `const { JsonLinesSink, LocalEnvironment } = await import(${JSON.stringify(new URL('../../../ts/index.ts', import.meta.url).href)});
      const env = new LocalEnvironment('gz');
      env.fromCollection([{ n: 1 }, { n: 2 }]).sink(new JsonLinesSink('-', { compression: 'gzip' }));
      await env.submit({ autostop: true });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(child, 'close');
    expect(gunzipSync(Buffer.concat(chunks)).toString()).toBe('{"n":1}\n{"n":2}\n');
  });
});
