import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';

import { type Job, type JobResult, JobManager } from '../../ts/index.ts';
import { Lives } from '../chaos/support/lives.ts';
import { Signals, elastic, taken, totals } from './pipelines/elastic.ts';
import { parseGraphName } from './random/graph-name.ts';
import { DicedJoins, PROCESSORS } from './support/diced-joins.ts';
import { numbers } from './support/run-to-array.ts';

const RECORDS = 20_000;
const RUNS = Number(process.env['SAGE_PROPERTY_RUNS'] ?? 20);
const SEED = process.env['SAGE_PROPERTY_SEED'];
const seeds = SEED === undefined ? numbers(RUNS).map((n) => n + 1) : [parseGraphName(SEED).seed];
/** Looks are 5 ms apart: what is done is done before, while, or after two workers have come. */
const MAX_LOOKS = 120;

/** What is done to a job while workers join it. */
const deeds = {
  ends: (): void => undefined,
  stops: (job: Job): unknown => job.stop(),
  'stops and drains': (job: Job): unknown => job.stop({ drain: true }),
  'is cancelled': (job: Job): unknown => job.cancel(),
  'is paused and goes on': async (job: Job, pausedMs: number): Promise<void> => {
    await job.pause();
    // For a time of the dice, so that a worker comes in it or does not.
    await new Promise((resolve) => setTimeout(resolve, pausedMs));
    await job.resume();
  },
};
type Deed = keyof typeof deeds;

let folder: string;
let path: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-elastic-races-'));
  path = join(folder, 'numbers');
  writeFileSync(path, numbers(RECORDS).map((n) => `${n}\n`).join(''));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

afterEach(() => JobManager.instance().cleanupAllJobs());

/** A result that is right for what was done; the file has one reader, so that whatever was read are its first records. */
function expectRight(deed: Deed, result: JobResult): void {
  const seen = taken.map(({ n }) => n).toSorted((a, b) => a - b);
  if (deed === 'is cancelled') {
    expect([result.status, seen.length]).toEqual(['canceled', new Set(seen).size]);
    return;
  }
  expect(seen).toEqual(numbers(result.recordsIn));
  expect(result.edges.filter(({ sent, received }) => sent !== received)).toEqual([]);
  const isStopped = deed === 'stops' || deed === 'stops and drains';
  expect([result.status, isStopped || result.recordsIn === RECORDS]).toEqual([isStopped ? 'stopped' : 'finished', true]);
  const count = seen.length;
  // A stop without `drain` gives no final results.
  expect(totals).toEqual(deed === 'stops' ? [] : [{ count, sum: (count * (count - 1)) / 2 }]);
}

let jobsWithLateWorkers = 0;

it.each(seeds)('whatever is done to a job while workers join it, each record arrives once and each function is closed: seed %i', async (seed) => {
  taken.length = 0;
  totals.length = 0;
  const args = { path, burnMs: 0.2, worker: 'comes', goesOn: true, signals: Signals.memory(), lives: Lives.buffer(PROCESSORS) } as const;
  const acted = Promise.withResolvers<void>();
  const plan = { deed: 'ends' as Deed, looks: 0, pausedMs: 0 };
  using joins = new DicedJoins(seed, (come) => {
    // Some jobs go on until a worker has come: on a slow machine all others may be over by then.
    if (seed % 5 === 0 ? come > 0 : plan.looks-- === 0) acted.resolve();
  });
  plan.deed = joins.dice.pick(Object.keys(deeds) as Deed[]);
  plan.looks = joins.dice.below(MAX_LOOKS);
  plan.pausedMs = joins.dice.below(300);

  const job = await elastic.submit(args, { parallelism: 'auto' });
  await Promise.race([acted.promise, job.ended]);
  const deed = job.status === 'finished' ? 'ends' : plan.deed;
  const done = deeds[deed](job, plan.pausedMs);
  new Signals(args.signals).enough();
  await done;
  const result = await job.completion;

  if (result.isolates > 1) jobsWithLateWorkers++;
  expectRight(deed, result);
  const lives = new Lives(args.lives);
  for (const instance of numbers(PROCESSORS)) {
    const { opened, closed } = lives.of(instance);
    expect({ instance, opened: opened <= 1, closed }).toEqual({ instance, opened: true, closed: opened });
  }
}, 60_000);

it.runIf(SEED === undefined)('some of those workers have worked', () => expect(jobsWithLateWorkers).toBeGreaterThan(0));
