import { afterEach, describe, expect, it } from 'vitest';

import { type DataStream, type Job, JobManager, LocalEnvironment, type OperatorMetrics, ProcessFunction, type TimestampOptions } from '../../../ts/index.ts';
import { VirtualClock } from '../../../ts/testing/virtual-clock.ts';
import { PushSource } from '../support/push-source.ts';

afterEach(() => JobManager.instance().cleanupAllJobs());

/** A class: what may ask for `ctx.timestamp` gets event time over an exchange. */
class Passing extends ProcessFunction<number, number> {
  execute(n: number): void {
    this.collect(n);
  }
}

/** A job over sources that the test pushes into, whose operators are looked at by name. */
interface Watched {
  readonly job: Job;
  readonly clock: VirtualClock;
  readonly operator: (name: string) => OperatorMetrics;
  /** Waits until event time behind an operator is there. */
  readonly untilAt: (name: string, watermark: number | undefined) => Promise<void>;
}

async function watch(build: (env: LocalEnvironment) => DataStream<unknown>, parallelism = 1): Promise<Watched> {
  const clock = new VirtualClock(1_000_000);
  const env = new LocalEnvironment('watermarks', { clock, parallelism });
  build(env).map((record) => record).named('last').sink([]);
  const job = await env.submit();
  const operator = (name: string): OperatorMetrics => job.metrics().operators.find((one) => one.name === name)!;
  const untilAt = (name: string, watermark: number | undefined): Promise<void> => expect.poll(() => operator(name).watermark, { interval: 1, timeout: 5_000 }).toBe(watermark);
  return { job, clock, operator, untilAt };
}

const options: TimestampOptions = { outOfOrdernessMs: 10 };
const assigned = (env: LocalEnvironment, source: PushSource<number>, more: Partial<TimestampOptions> = {}): DataStream<number> =>
  env.fromSource(source).assignTimestamps((n) => n, { ...options, ...more });

describe('the watermark behind a source', () => {
  it('is the greatest timestamp less the allowed disorder, and goes on without a record that comes late', async () => {
    const source = new PushSource<number>();
    const { untilAt, operator, clock } = await watch((env) => assigned(env, source));
    expect(operator('assignTimestamps').watermark).toBeUndefined();
    for (const [record, watermark] of [[100, 90], [150, 140], [120, 140], [-5, 140], [151, 141]] as const) {
      await source.push(record);
      await untilAt('assignTimestamps', watermark);
    }
    clock.advance(500);
    expect(operator('assignTimestamps').watermarkLagMs).toBe(1_000_500 - 141);
  });

  it('is infinite at the end', async () => {
    const source = new PushSource<number>();
    const { job, untilAt, operator } = await watch((env) => assigned(env, source));
    await source.push(100);
    await untilAt('last', undefined).catch(() => undefined);
    source.end();
    const { operators } = await job.completion;
    expect(operators.find(({ name }) => name === 'assignTimestamps')!.watermark).toBe(Number.POSITIVE_INFINITY);
    expect(operator('assignTimestamps').watermarkLagMs).toBeUndefined();
  });
});

describe('given two sources', () => {
  const both = (env: LocalEnvironment, one: PushSource<number>, two: PushSource<number>, idleMs?: number): DataStream<number> => {
    const more = idleMs === undefined ? {} : { idleMs };
    return assigned(env, one, more).named('one').union(assigned(env, two, more).named('two'));
  };
  // In one stage, and with an exchange behind the union, where the least is taken once more.
  const shapes: [string, (stream: DataStream<number>) => DataStream<unknown>, number][] = [
    ['in one stage', (stream) => stream.process(Passing), 1],
    ['over an exchange', (stream) => stream.keyBy((n) => n % 2).parallelism(2).process(Passing), 1],
  ];

  it.each(shapes)('when one is behind, then event time is where that one is (%s)', async (_, then, parallelism) => {
    const [one, two] = [new PushSource<number>(), new PushSource<number>()];
    const { untilAt } = await watch((env) => then(both(env, one, two)), parallelism);
    await one.push(500);
    await untilAt('one', 490);
    await two.push(100);
    await untilAt('last', 90);
    await two.push(700);
    await untilAt('last', 490);
  });

  it.each(shapes)('when one has ended, then event time goes on without it (%s)', async (_, then, parallelism) => {
    const [one, two] = [new PushSource<number>(), new PushSource<number>()];
    const { untilAt } = await watch((env) => then(both(env, one, two)), parallelism);
    await one.push(100);
    await two.push(500);
    await untilAt('last', 90);
    one.end();
    await untilAt('last', 490);
  });

  it.each(shapes)('when one is idle, then event time goes on without it, and waits for it again with its next record (%s)', async (_, then, parallelism) => {
    const [one, two] = [new PushSource<number>(), new PushSource<number>()];
    const { untilAt, clock } = await watch((env) => then(both(env, one, two, 1000)), parallelism);
    await one.push(100);
    await two.push(500);
    await untilAt('last', 90);
    clock.advance(600);
    await two.push(600);
    await untilAt('two', 590);
    await untilAt('last', 90);
    clock.advance(500);
    await untilAt('last', 590);
    await one.push(595);
    await untilAt('one', 585);
    await two.push(900);
    await untilAt('two', 890);
    await untilAt('last', 590);
    await one.push(800);
    await untilAt('last', 790);
  });

  it('when both are idle, then event time stays where it is', async () => {
    const [one, two] = [new PushSource<number>(), new PushSource<number>()];
    const { untilAt, clock } = await watch((env) => shapes[1]![1](both(env, one, two, 1000)));
    await one.push(100);
    await two.push(500);
    await untilAt('last', 90);
    clock.advance(5000);
    await two.push(700);
    await untilAt('last', 690);
  });
});

describe('an operator that keeps records back keeps the watermark behind them', () => {
  it('in a mapAsync in order', async () => {
    const source = new PushSource<number>();
    const calls = new Map<number, () => void>();
    const { untilAt } = await watch((env) =>
      assigned(env, source).mapAsync((n) => new Promise<number>((resolve) => calls.set(n, () => resolve(n))), { concurrency: 10 }).named('calls'),
    );
    for (const n of [100, 200, 300]) await source.push(n);
    await untilAt('assignTimestamps', 290);
    calls.get(200)!();
    calls.get(300)!();
    await untilAt('calls', undefined);
    calls.get(100)!();
    await untilAt('calls', 290);
  });

  it('in a mapAsync in any order', async () => {
    const source = new PushSource<number>();
    const calls = new Map<number, () => void>();
    const { untilAt } = await watch((env) =>
      assigned(env, source).mapAsync((n) => new Promise<number>((resolve) => calls.set(n, () => resolve(n))), { concurrency: 10, ordered: false }).named('calls'),
    );
    await source.push(100);
    await untilAt('assignTimestamps', 90);
    await source.push(200);
    await untilAt('assignTimestamps', 190);
    calls.get(200)!();
    await untilAt('calls', undefined);
    calls.get(100)!();
    await untilAt('calls', 190);
  });

  it('in a batch, until that closes', async () => {
    const source = new PushSource<number>();
    const { untilAt } = await watch((env) => assigned(env, source).batch({ max: 3 }).named('batches'));
    await source.push(100);
    await source.push(200);
    await untilAt('batches', 190);
    await source.push(150);
    await source.push(1000);
    await untilAt('batches', 990);
    await source.push(900);
    await untilAt('assignTimestamps', 990);
    await source.push(1500);
    await untilAt('batches', 1490);
  });
});
