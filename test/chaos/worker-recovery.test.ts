// Jobs over threads whose threads die, and that are started again: nothing is lost, and nothing is there twice.
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { runScript } from '../e2e/support/run-script.ts';
import { pipeOf } from './pipelines/dying.ts';
import { recovering } from './pipelines/recovering.ts';
import { heavy } from './support/heavy.ts';
import { argsOf, recover } from './support/recover.ts';

const STALL_TIMEOUT_MS = 1_000;
/** From a death until the job has failed and its other functions are closed. */
const NOTICED_MS = 2_000;
/** A thread that hangs outside JavaScript is given up after this time. */
const GONE_DEADLINE_MS = 3_000;
const TIMEOUT_MS = 60_000;
const seeds = process.env['SAGE_SEED'] === undefined ? [Math.floor(Math.random() * 1e6)] : [Number(process.env['SAGE_SEED'])];
const script = fileURLToPath(new URL('scripts/recovering.ts', import.meta.url));

let folder: string;
let undisturbed: string[];

const linesOf = (file: string): string[] => readFileSync(file, 'utf8').split('\n').slice(0, -1);

beforeAll(async () => {
  const whole = mkdtempSync(join(tmpdir(), 'sage-whole-'));
  const out = join(whole, 'out.jsonl');
  await recovering.run(argsOf(out, [], 1));
  undisturbed = linesOf(out).toSorted();
  rmSync(whole, { recursive: true });
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-recovery-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The file has each record once, with the number that it has in an undisturbed run, and those of a key in their order. */
function expectExact(): void {
  const lines = linesOf(join(folder, 'out.jsonl'));
  expect(lines.toSorted()).toEqual(undisturbed);
  const last = new Map<number, number>();
  for (const line of lines) {
    const { key, nth } = JSON.parse(line) as { key: number; nth: number };
    expect(nth).toBe((last.get(key) ?? 0) + 1);
    last.set(key, nth);
  }
}

const paths = (): { dir: string; out: string } => ({ dir: join(folder, 'checkpoints'), out: join(folder, 'out.jsonl') });

describe.each(seeds)('given threads that die at random moments, SAGE_SEED=%i', (seed) => {
  it('when one exits, throws where nobody catches, rejects where nobody looks, or panics in the core, then the job goes on from its last epoch, and its result is exact', async () => {
    const deaths = ['exits', 'throws in a timer', 'rejects unseen', 'panics in the core'] as const;
    const { result, errors, noticedMs, restoredEpochs } = await recover({ deaths, seed, ...paths(), parallelism: 2 });
    expect([result.status, result.restarts]).toEqual(['finished', deaths.length]);
    expect(result.isolates).toBeGreaterThanOrEqual(2);
    expect(errors.map(({ code, message }) => `${code}: ${message}`)).toEqual([
      expect.stringMatching(/^SAGE_WORKER_DIED: .*exit code 3/),
      expect.stringMatching(/^SAGE_WORKER_DIED: an exception that nobody catches/),
      expect.stringMatching(/^SAGE_WORKER_DIED: a rejection that nobody handles/),
      expect.stringMatching(/a panic on purpose/),
    ]);
    for (const ms of noticedMs) expect(ms).toBeLessThan(NOTICED_MS);
    for (const epoch of restoredEpochs) expect(epoch).toBeGreaterThan(0);
    expectExact();
  }, TIMEOUT_MS);

  it('when one loops for ever, or waits for memory, then it is ended after stallTimeoutMs, the error names the operator, and the result is exact', async () => {
    const deaths = ['loops', 'waits for memory'] as const;
    const { result, errors, noticedMs, restoredEpochs } = await recover({ deaths, seed, ...paths(), parallelism: 1, options: { isolated: true, stallTimeoutMs: STALL_TIMEOUT_MS } });
    expect([result.status, result.restarts, errors.length]).toEqual(['finished', deaths.length, deaths.length]);
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'SAGE_WORKER_STALLED', operator: expect.stringMatching(/the numbering$/) as string });
      expect(error.related?.at(-1)).toMatchObject({ what: "'the numbering' is declared", declaredAt: { file: expect.stringContaining('recovering.ts') as string } });
      expect(error.message).toMatch(/^worker 1 of job 'recovering' has not come back from a call of 'source', 'keyBy', 'the numbering' for \d+ ms, and was ended$/);
      expect(error.help).toContain('stallTimeoutMs');
    }
    for (const ms of noticedMs) {
      expect(ms).toBeGreaterThanOrEqual(STALL_TIMEOUT_MS);
      expect(ms).toBeLessThan(STALL_TIMEOUT_MS + NOTICED_MS);
    }
    for (const epoch of restoredEpochs) expect(epoch).toBeGreaterThan(0);
    expectExact();
  }, TIMEOUT_MS);

  it('when one runs out of memory, then the job goes on from its last epoch, and its result is exact', async () => {
    // In a process of its own, whose heaps are small.
    const { code, stdout, stderr } = await runScript(script, [folder, 'runs out of memory', String(seed)], { env: { NODE_OPTIONS: '--max-old-space-size=64' } });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const recovered = JSON.parse(stdout) as { readonly noticedMs: readonly number[] };
    expect(recovered).toMatchObject({ status: 'finished', restarts: 1, codes: ['SAGE_WORKER_OUT_OF_MEMORY'], restoredEpochs: [expect.any(Number)] });
    for (const ms of recovered.noticedMs) expect(ms).toBeLessThan(NOTICED_MS);
    expectExact();
  }, TIMEOUT_MS);

  it.runIf(heavy)('when one hangs in a call outside JavaScript, then the job goes on without it, and its result is exact', async () => {
    const pipe = pipeOf(paths().out);
    execFileSync('mkfifo', [pipe]);
    const options = { isolated: true, stallTimeoutMs: STALL_TIMEOUT_MS };
    const { result, errors, noticedMs } = await recover({ deaths: ['hangs in a call'], seed, ...paths(), parallelism: 1, options });
    expect([result.status, result.restarts, errors[0]!.code]).toEqual(['finished', 1, 'SAGE_WORKER_STALLED']);
    for (const ms of noticedMs) expect(ms).toBeLessThan(STALL_TIMEOUT_MS + GONE_DEADLINE_MS + NOTICED_MS);
    expectExact();
    // The thread can go now.
    closeSync(openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK));
  }, TIMEOUT_MS);
});
