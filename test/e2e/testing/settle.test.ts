import { setTimeout as sleep } from 'node:timers/promises';

import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

import { type DataStream, globalWindow, isSageError } from '../../../ts/index.ts';
import { TestEnvironment } from '../../../ts/testing/index.ts';
import { PROPERTY_RUNS, shareOfRuns } from '../../property-runs.ts';

vi.setConfig({ testTimeout: Math.max(120_000, 300 * PROPERTY_RUNS) });

/** Steps of a pipeline; none changes which records come through. */
const steps: Readonly<Record<string, (stream: DataStream<number>) => DataStream<number>>> = {
  map: (stream) => stream.map((n) => n),
  async: (stream) => stream.map(async (n) => n),
  'async over turns': (stream) => stream.map(async (n) => {
    for (let turns = n % 3; turns > 0; turns--) await new Promise(setImmediate);
    return n;
  }),
  'async over time': (stream) => stream.map(async (n) => {
    if (n % 4 === 1) await sleep(1);
    return n;
  }),
  'many in flight': (stream) => stream.mapAsync(async (n) => {
    if (n % 3 === 1) await sleep(n % 5);
    return n;
  }, { concurrency: 5, ordered: false }),
  'to instances by key': (stream) => stream.keyBy((n) => n % 4).parallelism(3).map((n) => n),
  'to instances in turn': (stream) => stream.rebalance().parallelism(2).map((n) => n),
  'with many results': (stream) => stream.flatMap((n) => Array.from({ length: 40 }, (_, at) => n * 40 + at)).filter((n) => n % 40 === 7).map((n) => (n - 7) / 40),
  'with promises of results': (stream) => stream.flatMap(async function* (n) {
    yield n;
    await new Promise(setImmediate);
  }),
  'in batches': (stream) => stream.batch({ max: 1 }).flatMap((batch) => batch),
};

describe('settle', () => {
  it('does not resolve before all that was pushed has arrived, whatever is on the way', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...Object.keys(steps)), { minLength: 1, maxLength: 5 }),
        fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 4 }),
        fc.nat(),
        async (names, bursts, seed) => {
          await using env = new TestEnvironment({ seed });
          const source = env.testSource<number>('numbers');
          const found = env.collectSink<number>();
          names.reduce((stream, name) => steps[name]!(stream), env.fromSource(source)).sink(found);
          await env.start();
          let next = 0;
          for (const burst of bursts) {
            const pushed = Array.from({ length: burst }, () => next++);
            for (const n of pushed) source.push(n);
            await env.settle();
            expect(source.waiting).toBe(0);
            expect(found.take().toSorted((a, b) => a - b)).toEqual(pushed);
          }
          const { recordsIn, recordsOut } = await env.finish();
          expect([recordsIn, recordsOut]).toEqual([next, next]);
        },
      ),
      { numRuns: shareOfRuns(0.5), endOnFailure: false },
    ));

  it('says what is pending when a promise of user code does not settle, and waits for it no longer when told so', async () => {
    await using env = new TestEnvironment();
    const source = env.testSource<number>('numbers');
    const found = env.collectSink<number>();
    const answers: ((n: number) => void)[] = [];
    env.fromSource(source).map((n) => n).named('first').mapAsync(() => new Promise<number>((resolve) => answers.push(resolve)), { concurrency: 2 }).named('ask').sink(found);
    await env.start();
    source.push(1);
    const error: unknown = await env.settle({ timeoutMs: 30 }).catch((thrown: unknown) => thrown);
    if (!isSageError(error, 'SAGE_TEST_PENDING')) throw error;
    expect(error.message).toMatch(/a promise of '.*ask.*' is pending after 30 ms/);
    await env.settle({ pending: 'leave' });
    expect(found.take()).toEqual([]);
    answers[0]!(42);
    await env.settle();
    expect(found.take()).toEqual([42]);
  });

  it('waits for a source of user code that has promised a record', async () => {
    await using env = new TestEnvironment();
    const found = env.collectSink<number>();
    env.fromSource(async function* () {
      yield 1;
      await sleep(5);
      yield 2;
    }).sink(found);
    await env.start();
    await env.settle();
    expect(found.records).toEqual([1, 2]);
    expect((await env.finish()).status).toBe('finished');
  });

  it('fails with what the job has failed with, and so does closing when nobody was told', async () => {
    const failing = async (): Promise<TestEnvironment> => {
      const env = new TestEnvironment();
      env.fromCollection([1, 2]).map((n) => {
        if (n === 2) throw new RangeError('two');
        return n;
      }).named('check').sink([]);
      const job = await env.submit();
      await job.ended;
      return env;
    };
    const told = await failing();
    await expect(told.settle()).rejects.toMatchObject({ code: 'SAGE_USER_THREW', operator: 'check', record: 2 });
    await told.close();
    const untold = await failing();
    await expect(untold.close()).rejects.toMatchObject({ code: 'SAGE_USER_THREW', operator: 'check' });
  });

  it('resolves while a job is paused, and goes on when it is resumed', async () => {
    await using env = new TestEnvironment();
    const source = env.testSource<number>('numbers');
    const found = env.collectSink<number>();
    env.fromSource(source).rebalance().map((n) => n).sink(found);
    const job = await env.start();
    await job.pause();
    source.push(1);
    await env.settle();
    await job.resume();
    await env.settle();
    expect(found.records).toEqual([1]);
  });

  it.each<[string, (stream: DataStream<number>) => DataStream<number>]>([
    ['a call', (stream) => stream],
    ['a call behind windows that have more results', (stream) => stream.keyBy((n) => n).window(globalWindow()).reduce((a) => a)],
    ['a call that others wait for to have room', (stream) => stream.map(async (n) => n)],
  ])('does not wait for %s that waits for the clock before its next attempt', async (_, before) => {
    await using env = new TestEnvironment();
    const calls = vi.fn<(n: number) => void>();
    const found = env.collectSink<number>();
    const call = async (n: number): Promise<number> => {
      // So that the isolate has come to rest when the call fails.
      for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate);
      calls(n);
      if (calls.mock.calls.length === 1) throw new RangeError('busy');
      return n;
    };
    before(env.fromCollection([1, 2])).mapAsync(call, { concurrency: 1, retry: { retry: 1, backoffMs: 60_000 } }).sink(found);
    await env.start({ pending: 'leave' });

    await env.settle({ timeoutMs: 3_000 });

    expect(calls.mock.calls).toEqual([[1]]);
    await env.finish();
    expect(found.records).toEqual([1, 2]);
  });
});

describe('before a job is there', () => {
  const calls: Readonly<Record<string, (env: TestEnvironment) => Promise<unknown>>> = {
    settle: (env) => env.settle(),
    advanceTime: (env) => env.advanceTime(1_000),
    runToWatermark: (env) => env.runToWatermark(1_000),
    finish: (env) => env.finish(),
  };

  it.each(Object.entries(calls))('%s says so, lets no time pass, and does its work once the job is there', async (name, call) => {
    await using env = new TestEnvironment();
    const source = env.testSource<number>('numbers');
    const found = env.collectSink<number>();
    env.fromSource(source).map((n) => n + 1).sink(found);
    source.push(1, 1);

    const error: unknown = await call(env).catch((thrown: unknown) => thrown);

    expect(error).toMatchObject({ code: 'SAGE_JOB_STATE', message: expect.stringContaining(`${name} was called before start`) as string, help: expect.stringContaining('env.start()') as string });
    expect(env.clock.now()).toBe(0);
    await env.start();
    await call(env);
    expect(found.records).toEqual([2]);
  });

  it.each(Object.entries(calls))('%s waits for a submission that is not awaited, as one with autostop cannot be before its end', async (_, call) => {
    await using env = new TestEnvironment();
    const source = env.testSource<number>('numbers');
    const found = env.collectSink<number>();
    env.fromSource(source).map((n) => n + 1).sink(found);
    const completion = env.submit({ autostop: true });
    source.push(1, 1);

    await call(env);

    expect(found.records).toEqual([2]);
    await env.finish();
    expect(await completion).toMatchObject({ recordsIn: 1, recordsOut: 1 });
  });

  it('settle fails with what a submission that is not awaited fails with, and knows of no job behind it', async () => {
    await using env = new TestEnvironment();
    env.fromCollection([1]).map((n) => n).named('one').sink([]);
    env.failOn('another', () => undefined);
    const submission = env.submit();
    await expect(env.settle()).rejects.toMatchObject({ code: 'SAGE_PLAN_ARGUMENT', message: expect.stringContaining('another') as string });
    await expect(submission).rejects.toMatchObject({ code: 'SAGE_PLAN_ARGUMENT' });
    await expect(env.settle()).rejects.toMatchObject({ code: 'SAGE_JOB_STATE' });
  });
});

describe('advanceTime', () => {
  it('stops at each moment at which something is due', async () => {
    await using env = new TestEnvironment({ startMs: 1_000 });
    const source = env.testSource<number>('numbers', { eventTime: false });
    const found: unknown[] = [];
    env.fromSource(source).batch({ max: 10, waitMs: 100 }).sink((batch) => void found.push([batch, env.clock.now()]));
    await env.start();
    source.push(1);
    await env.advanceTime(60);
    source.push(2);
    await env.settle();
    expect(found).toEqual([]);
    await env.advanceTime(1_000);
    expect(found).toEqual([[[1, 2], 1_100]]);
    expect(env.clock.now()).toBe(2_060);
    await expect(env.advanceTime(-1)).rejects.toMatchObject({ code: 'SAGE_PLAN_ARGUMENT' });
  });

  it('asks a source again that had nothing', async () => {
    await using env = new TestEnvironment();
    const found = env.collectSink<number>();
    const answers = [1, undefined, undefined, 2, undefined];
    let asked = 0;
    env.fromSource(() => answers[asked++]).sink(found);
    await env.start();
    expect([asked, found.take()]).toEqual([2, [1]]);
    await env.advanceTime(1);
    expect([asked, found.take()]).toEqual([3, []]);
    await env.advanceTime(10);
    expect(found.take()).toEqual([2]);
  });

  it('lets retries and time-outs come, without waiting for them', async () => {
    await using env = new TestEnvironment();
    const source = env.testSource<number>('numbers');
    const found = env.collectSink<number>();
    let calls = 0;
    // oxlint-disable-next-line unicorn/no-thenable -- the name of the setting; a word is no function
    env.fromSource(source).mapAsync((n) => (++calls < 3 ? new Promise<number>(() => undefined) : n), { concurrency: 2, timeoutMs: 10_000 }).onError({ retry: 3, backoffMs: 60_000, then: 'fail' }).sink(found);
    await env.start();
    source.push(5);
    await env.advanceTime(9_999, { pending: 'leave' });
    expect(calls).toBe(1);
    await env.advanceTime(3_600_000, { pending: 'leave' });
    expect([calls, found.take()]).toEqual([3, [5]]);
  });
});

describe('finish', () => {
  it('lets time go on as far as the job needs', async () => {
    await using env = new TestEnvironment();
    const found = env.collectSink<number>();
    let failures = 2;
    const flaky = env.fromCollection([1]).map((n) => {
      if (failures-- > 0) throw new Error('not now');
      return n;
    });
    // oxlint-disable-next-line unicorn/no-thenable -- the name of the setting; a word is no function
    flaky.onError({ retry: 2, backoffMs: 30_000, then: 'fail' }).sink(found);
    await env.start();
    expect(found.records).toEqual([]);
    await env.finish();
    expect(found.records).toEqual([1]);
    expect(env.clock.monotonicMs()).toBeGreaterThanOrEqual(30_000);
  });

  it('says what keeps the job from its end', async () => {
    const env = new TestEnvironment();
    env.fromCollection([1]).map(() => new Promise<number>(() => undefined)).named('hangs').sink([]);
    const job = await env.start();
    await expect(env.finish({ timeoutMs: 50 })).rejects.toThrow(/hangs/);
    await job.cancel();
    await expect(new TestEnvironment().finish()).rejects.toMatchObject({ code: 'SAGE_JOB_STATE' });
  });
});
