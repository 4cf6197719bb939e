import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { type ScriptOutcome, runScript } from '../e2e/support/run-script.ts';
import { numbers } from '../e2e/support/run-to-array.ts';
import { type Death, INSTANCES } from './pipelines/dying.ts';
import { heavy } from './support/heavy.ts';

const script = fileURLToPath(new URL('scripts/busy-sink.ts', import.meta.url));

/** Records in flight have this long after the first signal. */
const DRAIN_DEADLINE_MS = 10_000;
/** What starting and ending threads and a process takes on a busy machine. */
const SOON_MS = 4_000;

let folder: string;
let out: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-signals-'));
  out = join(folder, 'out.jsonl');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Ended extends ScriptOutcome {
  /** The last line, when the program came to it. */
  readonly result: Record<string, unknown> | undefined;
  /** From the last signal to the end of the process. */
  readonly tookMs: number;
}

/** Runs the program and sends a signal after each of these lines. */
async function run(args: readonly [Death, ...string[]], signals: readonly (readonly [line: string, signal: NodeJS.Signals])[]): Promise<Ended> {
  const waiting = [...signals];
  let sentMs = Number.NaN;
  const outcome = await runScript(script, [out, ...args], {
    onOutput(stdout, kill) {
      while (waiting.length > 0 && stdout.split('\n').includes(waiting[0]![0])) {
        sentMs = performance.now();
        kill(waiting.shift()![1]);
      }
    },
  });
  expect({ waiting, stderr: outcome.stderr }).toEqual({ waiting: [], stderr: '' });
  const last = outcome.stdout.trim().split('\n').at(-1)!;
  return { ...outcome, result: last.startsWith('{') ? (JSON.parse(last) as Record<string, unknown>) : undefined, tookMs: performance.now() - sentMs };
}

const each = <T>(value: T): T[] => numbers(INSTANCES).map(() => value);

/** The file holds every record that the sources gave, and nothing else. */
function expectComplete(recordsIn: number): void {
  const text = readFileSync(out, 'utf8');
  expect(text.endsWith('\n')).toBe(true);
  const written = text.trimEnd().split('\n').map((line) => (JSON.parse(line) as { n: number }).n).toSorted((a, b) => a - b);
  expect(written).toHaveLength(recordsIn);
  expect(written.every((n, at) => n === at)).toBe(true);
  expect(readdirSync(folder)).toEqual(['out.jsonl']);
}

describe.each(['SIGINT', 'SIGTERM'] as const)('%s to a process with a busy parallel job', (signal) => {
  it('lets what is in flight arrive; then the process ends as it would have by the signal, and with 0 by SIGTERM', async () => {
    const ended = await run(['none'], [['running', signal]]);
    expect(ended).toMatchObject(signal === 'SIGTERM' ? { code: 0, signal: null } : { code: null, signal });
    expect(ended.tookMs).toBeLessThan(SOON_MS);
    expect(ended.result).toMatchObject({ status: 'stopped', lives: each({ opened: 1, closed: 1 }) });
    const { recordsIn, recordsOut, isolates } = ended.result as Record<string, number>;
    expect(isolates).toBeGreaterThanOrEqual(INSTANCES);
    expect(recordsOut).toBe(recordsIn);
    expectComplete(recordsIn!);
  });

  it('a second one ends it at once, though a thread hangs: no file appears', async () => {
    const ended = await run(['loops'], [['running', signal], ['stopping', signal]]);
    expect(ended).toMatchObject({ code: null, signal });
    expect(ended.tookMs).toBeLessThan(1_000);
    expect(existsSync(out)).toBe(false);
    expect(readdirSync(folder)).toEqual([]);
  });

  it.runIf(heavy)('after the deadline the job is cancelled', async () => {
    const ended = await run(['loops'], [['running', signal]]);
    expect(ended).toMatchObject({ code: null, signal, result: { status: 'canceled' } });
    expect(ended.tookMs).toBeGreaterThan(DRAIN_DEADLINE_MS - 100);
    expect(ended.tookMs).toBeLessThan(DRAIN_DEADLINE_MS + SOON_MS);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('other ends of a process with a busy parallel job', () => {
  it('a program that listens itself keeps the last word: its job is stopped, its exit code is its own', async () => {
    const ended = await run(['none', 'listens'], [['running', 'SIGINT']]);
    expect(ended).toMatchObject({ code: 7, signal: null, stdout: expect.stringContaining('heard') as string });
    expect(ended.result).toMatchObject({ status: 'stopped', lives: each({ opened: 1, closed: 1 }) });
    expectComplete(ended.result!['recordsIn'] as number);
  });

  it('kill -9 leaves nothing under the name of the result', async () => {
    const ended = await run(['none'], [['running', 'SIGKILL']]);
    expect(ended).toMatchObject({ code: null, signal: 'SIGKILL', result: undefined });
    expect(existsSync(out)).toBe(false);
    // What was written so far may lie there, and is replaced or left alone by the next run.
    expect(readdirSync(folder).length).toBeLessThanOrEqual(1);
  });
});
