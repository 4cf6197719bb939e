import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Job, SageError } from '../../ts/index.ts';
import { failureOf } from '../e2e/support/failure-of.ts';
import { runScript } from '../e2e/support/run-script.ts';
import { numbers } from '../e2e/support/run-to-array.ts';
import { type Death, type DyingArgs, INSTANCES, type Moment, dying, pipeOf } from './pipelines/dying.ts';
import { Lives } from './support/lives.ts';

/** Of a job whose worker dies, from the death to the end of the job; more than the product's own deadlines of 1 s. */
const SOON_MS = 4_000;
/** As above, when a function does not come back from `close`, for which it has 5 s. */
const CLOSE_DEADLINE_MS = 5_000;
/** As above, when its thread cannot be ended: it is waited for so long. */
const GONE_DEADLINE_MS = 3_000;

/** A call that takes longer is a stall. */
const STALL_TIMEOUT_MS = 1_000;

const outOfMemory = fileURLToPath(new URL('scripts/out-of-memory.ts', import.meta.url));
const survivors = numbers(INSTANCES - 1);

let folder: string;
let lives: SharedArrayBuffer;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-death-'));
  lives = Lives.buffer(INSTANCES);
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const start = (death: Death, at: Moment = 'execute', records?: number): Promise<Job> => {
  const args: DyingArgs = { death, at, out: join(folder, 'out.jsonl'), lives };
  return dying.submit(records === undefined ? args : { ...args, records });
};

const untilDeath = (): Promise<void> => expect.poll(() => new Lives(lives).deathHasBegun, { interval: 1, timeout: 10_000 }).toBe(true);

/** The error of a job whose worker dies, which has to come soon after. */
async function deathOf(job: Job): Promise<SageError> {
  const failed = failureOf(job.completion);
  await untilDeath();
  const beganMs = performance.now();
  const error = await failed;
  expect(performance.now() - beganMs).toBeLessThan(SOON_MS);
  expect(job.status).toBe('failed');
  return error;
}

/** Nothing of the failed job is left, and the next one is not disturbed. */
async function expectAllWell(): Promise<void> {
  for (const instance of survivors) expect({ instance, ...new Lives(lives).of(instance) }).toEqual({ instance, opened: 1, closed: 1 });
  expect(readdirSync(folder)).toEqual([]);
  await expectNextJobRuns();
}

async function expectNextJobRuns(): Promise<void> {
  const out = join(folder, 'next.jsonl');
  const next = Lives.buffer(INSTANCES);
  const result = await dying.run({ death: 'none', at: 'execute', out, lives: next, records: 10_000 });
  expect(result.isolates).toBeGreaterThanOrEqual(INSTANCES);
  const written = readFileSync(out, 'utf8').trim().split('\n').map((line) => (JSON.parse(line) as { n: number }).n);
  expect(written.toSorted((a, b) => a - b)).toEqual(numbers(10_000));
  for (const instance of numbers(INSTANCES)) expect(new Lives(next).of(instance)).toEqual({ opened: 1, closed: 1 });
}

describe('process.exit in a worker', () => {
  it('fails the job with the exit code; the process and the other instances live to their end', async () => {
    const error = await deathOf(await start('exits'));
    expect(error).toMatchObject({ code: 'SAGE_WORKER_DIED', message: expect.stringContaining('exit code 3') as string });
    await expectAllWell();
  });

  it('in open: the functions that were opened are closed', async () => {
    const error = await deathOf(await start('exits', 'open'));
    expect(error).toMatchObject({ code: 'SAGE_WORKER_DIED', message: expect.stringContaining('exit code 3') as string });
    const { opened, closed } = new Lives(lives).of(0);
    expect(closed).toBe(opened);
    expect(readdirSync(folder)).toEqual([]);
    await expectNextJobRuns();
  });

  it('while the pipeline is built', async () => {
    const error = await deathOf(await start('exits', 'build'));
    expect(error).toMatchObject({ code: 'SAGE_WORKER_DIED', message: expect.stringContaining('exit code 3') as string });
    expect(readdirSync(folder)).toEqual([]);
    await expectNextJobRuns();
  });

  it('in close, when all records have been worked on: the file does not appear', async () => {
    const error = await deathOf(await start('exits', 'close', 10_000));
    expect(error).toMatchObject({ code: 'SAGE_WORKER_DIED', message: expect.stringContaining('exit code 3') as string });
    await expectAllWell();
  });
});

describe('what nobody catches in a worker', () => {
  it.each([
    ['throws in a timer', 'an exception that nobody catches', 'from a timer'],
    ['rejects unseen', 'a rejection that nobody handles', 'nobody looks'],
  ] as const)('%s: the job fails with it, and all functions are closed, those of the same thread too', async (death, what, message) => {
    const error = await deathOf(await start(death));
    expect(error).toMatchObject({ code: 'SAGE_WORKER_DIED', message: expect.stringContaining(what) as string });
    // From another thread: no instance of its class, but everything it had.
    expect(error.cause).toBeInstanceOf(Error);
    expect(error.cause).toMatchObject({ name: 'OddError', message, code: 'E_ODD', cause: { name: 'RangeError', message: 'what lies behind it' } });
    expect((error.cause as Error).stack).toContain('dying.ts');
    for (const instance of numbers(INSTANCES)) expect({ instance, ...new Lives(lives).of(instance) }).toEqual({ instance, opened: 1, closed: 1 });
    await expectAllWell();
  });

  it('in open', async () => {
    const error = await deathOf(await start('throws in a timer', 'open'));
    expect(error).toMatchObject({ code: 'SAGE_WORKER_DIED', cause: { name: 'OddError', message: 'from a timer' } });
    expect(readdirSync(folder)).toEqual([]);
    await expectNextJobRuns();
  });
});

describe('an endless loop in a worker', () => {
  it('does not outlive the cancellation of its job', async () => {
    const job = await start('loops');
    await untilDeath();
    const beganMs = performance.now();
    await job.cancel();
    expect(performance.now() - beganMs).toBeLessThan(SOON_MS);
    expect((await job.completion).status).toBe('canceled');
    expect((await job.completion).isolates).toBeGreaterThanOrEqual(INSTANCES);
    await expectAllWell();
  });

  it('does not outlive an AbortSignal', async () => {
    const abort = new AbortController();
    const job = await dying.submit({ death: 'loops', at: 'execute', out: join(folder, 'out.jsonl'), lives }, { signal: abort.signal });
    await untilDeath();
    const reason = new Error('enough');
    abort.abort(reason);
    expect(await failureOf(job.completion)).toMatchObject({ code: 'SAGE_JOB_CANCELED', cause: reason });
    await expectAllWell();
  });

  it.each(['build', 'open'] as const)('in %s: neither', async (at) => {
    const job = await start('loops', at);
    await untilDeath();
    const beganMs = performance.now();
    await job.cancel();
    expect(performance.now() - beganMs).toBeLessThan(SOON_MS);
    expect((await job.completion).status).toBe('canceled');
    const { opened, closed } = new Lives(lives).of(0);
    expect(closed).toBe(opened);
    expect(readdirSync(folder)).toEqual([]);
    await expectNextJobRuns();
  });

  it.each(['open', 'execute'] as const)('in %s: fails its job after stallTimeoutMs, with the operator', async (at) => {
    const args: DyingArgs = { death: 'loops', at, out: join(folder, 'out.jsonl'), lives };
    const error = await deathOf(await dying.submit(args, { stallTimeoutMs: STALL_TIMEOUT_MS }));
    expect(error).toMatchObject({ code: 'SAGE_WORKER_STALLED', operator: 'the dying', declaredAt: { file: expect.stringContaining('dying.ts') as string }, context: { stalledMs: expect.any(Number) as number } });
    expect(error.message).toMatch(/^worker \d of job 'dying' has not come back from a call of 'the dying' for \d+ ms, and was ended$/);
    expect(readdirSync(folder)).toEqual([]);
  }, 60_000);

  it('in close of a job that was cancelled: the job ends without it', async () => {
    const job = await start('loops', 'close');
    await expect.poll(() => job.metrics().operators.at(-1)!.recordsIn, { interval: 5, timeout: 10_000 }).toBeGreaterThan(0);
    const beganMs = performance.now();
    await job.cancel();
    expect(performance.now() - beganMs).toBeLessThan(CLOSE_DEADLINE_MS + SOON_MS);
    expect(job.status).toBe('canceled');
    await expectAllWell();
  });
});

describe('a worker that waits outside its event loop', () => {
  it('for memory: is ended when the job is cancelled', async () => {
    const job = await start('waits for memory');
    await untilDeath();
    const beganMs = performance.now();
    await job.cancel();
    expect(performance.now() - beganMs).toBeLessThan(SOON_MS);
    await expectAllWell();
  });

  it('in a call that does not come back: the job ends without its thread, and says so', async () => {
    const pipe = pipeOf(join(folder, 'out.jsonl'));
    execFileSync('mkfifo', [pipe]);
    const warned = once(process, 'warning') as Promise<[Error]>;
    const job = await start('hangs in a call');
    await untilDeath();
    const beganMs = performance.now();
    await job.cancel();
    expect(performance.now() - beganMs).toBeLessThan(GONE_DEADLINE_MS + SOON_MS);
    expect(job.status).toBe('canceled');
    expect((await warned)[0]).toMatchObject({ name: 'SageWarning', message: expect.stringContaining("of job 'dying' hangs") as string });
    expect(readdirSync(folder)).toEqual([basename(pipe)]);
    await expectNextJobRuns();
    // The thread can go now.
    closeSync(openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK));
    for (const instance of survivors) expect(new Lives(lives).of(instance)).toEqual({ opened: 1, closed: 1 });
  });
});

describe('a worker that runs out of memory', () => {
  it.each(['execute', 'build'] as const)('in %s: the job fails with SAGE_WORKER_OUT_OF_MEMORY, and the process lives', async (at) => {
    // In a process of its own, whose heaps are small: this one would take all of the machine's memory, or fall with it.
    const { code, signal, stdout, stderr } = await runScript(outOfMemory, [folder, at], { env: { NODE_OPTIONS: '--max-old-space-size=64' } });
    expect({ code, signal, stderr }).toMatchObject({ code: 0, signal: null });
    const [first, ...others] = stdout.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(first).toEqual({
      code: 'SAGE_WORKER_OUT_OF_MEMORY',
      message: expect.stringContaining('memory limit') as string,
      cause: 'ERR_WORKER_OUT_OF_MEMORY',
      status: 'failed',
      survivors: at === 'execute' ? [{ opened: 1, closed: 1 }] : expect.any(Array) as unknown,
      files: [],
    });
    expect(others).toEqual([{ status: 'finished', recordsOut: 10_000, files: ['next.jsonl'] }]);
  }, 60_000);
});
