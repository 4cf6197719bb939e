// Processes that are told to end, or that fall, and are started again: the result is that of one that ran through.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { LocalEnvironment } from '../../ts/index.ts';
import { type ScriptOutcome, runScript } from '../e2e/support/run-script.ts';
import { OUTPUTS, resuming } from './pipelines/resuming.ts';

const script = fileURLToPath(new URL('scripts/resumed.ts', import.meta.url));
/** Records in flight have this long after the first signal. */
const STOP_DEADLINE_MS = 10_000;
const TIMEOUT_MS = 60_000;

let folder: string;
let undisturbed: string[][];

beforeAll(async () => {
  const whole = mkdtempSync(join(tmpdir(), 'sage-whole-'));
  const env = new LocalEnvironment('whole');
  resuming(env, whole, false);
  await env.submit({ autostop: true });
  undisturbed = linesIn(whole);
  rmSync(whole, { recursive: true });
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-resumed-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function linesIn(directory: string): string[][] {
  return OUTPUTS.map((name) => readFileSync(join(directory, name), 'utf8').split('\n').slice(0, -1).toSorted());
}

interface Ended extends ScriptOutcome {
  readonly lines: readonly string[];
  /** From the last signal to the end of the process. */
  readonly tookMs: number;
}

/** Runs the job and sends a signal when each of these lines comes. */
async function run(what: string, signals: readonly (readonly [line: string, signal: NodeJS.Signals])[] = [], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const waiting = [...signals];
  let sentMs = Number.NaN;
  const outcome = await runScript(script, [folder, what], {
    env,
    onOutput(stdout, kill) {
      while (waiting.length > 0 && stdout.split('\n').includes(waiting[0]![0])) {
        sentMs = performance.now();
        kill(waiting.shift()![1]);
      }
    },
  });
  expect({ waiting, stderr: outcome.stderr }).toMatchObject({ waiting: [] });
  return { ...outcome, lines: outcome.stdout.trim().split('\n'), tookMs: performance.now() - sentMs };
}

const restored = ({ lines }: Ended): number => Number(lines[0]!.replace('restored ', ''));

/** Started again, it goes on from this checkpoint or a later one to its end, with the results of an undisturbed run. */
async function expectTheRest(leastEpoch: number): Promise<void> {
  const second = await run('nothing');
  expect(second).toMatchObject({ code: 0, stderr: '' });
  expect(restored(second)).toBeGreaterThanOrEqual(leastEpoch);
  expect(second.lines.at(-1)).toBe('finished');
  expect(linesIn(folder)).toEqual(undisturbed);
}

describe('a process that is told to end, with a job that writes checkpoints', () => {
  it.each([
    ['SIGTERM', { code: 0, signal: null }],
    ['SIGINT', { code: null, signal: 'SIGINT' }],
  ] as const)('given %s in the middle of the run, when it is started again, then the results are those of an undisturbed run, and nothing was given early', async (signal, end) => {
    const first = await run('nothing', [['running', signal]]);
    expect(first).toMatchObject({ ...end, stderr: '' });
    expect(first.lines.at(-1)).toBe('stopped');
    expect(first.tookMs).toBeLessThan(STOP_DEADLINE_MS);
    // What has arrived is there to be read; a final aggregate has given nothing.
    const [numbers, totals] = linesIn(folder);
    expect(numbers!.length).toBeGreaterThan(0);
    expect(numbers!.length).toBeLessThan(undisturbed[0]!.length);
    expect(totals).toEqual([]);
    await expectTheRest(3);
  }, TIMEOUT_MS);

  it.each([
    ['is paused', 'pauses', 'paused'],
    // It waits for ten minutes otherwise.
    ['has fallen and waits to be started again', 'falls', 'restarting'],
  ] as const)('given a job that %s, when SIGTERM comes, then it ends soon, and when it is started again, then the results are those of an undisturbed run', async (_, what, line) => {
    const first = await run(what, [[line, 'SIGTERM']]);
    expect(first).toMatchObject({ code: 0, signal: null });
    expect(first.lines.at(-1)).toBe('stopped');
    // Neither has given what is given at the end.
    expect(linesIn(folder)[1]).toEqual([]);
    expect(first.tookMs).toBeLessThan(STOP_DEADLINE_MS);
    await expectTheRest(3);
  }, TIMEOUT_MS);

  it.each(['SIGTERM', 'SIGINT'] as const)('given a sink that hangs, when %s comes a second time, then it ends at once, by the signal', async (signal) => {
    const ended = await run('hangs', [
      ['running', signal],
      ['stopping', signal],
    ]);
    expect(ended).toMatchObject({ code: null, signal });
    expect(ended.tookMs).toBeLessThan(1_000);
  }, TIMEOUT_MS);
});

describe('a process that V8 aborts', () => {
  it('given a heap that is full in the main isolate, when it is started again, then it goes on from the newest checkpoint, and the results are exact', async () => {
    const first = await run('hoards', [], { NODE_OPTIONS: '--max-old-space-size=64' });
    expect(first.code).not.toBe(0);
    expect(first.stderr).toContain('heap out of memory');
    expect(readdirSync(folder)).not.toContain(OUTPUTS[0]);
    await expectTheRest(2);
  }, TIMEOUT_MS);
});
