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

interface Run {
  readonly job: Job;
  readonly limit: Limit;
  /** Records that the source has given, in all attempts. */
  readonly given: () => number;
  /** Resolves when the job has failed, and says when it is started again. */
  readonly failed: Promise<void>;
}

async function start(place: Workplace, records: number, config: EnvironmentConfig = {}): Promise<Run> {
  let given = 0;
  const failed = Promise.withResolvers<void>();
  const logger: Logger = { debug() {}, info() {}, warn: () => failed.resolve(), error() {}, child: () => logger };
  const env = new LocalEnvironment('paused', { checkpoint: { dir: place.path('checkpoints'), intervalMs: 2 }, logger, ...config });
  const limit = { records };
  building(limit)(env, place.path('out.jsonl'), () => given++);
  return { job: await env.submit({ from: 'latest' }), limit, given: () => given, failed: failed.promise };
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

  it('given a pause, when a checkpoint is asked for, then it is refused, and says what to do; behind a resume it is written', async () => {
    using place = new Workplace();
    const run = await start(place, RECORDS / 2, { checkpoint: { dir: place.path('checkpoints') } });
    await reaches(run.given, 100);
    await run.job.pause();
    await expect(run.job.checkpoint()).rejects.toMatchObject({ code: 'SAGE_JOB_STATE', help: expect.stringContaining('resume()') as string });
    await run.job.resume();
    expect(await run.job.checkpoint()).toMatchObject({ epoch: 1 });
    run.limit.records = RECORDS;
    await run.job.completion;
    await expectUndisturbed(place);
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
