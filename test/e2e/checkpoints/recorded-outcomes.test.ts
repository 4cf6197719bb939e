// Asynchronous calls whose outcomes are recorded outside of the job: what was recorded is not called again.
import { describe, expect, it } from 'vitest';

import { type MapAsyncOptions, type EnvironmentConfig, type Job, LocalEnvironment, type Logger, type Seekable, SourceFunction } from '../../../ts/index.ts';
import { setOutcomeRecords } from '../../../ts/runtime/job/outcome-records.ts';
import { SeededRandom } from '../../../ts/testing/seeded-random.ts';
import { Workplace } from './interrupted.ts';
import { RememberedOutcomes } from './remembered-outcomes.ts';

const RECORDS = 400;
const KEYS = 5;
const SEED = Number(process.env['SAGE_SEED'] ?? Math.floor(Math.random() * 1e6));
const quiet: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => quiet };

interface Asked {
  readonly key: number;
  /** Each comes four times. */
  readonly what: number;
}

/** Four equal ones behind each other, and then others. */
const recordOf = (n: number): Asked => ({ key: Math.floor(n / 4) % KEYS, what: Math.floor(n / 4) });

class Questions extends SourceFunction<Asked> implements Seekable<number> {
  #next = 0;
  async execute(): Promise<Asked | undefined> {
    await new Promise((resolve) => setImmediate(resolve));
    return this.#next === RECORDS ? undefined : recordOf(this.#next++);
  }
  position(): number {
    return this.#next;
  }
  seek(next: number): void {
    this.#next = next;
  }
}

/** Somebody outside who counts the calls, and answers when he likes. Each answer is another one. */
class Service {
  readonly random: SeededRandom;
  answers = 0;
  constructor(seed: number) {
    this.random = new SeededRandom(seed);
  }
  async answer({ what }: Asked): Promise<string> {
    for (let turns = this.random.below(4); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
    return `${what}: ${this.answers++}`;
  }
}

interface Setting {
  readonly place: Workplace;
  readonly service: Pick<Service, 'answer'>;
  readonly outcomes: RememberedOutcomes;
  readonly out: string[];
  readonly options?: Partial<MapAsyncOptions>;
  readonly config?: EnvironmentConfig;
}

function start({ place, service, outcomes, out, options = {}, config = {} }: Setting): Promise<Job> {
  const env = new LocalEnvironment('asking', { checkpoint: { dir: place.path('checkpoints'), intervalMs: 3 }, logger: quiet, ...config });
  setOutcomeRecords(env, outcomes);
  env.fromSource(Questions).uid('questions').keyBy(({ key }) => key).mapAsync((asked) => service.answer(asked), { concurrency: 4, ...options }).uid('calls').sink((answer) => void out.push(answer), { uid: 'out' });
  return env.submit({ from: 'latest' });
}

const whats = Array.from({ length: RECORDS }, (_, n) => String(recordOf(n).what)).toSorted();
const whatOf = (answer: string): string => answer.split(':')[0]!;

describe('calls whose outcomes are recorded', () => {
  it.each([true, false])(`given jobs that are cancelled at random, when others go on with any number of instances, then nothing that was recorded is asked again, and each question has its answers (in order: %s, SAGE_SEED=${SEED})`, async (ordered) => {
    using place = new Workplace();
    const random = new SeededRandom(SEED);
    const [service, outcomes, out] = [new Service(SEED), new RememberedOutcomes(), [] as string[]];
    outcomes.beforeRecord = () => (random.below(2) === 0 ? undefined : new Promise((resolve) => setImmediate(resolve)));
    for (let attempt = 0; attempt < 5; attempt++) {
      const job = await start({ place, service, outcomes, out, options: { ordered }, config: { parallelism: 1 + random.below(3) } });
      const until = out.length + 1 + random.below(60);
      await expect.poll(() => out.length >= until || new Set(out).size >= RECORDS, { interval: 1, timeout: 20_000 }).toBe(true);
      await job.cancel();
    }
    const job = await start({ place, service, outcomes, out, options: { ordered } });
    await expect.poll(() => new Set(out).size >= RECORDS, { interval: 1, timeout: 20_000 }).toBe(true);
    await job.stop();
    // What came after a checkpoint comes again: the same answer, not another one.
    expect([...new Set(out)].map(whatOf).toSorted()).toEqual(whats);
    expect(outcomes.given).toBeGreaterThan(0);
    // What is asked again is recorded again.
    expect(outcomes.recorded).toBe(RECORDS);
    // The end lets go of everything.
    expect(outcomes.size).toBe(0);
  });

  it('given a job without checkpoints that fails, when it is started again, then it asks only what was not recorded', async () => {
    const [service, outcomes, out] = [new Service(1), new RememberedOutcomes(), [] as string[]];
    const env = new LocalEnvironment('asking', { logger: quiet, restart: { kind: 'fixed', attempts: 1, delayMs: 1 } });
    setOutcomeRecords(env, outcomes);
    let left = 50;
    const asked = Array.from({ length: 100 }, (_, n) => recordOf(n));
    env.fromCollection(asked).mapAsync((one) => service.answer(one), { concurrency: 1 }).map((answer) => {
      if (--left === 0) throw new Error('it was to fail here');
      return answer;
    }).sink((answer) => void out.push(answer));
    expect(await env.submit({ autostop: true })).toMatchObject({ status: 'finished', restarts: 1 });
    expect([service.answers <= 101, outcomes.given >= 50, outcomes.size]).toEqual([true, true, 0]);
    expect(new Set(out).size).toBe(100);
  });

  it('given an outcome that cannot be recorded, when it comes, then it is not delivered, and the job fails with the reason', async () => {
    using place = new Workplace();
    const [service, outcomes, out] = [new Service(1), new RememberedOutcomes(), [] as string[]];
    outcomes.beforeRecord = () => Promise.reject(new Error('no room'));
    const job = await start({ place, service, outcomes, out });
    await expect(job.completion).rejects.toThrow(/no room/);
    expect(out).toEqual([]);
  });

  it('given an input without a canonical form, when it is to be asked, then the error says so, and nothing is asked', async () => {
    const outcomes = new RememberedOutcomes();
    const env = new LocalEnvironment('asking', { logger: quiet });
    setOutcomeRecords(env, outcomes);
    let asked = 0;
    env.fromCollection([new Map([[1, 2]])]).mapAsync(async (map) => (asked++, map.size), { concurrency: 1 }).sink([]);
    await expect(env.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_KEY_UNSUPPORTED' });
    expect(asked).toBe(0);
  });
});
