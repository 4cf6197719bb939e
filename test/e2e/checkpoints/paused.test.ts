// Jobs with checkpoints that are paused, go on, fail while they are paused, and are started again.
import { describe, expect, it } from 'vitest';

import { END, type EnvironmentConfig, type Job, JsonLinesSink, KeyedProcessFunction, LocalEnvironment, type Logger, type Seekable, SourceFunction, type ValueState } from '../../../ts/index.ts';
import type { LocalJob } from '../../../ts/runtime/job/local-job.ts';
import { SeededRandom } from '../../../ts/testing/seeded-random.ts';
import { type Build, undisturbed, Workplace } from './interrupted.ts';

const RECORDS = 3_000;
const SEED = Number(process.env['SAGE_SEED'] ?? Math.floor(Math.random() * 1e6));

/** How far the source may go; it waits there. */
interface Limit {
  records: number;
}

class Counting extends SourceFunction<number> implements Seekable<number> {
  readonly #limit: Limit;
  #next = 0;
  constructor(limit: Limit) {
    super();
    this.#limit = limit;
  }
  execute(): number | typeof END | Promise<number | typeof END> {
    if (this.#next === RECORDS) return END;
    if (this.#next >= this.#limit.records) return new Promise<void>((resolve) => setTimeout(resolve, 1)).then(() => this.execute());
    return this.#next++;
  }
  position(): number {
    return this.#next;
  }
  seek(position: number): void {
    this.#next = position;
  }
}

class Numbering extends KeyedProcessFunction<number, number, { n: number; nth: number }> {
  #nth!: ValueState<number>;
  override open(): void {
    this.#nth = this.ctx.state.value('nth');
  }
  execute(n: number): void {
    const nth = (this.#nth.get() ?? 0) + 1;
    this.#nth.set(nth);
    this.collect({ n, nth });
  }
}

const building = (limit: Limit): Build => (env, out, touch) => {
  const touched = env.fromSource(Counting, limit).map((n) => {
    touch();
    return n;
  });
  touched.keyBy((n) => n % 7).process(Numbering).parallelism(2).sink(new JsonLinesSink(out));
};

/** Only savepoints. */
const NO_CHECKPOINTS: EnvironmentConfig = {};

interface Run {
  readonly job: Job;
  readonly limit: Limit;
  /** Records that the source has given, in all attempts. */
  readonly given: () => number;
  /** Resolves when the job has failed, and says when it is started again. */
  readonly failed: Promise<void>;
}

async function start(place: Workplace, records: number, config: EnvironmentConfig = {}, from = 'latest'): Promise<Run> {
  let given = 0;
  const failed = Promise.withResolvers<void>();
  const logger: Logger = { debug() {}, info() {}, warn: () => failed.resolve(), error() {}, child: () => logger };
  const env = new LocalEnvironment('paused', config === NO_CHECKPOINTS ? { logger } : { checkpoint: { dir: place.path('checkpoints'), intervalMs: 2 }, logger, ...config });
  const limit = { records };
  building(limit)(env, place.path('out.jsonl'), () => given++);
  return { job: await env.submit(config === NO_CHECKPOINTS && from === 'latest' ? {} : { from }), limit, given: () => given, failed: failed.promise };
}

const turns = async (count: number): Promise<void> => {
  for (let n = 0; n < count; n++) await new Promise((resolve) => setTimeout(resolve, 1));
};

const reaches = (count: () => number, least: number): Promise<void> => expect.poll(count, { interval: 1, timeout: 10_000 }).toBeGreaterThanOrEqual(least);

const epochs = ({ job }: Run): number => job.metrics().checkpoints?.completed ?? 0;

async function expectUndisturbed(place: Workplace): Promise<void> {
  await undisturbed(building({ records: RECORDS }), place.path('whole.jsonl'));
  expect(place.read('out.jsonl', false)).toBe(place.read('whole.jsonl', false));
}

const RESTART: EnvironmentConfig = { restart: { kind: 'fixed', attempts: 1, delayMs: 1 } };
/** Delivery that was begun when the pause came may still be under way for so long. */
const SETTLED_TURNS = 30;

describe('a job with checkpoints that is paused', () => {
  it(`given checkpoints all the time, when it is paused and goes on at random moments, then nothing is lost or there twice, and nothing comes in a pause (SAGE_SEED=${SEED})`, async () => {
    using place = new Workplace();
    const random = new SeededRandom(SEED);
    const run = await start(place, 0);
    for (let least = 1 + random.below(300); least < RECORDS; least += 1 + random.below(600)) {
      // There are more records that could come.
      run.limit.records = Math.min(RECORDS - 1, least + random.below(300));
      await reaches(run.given, least);
      await run.job.pause();
      await turns(SETTLED_TURNS);
      const [given, written] = [run.given(), epochs(run)];
      await turns(10);
      expect([run.job.status, run.given(), epochs(run)]).toEqual(['paused', given, written]);
      await run.job.resume();
      await reaches(() => epochs(run), written + 1);
    }
    run.limit.records = RECORDS;
    const result = await run.job.completion;
    expect(result.status).toBe('finished');
    expect(run.given()).toBe(RECORDS);
    await expectUndisturbed(place);
  });

  it.each([false, true])('given a pause, when checkpoints and savepoints are asked for, then they are written, sources give nothing, and nothing is lost or there twice (only savepoints: %s)', async (savepointsOnly) => {
    using place = new Workplace();
    const run = await start(place, RECORDS / 2, savepointsOnly ? NO_CHECKPOINTS : { checkpoint: { dir: place.path('checkpoints') } });
    await reaches(run.given, 100);
    await run.job.pause();
    await turns(SETTLED_TURNS);
    const given = run.given();
    // More could come.
    run.limit.records = RECORDS;
    if (!savepointsOnly) expect(await run.job.checkpoint()).toMatchObject({ epoch: 1 });
    await Promise.all([run.job.savepoint(place.path('one')), run.job.savepoint(place.path('two'))]);
    await turns(10);
    expect(run.job.status).toBe('paused');
    // The record that was awaited when the pause came.
    expect(run.given() - given).toBeLessThanOrEqual(1);
    await run.job.savepoint(place.path('three'));
    await run.job.resume();
    await run.job.completion;
    expect(run.given()).toBe(RECORDS);
    await expectUndisturbed(place);
  });

  it.each([false, true])('given a pause, when it is stopped with a savepoint, also behind another, then a job goes on from there (only savepoints: %s)', async (savepointsOnly) => {
    using place = new Workplace();
    const config = savepointsOnly ? NO_CHECKPOINTS : { checkpoint: { dir: place.path('checkpoints') } };
    const run = await start(place, RECORDS / 2, config);
    await reaches(run.given, 100);
    await run.job.pause();
    await run.job.savepoint(place.path('one'));
    await run.job.stop({ savepoint: place.path('last') });
    expect(run.job.status).toBe('stopped');
    const next = await start(place, RECORDS, config, place.path('last'));
    expect(await next.job.completion).toMatchObject({ status: 'finished', recordsIn: RECORDS - run.given() });
    await expectUndisturbed(place);
  });

  it('given calls that are in flight when it is paused, when a savepoint is asked for, then they are in it, and it does not wait for them', async () => {
    using place = new Workplace();
    const limit = { records: 3 };
    const build = (out: number[], call: (n: number) => number | Promise<number>, seen: () => void): LocalEnvironment => {
      const env = new LocalEnvironment('calls');
      env.fromSource(Counting, limit).uid('in').mapAsync((n) => (seen(), call(n)), { concurrency: 8 }).uid('calls').sink(out, { uid: 'out' });
      return env;
    };
    const begun = Promise.withResolvers<void>();
    let calls = 0;
    const out: number[] = [];
    const job = await build(out, () => new Promise<number>(() => undefined), () => ++calls === 3 && begun.resolve()).submit();
    await begun.promise;
    await job.pause();
    await job.savepoint(place.path('saved'));
    expect([job.status, out]).toEqual(['paused', []]);
    await job.cancel();
    limit.records = RECORDS;
    await (await build(out, (n) => n * 10, () => undefined).submit({ from: place.path('saved') })).completion;
    expect(out).toEqual(Array.from({ length: RECORDS }, (_, n) => n * 10));
  });

  it('given a pause in which it has failed, when a checkpoint is asked for, then it is refused, and says what to do', async () => {
    using place = new Workplace();
    const run = await start(place, RECORDS / 2, RESTART);
    await reaches(run.given, RECORDS / 2);
    await run.job.pause();
    (run.job as LocalJob).fail(new Error('it was to fail here'));
    await run.failed;
    await expect(run.job.checkpoint()).rejects.toMatchObject({ code: 'SAGE_JOB_STATE', help: expect.stringContaining('resume()') as string });
    await run.job.cancel();
  });

  it('given a pause, when it fails, then it is started again by the resume, not before, and its result is exact', async () => {
    using place = new Workplace();
    const run = await start(place, RECORDS / 2, RESTART);
    await reaches(run.given, RECORDS / 2);
    await reaches(() => epochs(run), epochs(run) + 2);
    run.limit.records = RECORDS;
    await run.job.pause();
    (run.job as LocalJob).fail(new Error('it was to fail here'));
    await run.failed;
    const given = run.given();
    await turns(SETTLED_TURNS);
    expect([run.job.status, run.given(), run.job.metrics().restarts]).toEqual(['paused', given, 1]);
    await expect(run.job.pause()).rejects.toMatchObject({ code: 'SAGE_JOB_STATE' });
    await run.job.resume();
    const result = await run.job.completion;
    expect([result.status, result.restarts]).toEqual(['finished', 1]);
    expect(run.job.metrics().checkpoints?.restoredEpoch).toBeGreaterThanOrEqual(2);
    await expectUndisturbed(place);
  });

  it.each(['stop', 'cancel'] as const)('given a pause in which it has failed, when it is told to %s, then it ends, and another job goes on from there', async (verb) => {
    using place = new Workplace();
    const run = await start(place, RECORDS / 2, RESTART);
    await reaches(run.given, RECORDS / 2);
    await reaches(() => epochs(run), epochs(run) + 2);
    run.limit.records = RECORDS;
    await run.job.pause();
    (run.job as LocalJob).fail(new Error('it was to fail here'));
    await run.failed;
    await turns(5);
    await run.job[verb]();
    expect(run.job.status).toBe(verb === 'stop' ? 'stopped' : 'canceled');
    const next = await start(place, RECORDS);
    expect((await next.job.completion).status).toBe('finished');
    expect(next.job.metrics().checkpoints?.restoredEpoch).toBeGreaterThanOrEqual(2);
    await expectUndisturbed(place);
  });
});
