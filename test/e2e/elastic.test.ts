import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { threadId } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { type Job, type JobResult, JobManager, type PipelineOptions } from '../../ts/index.ts';
import { Lives } from '../chaos/support/lives.ts';
import { type ElasticArgs, Signals, elastic, taken, totals } from './pipelines/elastic.ts';
import { branches, elasticOperators, isBad } from './pipelines/elastic-operators.ts';
import { type Sale, autoKeys, perShop } from './pipelines/auto-keys.ts';
import { runScript } from './support/run-script.ts';
import { numbers } from './support/run-to-array.ts';

const script = fileURLToPath(new URL('scripts/elastic-script.ts', import.meta.url));
const MANY = 60_000;
const FEW = 2_000;

let folder: string;
let args: ElasticArgs;
let signals: Signals;
let lives: Lives;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-elastic-'));
  for (const count of [MANY, FEW]) writeFileSync(join(folder, `${count}`), numbers(count).map((n) => `${n}\n`).join(''));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeEach(() => {
  taken.length = 0;
  totals.length = 0;
  const memory = { signals: Signals.memory(), lives: Lives.buffer(availableParallelism()) };
  args = { path: join(folder, `${MANY}`), burnMs: 0.3, worker: 'comes', ...memory };
  signals = new Signals(memory.signals);
  lives = new Lives(memory.lives);
});

afterEach(() => JobManager.instance().cleanupAllJobs());

const auto: PipelineOptions = { parallelism: 'auto' };

/** Whatever was read came out once, and what has state behind it has seen the same. */
function expectExactly(count: number, result: JobResult): void {
  expect(taken.map(({ n }) => n).toSorted((a, b) => a - b)).toEqual(numbers(count));
  expect(totals).toEqual([{ count, sum: (count * (count - 1)) / 2 }]);
  expect([result.recordsIn, result.edges.filter(({ sent, received }) => sent !== received)]).toEqual([count, []]);
}

/** A job whose bottleneck has been seen, so that its second instance is on its way. */
async function growing(worker: ElasticArgs['worker']): Promise<Job> {
  const job = await elastic.submit({ ...args, worker }, auto);
  job.completion.catch(() => undefined);
  await expect.poll(() => job.metrics().scaling.length, { interval: 10, timeout: 20_000 }).toBe(1);
  return job;
}

it('a cheap stage starts no worker', async () => {
  const result = await elastic.run({ ...args, path: join(folder, `${FEW}`), burnMs: 0 }, auto);

  expectExactly(FEW, result);
  expect(result).toMatchObject({ status: 'finished', isolates: 1, scaling: [] });
  expect(new Set(taken.map(({ thread }) => thread))).toEqual(new Set([threadId]));
});

describe('keys behind a file', () => {
  const sales = (records: number): Sale[] => numbers(records).map((n) => ({ shop: `shop ${n % 50} ${'x'.repeat(40)}`, price: n % 97 }));

  it.each([
    { records: 500, what: 'a small one is counted in the main isolate', threads: false },
    { records: 40_000, what: 'one that is worth several readers in worker threads', threads: availableParallelism() > 1 },
  ])('$what', async ({ records, threads }) => {
    const path = join(folder, `sales-${records}.jsonl`);
    const input = sales(records);
    writeFileSync(path, input.map((sale) => `${JSON.stringify(sale)}\n`).join(''));
    perShop.length = 0;

    const result = await autoKeys.run({ path }, auto);

    expect(result.isolates > 1).toBe(threads);
    expect(result.scaling).toEqual([]);
    const naive = new Map<string, { sales: number; total: number }>();
    for (const { shop, price } of input) {
      const { sales: before, total } = naive.get(shop) ?? { sales: 0, total: 0 };
      naive.set(shop, { sales: before + 1, total: total + price });
    }
    expect(new Map(perShop.map(({ key, ...counted }) => [key, counted]))).toEqual(naive);
  });
});

it('an explicit number is what it was: threads at once, no decisions', async () => {
  const result = await elastic.run({ ...args, path: join(folder, `${FEW}`), burnMs: 0 }, { parallelism: 2 });

  expectExactly(FEW, result);
  expect(result).toMatchObject({ isolates: 3, scaling: [] });
});

// On one processor 'auto' is 1, which the plan's tests hold.
describe.runIf(availableParallelism() > 1)('a stage that stays the bottleneck', () => {
  it('gets a second instance, which takes its share: every record arrives once, and the reason is told', async () => {
    const result = await elastic.run(args, auto);

    expectExactly(MANY, result);
    expect(new Set(taken.map(({ thread }) => thread)).size).toBe(result.isolates);
    expect(result.isolates).toBeGreaterThanOrEqual(2);
    expect(result.scaling[0]).toMatchObject({ stage: 'burn', instances: 2 });
    expect(result.scaling[0]!.reason).toMatch(/^the main isolate was busy \d+ % of [\d,]+ ms, \d+ % with 'burn', and [\d,]+ records waited for it: a second instance$/);
    expect(result.scaling[0]!.atMs).toBeLessThan(result.durationMs);
    for (const instance of [0, 1]) expect(lives.of(instance)).toEqual({ opened: 1, closed: 1 });
  }, 60_000);

  it('shares what waits with its second instance, also when all of the input was in its queue by then', async () => {
    // Less than half of a queue, and read at once.
    const result = await elastic.run({ ...args, path: join(folder, `${FEW}`), burnMs: 10 }, auto);

    expectExactly(FEW, result);
    expect(new Set(taken.map(({ thread }) => thread)).size).toBe(2);
    expect(result.scaling[0]).toMatchObject({ stage: 'burn', instances: 2 });
  }, 60_000);

  it('gets it with the arguments as they were at submit, whatever the caller does with his own', async () => {
    const own: { -readonly [K in keyof ElasticArgs]: ElasticArgs[K] } = { ...args };
    const job = await elastic.submit(own, auto);
    own.path = join(folder, 'another');

    const result = await job.completion;

    expectExactly(MANY, result);
    expect(new Set(taken.map(({ thread }) => thread)).size).toBe(2);
  }, 60_000);

  it('gets none when its arguments cannot be copied to a worker, and explain says why', async () => {
    const uncloneable: ElasticArgs = Object.assign({ ...args, path: join(folder, `${FEW}`), burnMs: 1 }, { log: (): void => undefined });

    const [text, result] = [await elastic.explain(uncloneable, auto), await elastic.run(uncloneable, auto)];

    expectExactly(FEW, result);
    expect(result).toMatchObject({ isolates: 1, scaling: [] });
    expect(text).toContain("parallelism 1: 'auto': without worker threads more instances would gain nothing, and there can be none: the pipeline's arguments cannot be sent to a worker thread: ");
  }, 60_000);

  it('may be made of operators of every kind: each branch has what one instance would give', async () => {
    for (const branch of Object.values(branches)) branch.length = 0;

    const result = await elasticOperators.run(args, auto);

    const good = numbers(MANY).filter((n) => !isBad(n));
    const sorted = (some: readonly number[]): number[] => some.toSorted((a, b) => a - b);
    expect(sorted(branches.async)).toEqual(good.map((n) => n + 1));
    expect(sorted(branches.batches.flat())).toEqual(good);
    expect(sorted(branches.pairs)).toEqual(sorted(good.filter((n) => n % 2 === 0).flatMap((n) => [n, -n])));
    expect(sorted(branches.dead)).toEqual(numbers(MANY).filter(isBad));
    expect(branches.perRemainder.toSorted((a, b) => a.key - b.key)).toEqual(numbers(5).map((key) => ({ key, n: good.filter((n) => n % 5 === key).length })));
    expect(result.isolates).toBeGreaterThanOrEqual(2);
    expect([result.deadLetters, result.edges.filter(({ sent, received }) => sent !== received)]).toEqual([branches.dead.length, []]);
  }, 60_000);

  it('of a program gets it too, from the first job that the program submits', async () => {
    const { stdout, stderr, code } = await runScript(script, [join(folder, `${MANY}`)]);

    expect([code, stderr]).toEqual([0, '']);
    const { recordsIn, recordsOut, ...outcome } = JSON.parse(stdout) as { recordsIn: number; recordsOut: number };
    expect(outcome).toEqual({ isolates: 2, status: 'stopped', instances: [2], once: true });
    expect(recordsOut).toBe(recordsIn);
  }, 60_000);
});

describe.runIf(availableParallelism() > 1)('while the second instance is being started', () => {
  it('the job may end: it does not wait for it, and opens nothing more', async () => {
    const job = await growing('waits at the door');

    signals.enough();
    const result = await job.completion;

    expectExactly(MANY, result);
    expect(result).toMatchObject({ status: 'finished', isolates: 1 });
    expect([lives.of(0), lives.of(1)]).toEqual([{ opened: 1, closed: 1 }, { opened: 0, closed: 0 }]);
  }, 60_000);

  it('the job may be stopped', async () => {
    const job = await growing('waits at the door');

    const stopped = job.stop();
    signals.enough();
    const result = await stopped;

    expect(result).toMatchObject({ status: 'stopped', isolates: 1, recordsOut: result.recordsIn });
    expect(taken.map(({ n }) => n)).toHaveLength(new Set(taken.map(({ n }) => n)).size);
  }, 60_000);

  it('the job may be cancelled', async () => {
    const job = await growing('waits at the door');

    await job.cancel();

    expect(await job.completion).toMatchObject({ status: 'canceled', isolates: 1 });
    expect([job.status, lives.of(0), lives.of(1)]).toEqual(['canceled', { opened: 1, closed: 1 }, { opened: 0, closed: 0 }]);
  }, 60_000);

  it('the job may be paused: the instance comes, and works when the job goes on', async () => {
    const job = await growing('waits at the door');

    await job.pause();
    signals.openDoor();
    await expect.poll(() => lives.of(1).opened, { interval: 10, timeout: 20_000 }).toBe(1);
    expect(job.status).toBe('paused');
    await job.resume();
    const result = await job.completion;

    expectExactly(MANY, result);
    expect(result.isolates).toBeGreaterThanOrEqual(2);
  }, 60_000);

  it('a failure of it is the failure of the job', async () => {
    const job = await growing('fails');

    await expect(job.completion).rejects.toThrow('no way in');
    expect([job.status, lives.of(0)]).toEqual(['failed', { opened: 1, closed: 1 }]);
  }, 60_000);
});
