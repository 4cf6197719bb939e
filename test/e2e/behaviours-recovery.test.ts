// Behaviours 29 and 30 of the design, by their numbers; the parts of them that take threads, signals or kills are in test/chaos. 23 is in `behaviours.test.ts`, and
// here with what a job has that is stopped.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import {
  END,
  type End,
  type ErrorPolicy,
  JobManager,
  type JobResult,
  JsonLinesSink,
  KeyedProcessFunction,
  LocalEnvironment,
  type Logger,
  type RestartSettings,
  type Seekable,
  SinkFunction,
  SourceFunction,
  type ValueState,
} from '../../ts/index.ts';
import { numbers } from './support/run-to-array.ts';

const quiet: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => quiet };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-behaviours-'));
});
afterEach(async () => {
  await JobManager.instance().cleanupAllJobs();
  rmSync(folder, { recursive: true, force: true });
});

const sorted = (list: readonly number[]): number[] => list.toSorted((a, b) => a - b);

/** Per operator in = processed + skipped + dead, per edge sent = received. */
function expectToAddUp({ operators, edges }: JobResult): void {
  for (const { sent, received, ...edge } of edges) expect({ ...edge, received }).toEqual({ ...edge, received: sent });
  for (const { name, recordsIn, recordsOut, recordsDropped, recordsFiltered, recordsSkipped, deadLetters } of operators) {
    if (/^map|^filter/.test(name)) expect({ name, recordsIn }).toEqual({ name, recordsIn: recordsOut + recordsDropped + recordsFiltered + recordsSkipped + deadLetters });
  }
}

describe('23: a slow sink is drained', () => {
  class Slow extends SinkFunction<number> {
    readonly #arrived: number[];
    constructor(arrived: number[]) {
      super();
      this.#arrived = arrived;
    }
    async execute(n: number): Promise<void> {
      await nextTurn();
      this.#arrived.push(n);
    }
  }

  it.each([{}, { drain: true }])('also by stop(%j), in each of three branches: what the source gave has arrived', async (options) => {
    const arrived: number[][] = [[], [], []];
    let given = 0;
    const env = new LocalEnvironment('slow');
    // Not more than a few hundred records ahead, as each takes a turn of the event loop.
    const next = (): number | undefined => (given < arrived[0]!.length + 300 ? given++ : undefined);
    const stream = env.fromSource(next, { unbounded: true }).rebalance().map((n) => n).parallelism(2);
    for (const branch of arrived) stream.sink(new Slow(branch));
    const job = await env.submit();
    await expect.poll(() => Math.min(...arrived.map(({ length }) => length)), { interval: 1 }).toBeGreaterThan(50);
    const result = await job.stop(options);
    for (const branch of arrived) expect(sorted(branch)).toEqual(numbers(given));
    expect(result).toMatchObject({ status: 'stopped', recordsIn: given, recordsOut: 3 * given });
    expectToAddUp(result);
  });
});

describe('29: pause, resume, delete and cleanup', () => {
  it('a pause stops delivery behind several instances, calls in flight and a slow sink; a resume goes on without gap or duplicate', async () => {
    const manager = JobManager.instance();
    const arrived: number[] = [];
    let given = 0;
    const env = new LocalEnvironment('paused');
    env
      .fromSource(() => (given < 20_000 ? given++ : undefined), { unbounded: true })
      .rebalance()
      .mapAsync((n) => nextTurn(n), { concurrency: 8 })
      .parallelism(2)
      .sink((n) => void arrived.push(n));
    const id = await manager.submitJob(env);
    for (let round = 0; round < 5; round++) {
      const least = arrived.length + 200;
      await expect.poll(() => arrived.length, { interval: 1 }).toBeGreaterThan(least);
      expect((await manager.pauseJob(id)).status).toBe('paused');
      // What was on its way may still arrive; then nothing does, though the source has more.
      for (let before = -1; before !== arrived.length; ) {
        before = arrived.length;
        for (let n = 0; n < 100; n++) await nextTurn();
      }
      const [atRest, givenAtRest] = [arrived.length, given];
      for (let n = 0; n < 200; n++) await nextTurn();
      expect([arrived.length, given]).toEqual([atRest, givenAtRest]);
      expect((await manager.resumeJob(id)).status).toBe('running');
    }
    const result = await manager.getJob(id).stop();
    expect(sorted(arrived)).toEqual(numbers(given));
    expectToAddUp(result);
  });

  it('cancel, stop, delete and cleanup can be called again and again, in any order', async () => {
    const manager = JobManager.instance();
    const endless = new LocalEnvironment('endless');
    endless.fromSource(() => 1, { unbounded: true }).sink(() => undefined);
    const id = await manager.submitJob(endless);
    expect((await Promise.all([manager.cancelJob(id), manager.cancelJob(id), manager.stopJob(id)])).map(({ status }) => status)).toEqual(['canceled', 'canceled', 'canceled']);
    expect((await manager.cancelJob(id)).status).toBe('canceled');
    expect([await manager.deleteJob(id), await manager.deleteJob(id), await manager.deleteJob(id, { force: true })]).toEqual([true, false, false]);
    const again = await manager.submitJob(endless);
    expect(await Promise.all([manager.deleteJob(again, { force: true }), manager.deleteJob(again, { force: true })])).toContain(true);
    expect(manager.listJobs().map((job) => job.id)).not.toContain(again);
    expect(await Promise.all([manager.cleanupAllJobs(), manager.cleanupAllJobs()])).toBeDefined();
    expect([await manager.cleanupAllJobs(), manager.listJobs()]).toEqual([0, []]);
  });

  it('a finished job keeps its result, whatever is asked of it, until it is deleted', async () => {
    const manager = JobManager.instance();
    const env = new LocalEnvironment('finite');
    env.fromCollection(numbers(100)).filter((n) => n % 2 === 0).sink([]);
    const id = await manager.submitJob(env);
    const job = manager.getJob(id);
    const result = await job.completion;
    expect(result).toMatchObject({ status: 'finished', recordsIn: 100, recordsOut: 50 });
    await manager.stopJob(id);
    await manager.cancelJob(id);
    await job.cancel();
    await expect(manager.pauseJob(id)).rejects.toMatchObject({ code: 'SAGE_JOB_STATE' });
    await expect(manager.resumeJob(id)).rejects.toMatchObject({ code: 'SAGE_JOB_STATE' });
    // Another run of the same environment is another job.
    await env.submit({ autostop: true });
    expect(manager.getJobStatus(id)).toMatchObject({ status: 'finished', error: undefined });
    expect(manager.getJobStatus(id).result).toBe(result);
    expect([await job.stop(), await job.completion]).toEqual([result, result]);
    await manager.deleteJob(id);
    expect(await job.completion).toBe(result);
  });
});

describe('30: a failing record follows its policy and is counted (there: dropped with success)', () => {
  const RECORDS = 200;
  const isBad = (n: number): boolean => n % 20 === 7;
  const bad = numbers(RECORDS).filter(isBad);
  const good = numbers(RECORDS).filter((n) => !isBad(n));
  const check = (n: number): number => {
    if (isBad(n)) throw new RangeError(`${n} is bad`);
    return n;
  };

  async function run(policy: ErrorPolicy, map: (n: number) => number | Promise<number>) {
    const env = new LocalEnvironment('policy', { logger: quiet });
    const [out, dead]: [number[], unknown[]] = [[], []];
    const checked = env.fromCollection(numbers(RECORDS)).map(map).named('map').onError(policy);
    checked.sink(out);
    if (policy === 'deadLetter' || (typeof policy === 'object' && policy.then === 'deadLetter')) checked.deadLetters().sink(dead);
    return { result: await env.submit({ autostop: true }), out, dead };
  }

  describe.each([['a function', check], ['an async function', async (n: number) => nextTurn(check(n))]] as const)('%s', (_, map) => {
    it('skip: it is left out', async () => {
      const { result, out, dead } = await run('skip', map);
      expect([out, dead]).toEqual([good, []]);
      expect(result).toMatchObject({ status: 'finished', recordsSkipped: bad.length, deadLetters: 0 });
      expectToAddUp(result);
    });

    it('deadLetter: it is put aside, with its error and its operator', async () => {
      const { result, out, dead } = await run('deadLetter', map);
      expect(out).toEqual(good);
      expect(dead).toMatchObject(bad.map((n) => ({ record: n, error: { message: `${n} is bad` }, operator: 'map', attempts: 1, declaredAt: { file: import.meta.filename } })));
      expect(result).toMatchObject({ status: 'finished', recordsSkipped: 0, deadLetters: bad.length });
      expectToAddUp(result);
    });

    // oxlint-disable-next-line unicorn/no-thenable -- the name of the setting; a word is no function
    const RETRY: ErrorPolicy = { retry: 2, backoffMs: 0, then: 'deadLetter' };

    it('retry: it is tried so often, then what is said behind it', async () => {
      const { result, out, dead } = await run(RETRY, map);
      expect(out).toEqual(good);
      expect(dead).toMatchObject(bad.map((n) => ({ record: n, attempts: 3 })));
      expect(result.deadLetters).toBe(bad.length);
      expectToAddUp(result);
    });

    it('fail, which is the default: the job fails with the first, with its record, its operator and the place', async () => {
      const failure = { code: expect.stringMatching(/^SAGE_USER_(THREW|REJECTED)$/) as string, operator: 'map', record: bad[0], declaredAt: { file: import.meta.filename }, cause: { message: `${bad[0]} is bad` } };
      await expect(run('fail', map)).rejects.toMatchObject({ ...failure, cause: expect.objectContaining(failure.cause) as unknown });
    });
  });
});

describe('30: restart policies really restart; state survives with it', () => {
  const RECORDS = 600;
  const KEYS = 7;
  /** Behind a checkpoint of all before it, the job fails at each of these records. */
  const FAILS_AT = [150, 300, 450];

  /** Where the source waits, so that there is a checkpoint right before a failure. */
  class Rests {
    readonly #left = [...FAILS_AT];
    #goOn = Promise.withResolvers<void>();
    at: number | undefined;

    /** Before a record is given. */
    before(n: number): Promise<void> | undefined {
      if (n !== this.#left[0]) return undefined;
      this.at = n;
      return this.#goOn.promise;
    }

    goOn(): void {
      this.#left.shift();
      this.at = undefined;
      const { resolve } = this.#goOn;
      this.#goOn = Promise.withResolvers();
      resolve();
    }
  }

  class Numbers extends SourceFunction<number> implements Seekable<number> {
    readonly #rests: Rests;
    #next = 0;
    constructor(rests: Rests) {
      super();
      this.#rests = rests;
    }
    execute(): number | End | Promise<number | End> {
      if (this.#next === RECORDS) return END;
      return this.#rests.before(this.#next)?.then(() => this.#next++) ?? this.#next++;
    }
    position(): number {
      return this.#next;
    }
    seek(position: number): void {
      this.#next = position;
    }
  }

  /** The how manieth of its key a record is: wrong when one before it was lost, or came twice. */
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

  it.each<RestartSettings>([
    { kind: 'fixed', attempts: 3, delayMs: 1 },
    { kind: 'exponential', initialMs: 1, maxMs: 5 },
    { kind: 'failureRate', failures: 3, perMs: 60_000, delayMs: 1 },
  ])('given three failures, when the policy is %j, then there are three restarts, each from the newest checkpoint, and the result is exact', async (restart) => {
    const out = join(folder, 'out.jsonl');
    const rests = new Rests();
    let [failsAt, calls]: [number | undefined, number] = [undefined, 0];
    const env = new LocalEnvironment('restarted', { logger: quiet, checkpoint: { dir: join(folder, 'checkpoints') }, restart });
    env
      .fromSource(Numbers, rests)
      .map((n) => {
        calls++;
        if (n !== failsAt) return n;
        failsAt = undefined;
        throw new Error('it was to fail here');
      })
      .keyBy((n) => n % KEYS)
      .process(Numbering)
      .parallelism(2)
      .sink(new JsonLinesSink(out));
    const job = await env.submit();
    for (const [round, at] of FAILS_AT.entries()) {
      await expect.poll(() => rests.at, { interval: 1, timeout: 10_000 }).toBe(at);
      expect([job.metrics().restarts, job.metrics().checkpoints!.restoredEpoch]).toEqual([round, round === 0 ? undefined : round]);
      expect(await job.checkpoint()).toMatchObject({ epoch: round + 1 });
      failsAt = at;
      rests.goOn();
    }
    const result = await job.completion;
    expect(result).toMatchObject({ status: 'finished', restarts: 3 });
    // Nothing before a checkpoint is worked on again.
    expect(calls).toBe(RECORDS + FAILS_AT.length);
    const written = readFileSync(out, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as { n: number; nth: number });
    expect(written.toSorted((a, b) => a.n - b.n)).toEqual(numbers(RECORDS).map((n) => ({ n, nth: 1 + Math.floor(n / KEYS) })));
    expectToAddUp(result);
  });

  it('given one failure more than the policy allows, when it comes, then the job fails with it', async () => {
    const env = new LocalEnvironment('fails', { logger: quiet, restart: { kind: 'fixed', attempts: 2, delayMs: 0 } });
    let calls = 0;
    env.fromCollection([1]).map(() => { throw new RangeError(`call ${++calls}`); }).sink([]);
    await expect(env.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_USER_THREW', cause: { message: 'call 3' } });
  });
});
