import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { SageError } from '../../ts/index.ts';
import { failureOf } from '../e2e/support/failure-of.ts';
import { runScript } from '../e2e/support/run-script.ts';
import { numbers } from '../e2e/support/run-to-array.ts';
import type { Death, Moment } from './pipelines/dying.ts';
import { type LateDeathArgs, lateDeath } from './pipelines/late-death.ts';
import { Lives } from './support/lives.ts';

/** From the death of the worker to the end of the job; more than the product's own deadlines of 1 s. */
const SOON_MS = 4_000;
const RECORDS = 500;

const outOfMemory = fileURLToPath(new URL('scripts/late-out-of-memory.ts', import.meta.url));

let folder: string;
let args: LateDeathArgs;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-late-death-'));
  args = { death: 'none', at: 'execute', onError: 'fail', out: join(folder, 'out.jsonl'), lives: Lives.buffer(availableParallelism()) };
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The error of a job whose late worker dies, which has to come soon after; the instance in the main isolate lives to its end. */
async function deathOf(death: Death, at: Moment, more: Partial<LateDeathArgs> = {}): Promise<SageError> {
  const lives = new Lives(args.lives);
  const job = await lateDeath.submit({ ...args, death, at, ...more });
  const failed = failureOf(job.completion);
  await expect.poll(() => lives.deathHasBegun, { interval: 1, timeout: 15_000 }).toBe(true);
  const beganMs = performance.now();
  const error = await failed;
  expect(performance.now() - beganMs).toBeLessThan(SOON_MS);
  expect(job.status).toBe('failed');
  expect(job.metrics().scaling[0]).toMatchObject({ stage: 'the dying', instances: 2 });
  expect(lives.of(0)).toEqual({ opened: 1, closed: 1 });
  return error;
}

/** Nothing of the failed job is left, and the next one is not disturbed. */
async function expectNextJobRuns(): Promise<void> {
  expect(readdirSync(folder)).toEqual([]);
  const result = await lateDeath.run({ ...args, lives: Lives.buffer(availableParallelism()), records: RECORDS });
  expect(result).toMatchObject({ status: 'finished', recordsOut: RECORDS });
  const written = readFileSync(args.out, 'utf8').trim().split('\n').map((line) => (JSON.parse(line) as { n: number }).n);
  expect(written.toSorted((a, b) => a - b)).toEqual(numbers(RECORDS));
}

// On one processor 'auto' is 1, which the plan's tests hold.
describe.runIf(availableParallelism() > 1)("the worker of an 'auto' stage that came while the job ran", () => {
  it.each(['build', 'open', 'execute', 'close'] as const)('calls process.exit in %s: the job fails with the exit code', async (at) => {
    const error = await deathOf('exits', at);

    expect(error).toMatchObject({ code: 'SAGE_WORKER_DIED', message: "worker 1 of job 'late-death' ended with exit code 3 before the job was over" });
    await expectNextJobRuns();
  }, 40_000);

  it('calls process.exit at its first record: no policy for records makes that a record that is left out', async () => {
    const error = await deathOf('exits', 'execute', { onError: 'skip' });

    expect(error).toMatchObject({ code: 'SAGE_WORKER_DIED' });
    await expectNextJobRuns();
  }, 40_000);

  it.each([
    ['throws in a timer', 'open', 'an exception that nobody catches', 'from a timer'],
    ['throws in a timer', 'execute', 'an exception that nobody catches', 'from a timer'],
    ['rejects unseen', 'execute', 'a rejection that nobody handles', 'nobody looks'],
  ] as const)('%s in %s: the job fails with it, and the functions of both threads are closed', async (death, at, what, message) => {
    const error = await deathOf(death, at);

    expect(error).toMatchObject({ code: 'SAGE_WORKER_DIED', message: expect.stringContaining(what) as string, cause: { name: 'OddError', message } });
    expect(new Lives(args.lives).of(1)).toEqual({ opened: 1, closed: 1 });
    await expectNextJobRuns();
  }, 40_000);

  it.each(['build', 'open', 'execute'] as const)('comes to an endless loop in %s: it does not outlive the cancellation of its job', async (at) => {
    const lives = new Lives(args.lives);
    const job = await lateDeath.submit({ ...args, death: 'loops', at });
    await expect.poll(() => lives.deathHasBegun, { interval: 1, timeout: 15_000 }).toBe(true);
    const beganMs = performance.now();

    await job.cancel();

    expect(performance.now() - beganMs).toBeLessThan(SOON_MS);
    expect([job.status, lives.of(0)]).toEqual(['canceled', { opened: 1, closed: 1 }]);
    await expectNextJobRuns();
  }, 40_000);

  it.each(['build', 'execute'] as const)('runs out of memory in %s: the job fails with SAGE_WORKER_OUT_OF_MEMORY, and the process lives', async (at) => {
    // In a process of its own, whose heaps are small: this one would take all of the machine's memory, or fall with it.
    const { code, signal, stdout, stderr } = await runScript(outOfMemory, [folder, at], { env: { NODE_OPTIONS: '--max-old-space-size=64' } });

    expect({ code, signal, stderr }).toMatchObject({ code: 0, signal: null });
    expect(JSON.parse(stdout)).toEqual({
      code: 'SAGE_WORKER_OUT_OF_MEMORY',
      message: expect.stringContaining("worker 1 of job 'late-death' died") as string,
      status: 'failed',
      survivor: { opened: 1, closed: 1 },
      files: [],
    });
  }, 60_000);
});
