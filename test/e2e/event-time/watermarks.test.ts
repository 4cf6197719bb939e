import { describe, expect, it } from 'vitest';

import { type DataStream, type Job, type OperatorMetrics, ProcessFunction, type TimestampOptions } from '../../../ts/index.ts';
import { TestEnvironment, TestSource } from '../../../ts/testing/index.ts';

/** A class: what may ask for `ctx.timestamp` gets event time over an exchange. */
class Passing extends ProcessFunction<number, number> {
  execute(n: number): void {
    this.collect(n);
  }
}

/** A job over sources that the test pushes into, whose operators are looked at by name. */
interface Watched extends AsyncDisposable {
  readonly job: Job;
  readonly env: TestEnvironment;
  readonly operator: (name: string) => OperatorMetrics;
  /** Looks how far event time is behind an operator when all that can has happened. */
  readonly expectAt: (name: string, watermark: number | undefined) => Promise<void>;
}

async function watch(build: (env: TestEnvironment) => DataStream<unknown>, parallelism = 1): Promise<Watched> {
  const env = new TestEnvironment({ startMs: 1_000_000, parallelism });
  build(env).map((record) => record).named('last').sink([]);
  const job = await env.start();
  const operator = (name: string): OperatorMetrics => job.metrics().operators.find((one) => one.name === name)!;
  const expectAt = async (name: string, watermark: number | undefined): Promise<void> => {
    await env.settle({ pending: 'leave' });
    expect(operator(name).watermark).toBe(watermark);
  };
  return { job, env, operator, expectAt, [Symbol.asyncDispose]: () => env.close() };
}

/** Its records have no event time before `assignTimestamps`. */
const numbers = (): TestSource<number> => new TestSource<number>({ eventTime: false });

const options: TimestampOptions = { outOfOrdernessMs: 10 };
const assigned = (env: TestEnvironment, source: TestSource<number>, more: Partial<TimestampOptions> = {}): DataStream<number> =>
  env.fromSource(source).assignTimestamps((n) => n, { ...options, ...more });

describe('the watermark behind a source', () => {
  it('is the greatest timestamp less the allowed disorder, and goes on without a record that comes late', async () => {
    const source = numbers();
    await using watched = await watch((env) => assigned(env, source));
    expect(watched.operator('assignTimestamps').watermark).toBeUndefined();
    for (const [record, watermark] of [[100, 90], [150, 140], [120, 140], [-5, 140], [151, 141]] as const) {
      source.push(record);
      await watched.expectAt('assignTimestamps', watermark);
    }
    await watched.env.advanceTime(500);
    expect(watched.operator('assignTimestamps').watermarkLagMs).toBe(1_000_500 - 141);
  });

  it('is infinite at the end', async () => {
    const source = numbers();
    await using watched = await watch((env) => assigned(env, source));
    source.push(100);
    source.end();
    const { operators } = await watched.job.completion;
    expect(operators.find(({ name }) => name === 'assignTimestamps')!.watermark).toBe(Number.POSITIVE_INFINITY);
    expect(watched.operator('assignTimestamps').watermarkLagMs).toBeUndefined();
  });
});

describe('given two sources', () => {
  const both = (env: TestEnvironment, one: TestSource<number>, two: TestSource<number>, idleMs?: number): DataStream<number> => {
    const more = idleMs === undefined ? {} : { idleMs };
    return assigned(env, one, more).named('one').union(assigned(env, two, more).named('two'));
  };
  // In one stage, and with an exchange behind the union, where the least is taken once more.
  const shapes: [string, (stream: DataStream<number>) => DataStream<unknown>, number][] = [
    ['in one stage', (stream) => stream.process(Passing), 1],
    ['over an exchange', (stream) => stream.keyBy((n) => n % 2).parallelism(2).process(Passing), 1],
  ];

  it.each(shapes)('when one is behind, then event time is where that one is (%s)', async (_, then, parallelism) => {
    const [one, two] = [numbers(), numbers()];
    await using watched = await watch((env) => then(both(env, one, two)), parallelism);
    one.push(500);
    await watched.expectAt('one', 490);
    two.push(100);
    await watched.expectAt('last', 90);
    two.push(700);
    await watched.expectAt('last', 490);
  });

  it.each(shapes)('when one has ended, then event time goes on without it (%s)', async (_, then, parallelism) => {
    const [one, two] = [numbers(), numbers()];
    await using watched = await watch((env) => then(both(env, one, two)), parallelism);
    one.push(100);
    two.push(500);
    await watched.expectAt('last', 90);
    one.end();
    await watched.expectAt('last', 490);
  });

  it.each(shapes)('when one is idle, then event time goes on without it, and waits for it again with its next record (%s)', async (_, then, parallelism) => {
    const [one, two] = [numbers(), numbers()];
    await using watched = await watch((env) => then(both(env, one, two, 1000)), parallelism);
    one.push(100);
    two.push(500);
    await watched.expectAt('last', 90);
    await watched.env.advanceTime(600);
    two.push(600);
    await watched.expectAt('two', 590);
    await watched.expectAt('last', 90);
    await watched.env.advanceTime(500);
    await watched.expectAt('last', 590);
    one.push(595);
    await watched.expectAt('one', 585);
    two.push(900);
    await watched.expectAt('two', 890);
    await watched.expectAt('last', 590);
    one.push(800);
    await watched.expectAt('last', 790);
  });

  it('when both are idle, then event time stays where it is', async () => {
    const [one, two] = [numbers(), numbers()];
    await using watched = await watch((env) => shapes[1]![1](both(env, one, two, 1000)));
    one.push(100);
    two.push(500);
    await watched.expectAt('last', 90);
    await watched.env.advanceTime(5000);
    two.push(700);
    await watched.expectAt('last', 690);
  });
});

describe('a join one side of which gives nothing', () => {
  interface Sided {
    readonly key: string;
    readonly at: number;
  }
  const sides = (): [TestSource<Sided>, TestSource<Sided>] => [new TestSource<Sided>({ eventTime: false }), new TestSource<Sided>({ eventTime: false })];
  const joined = (env: TestEnvironment, one: TestSource<Sided>, two: TestSource<Sided>, idleMs?: number): DataStream<unknown> => {
    const more = { outOfOrdernessMs: 0, ...(idleMs === undefined ? {} : { idleMs }) };
    const left = env.fromSource(one).assignTimestamps('at', more).named('talking').keyBy('key');
    const right = env.fromSource(two).assignTimestamps('at', more).named('silent').keyBy('key');
    return left.intervalJoin(right, { after: 50, type: 'left' }, (a, b) => [a.at, b?.at]);
  };

  it('waits for it, and says for which', async () => {
    const [one, two] = sides();
    await using watched = await watch((env) => joined(env, one, two));
    one.push({ key: 'a', at: 1000 });
    one.push({ key: 'a', at: 2000 });
    await watched.expectAt('talking', 2000);
    expect(watched.operator('interval-join')).toMatchObject({ recordsOut: 0, heldBackBy: 'silent' });
    expect(watched.operator('talking').heldBackBy).toBeUndefined();
    // It speaks: event time goes on to where that is, and then the other one is behind.
    two.push({ key: 'b', at: 5000 });
    await watched.expectAt('silent', 5000);
    expect(watched.operator('interval-join')).toMatchObject({ recordsOut: 1, heldBackBy: 'talking' });
  });

  it('goes on without it when it is idle, and then nothing holds it back', async () => {
    const [one, two] = sides();
    await using watched = await watch((env) => joined(env, one, two, 1000));
    one.push({ key: 'a', at: 1000 });
    await watched.expectAt('talking', 1000);
    expect(watched.operator('interval-join').heldBackBy).toBe('silent');
    await watched.env.advanceTime(900);
    one.push({ key: 'a', at: 2000 });
    await watched.expectAt('talking', 2000);
    await watched.env.advanceTime(200);
    // It is 50 ms behind, as results without a partner are, and waits for nobody.
    await watched.expectAt('interval-join', 1950);
    expect(watched.operator('interval-join').recordsOut).toBe(1);
    expect(watched.operator('interval-join').heldBackBy).toBeUndefined();
  });
});

describe('an operator that keeps records back keeps the watermark behind them', () => {
  it('in a mapAsync in order', async () => {
    const source = numbers();
    const calls = new Map<number, () => void>();
    await using watched = await watch((env) =>
      assigned(env, source).mapAsync((n) => new Promise<number>((resolve) => calls.set(n, () => resolve(n))), { concurrency: 10 }).named('calls'),
    );
    for (const n of [100, 200, 300]) source.push(n);
    await watched.expectAt('assignTimestamps', 290);
    calls.get(200)!();
    calls.get(300)!();
    await watched.expectAt('calls', undefined);
    calls.get(100)!();
    await watched.expectAt('calls', 290);
  });

  it('in a mapAsync in any order', async () => {
    const source = numbers();
    const calls = new Map<number, () => void>();
    await using watched = await watch((env) =>
      assigned(env, source).mapAsync((n) => new Promise<number>((resolve) => calls.set(n, () => resolve(n))), { concurrency: 10, ordered: false }).named('calls'),
    );
    source.push(100);
    await watched.expectAt('assignTimestamps', 90);
    source.push(200);
    await watched.expectAt('assignTimestamps', 190);
    calls.get(200)!();
    await watched.expectAt('calls', undefined);
    calls.get(100)!();
    await watched.expectAt('calls', 190);
  });

  it('in a batch, until that closes', async () => {
    const source = numbers();
    await using watched = await watch((env) => assigned(env, source).batch({ max: 3 }).named('batches'));
    source.push(100);
    source.push(200);
    await watched.expectAt('batches', 190);
    source.push(150);
    source.push(1000);
    await watched.expectAt('batches', 990);
    source.push(900);
    await watched.expectAt('assignTimestamps', 990);
    source.push(1500);
    await watched.expectAt('batches', 1490);
  });
});
