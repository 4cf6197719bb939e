import { describe, expect, it } from 'vitest';

import { LocalEnvironment, MapFunction, type OperatorMetrics, count, tumbling } from '../../../ts/index.ts';
import { CollectSink, TestEnvironment, TestSource, VirtualClock } from '../../../ts/testing/index.ts';

class Times extends MapFunction<string, unknown> {
  execute(text: string): unknown {
    return [text, this.ctx.timestamp];
  }
}

/** A class: what may ask for `ctx.timestamp` gets event time over an exchange. */
class Passing extends MapFunction<number, number> {
  execute(n: number): number {
    return n;
  }
}

describe('a TestSource', () => {
  it('gives records the timestamps that it was given, or the time of the clock', async () => {
    await using env = new TestEnvironment({ startMs: 500 });
    const source = env.testSource<string>('texts');
    const found = env.collectSink<unknown>();
    env.fromSource(source).keyBy((text) => text).parallelism(2).map(Times).sink(found);
    await env.start();
    source.push('a', 1_000);
    source.push('b');
    source.push('c', new Date(2_000));
    void source.pushAll(['d', 'e'], (text) => (text === 'd' ? 3_000 : 4_000));
    await env.settle();
    expect(found.take().toSorted()).toEqual([['a', 1_000], ['b', 500], ['c', 2_000], ['d', 3_000], ['e', 4_000]]);
  });

  it('says watermarks in their place between records: what comes behind one and is before it is late', async () => {
    await using env = new TestEnvironment();
    const source = env.testSource<number>('numbers');
    const found = env.collectSink<unknown>();
    const late = env.collectSink<number>();
    const windows = env.fromSource(source).window(tumbling(10)).lateTo('late').aggregate({ n: count() });
    windows.map(({ n, window }) => [window.start, n]).sink(found);
    windows.sideOutput<number>('late').sink(late);
    await env.start();
    source.push(1, 5);
    source.push(2, 12);
    source.watermark(10);
    source.push(3, 9);
    source.push(4, 11);
    source.watermark(10);
    source.watermark(20);
    await env.settle();
    expect(found.take()).toEqual([[0, 1], [10, 2]]);
    expect(late.take()).toEqual([3]);
    expect(() => source.watermark(19)).toThrow(/before 20/);
    expect(() => source.watermark(Number.NaN)).toThrow(/no number/);
  });

  it.each([Number.NaN, 'soon', new Date('never')])('is not said the watermark %s, which would say nothing without a word', async (t) => {
    await using env = new TestEnvironment();
    env.fromSource(env.testSource<number>('source')).sink([]);
    await env.start();
    await expect(env.runToWatermark(t as number)).rejects.toMatchObject({ code: 'SAGE_PLAN_ARGUMENT' });
  });

  it('lets event time go on without it while it is idle', async () => {
    await using env = new TestEnvironment();
    const [one, two] = [env.testSource<number>('one'), env.testSource<number>('two')];
    env.fromSource(one).union(env.fromSource(two)).keyBy((n) => n).map(Passing).named('last').sink([]);
    const job = await env.start();
    const watermark = (): number | undefined => job.metrics().operators.find(({ name }: OperatorMetrics) => name === 'last')!.watermark;
    one.watermark(100);
    two.watermark(500);
    await env.settle();
    expect(watermark()).toBe(100);
    one.idle();
    await env.settle();
    expect(watermark()).toBe(500);
    one.push(1, 600);
    two.watermark(900);
    await env.settle();
    expect(watermark()).toBe(500);
    await env.runToWatermark(1_000);
    expect([watermark(), one.lastWatermark, two.lastWatermark]).toEqual([1_000, 1_000, 1_000]);
    await one.end();
    await env.runToWatermark(2_000);
    expect([watermark(), one.lastWatermark]).toEqual([2_000, 1_000]);
    await two.end();
    await expect(env.runToWatermark(3_000)).rejects.toMatchObject({ code: 'SAGE_PLAN_ARGUMENT' });
  });

  it('without event time has windows go by the clock', async () => {
    await using env = new TestEnvironment();
    const source = env.testSource<number>('numbers', { eventTime: false });
    const found = env.collectSink<unknown>();
    env.fromSource(source).window(tumbling('10s')).aggregate({ n: count() }).map(({ n, window }) => [window.start, n]).sink(found);
    await env.start();
    source.push(1);
    source.push(2);
    await env.advanceTime(9_999);
    expect(found.take()).toEqual([]);
    await env.advanceTime(1);
    expect(found.take()).toEqual([[0, 2]]);
    for (const wrong of [() => source.push(1, 5), () => source.watermark(5), () => source.idle(), () => source.active()]) expect(wrong).toThrow(/no event time/);
  });

  it('shows backpressure: push resolves when the job has taken the record', async () => {
    await using env = new TestEnvironment();
    const source = env.testSource<number>('numbers');
    const answers: (() => void)[] = [];
    env.fromSource(source).map((n) => new Promise<number>((resolve) => answers.push(() => resolve(n)))).sink([]);
    await env.start();
    const taken: number[] = [];
    for (const n of [1, 2, 3]) void source.push(n).then(() => taken.push(n));
    await env.settle({ pending: 'leave' });
    expect([source.waiting, taken]).toEqual([2, []]);
    answers.shift()!();
    await env.settle({ pending: 'leave' });
    expect([source.waiting, taken]).toEqual([1, [1]]);
    answers.shift()!();
    await env.settle({ pending: 'leave' });
    answers.shift()!();
    await env.settle();
    expect([source.waiting, taken]).toEqual([0, [1, 2, 3]]);
  });

  it('fails behind the records that it has given', async () => {
    await using env = new TestEnvironment();
    const source = env.testSource<number>('numbers');
    const found = env.collectSink<number>();
    env.fromSource(source).sink(found);
    await env.start();
    source.push(1);
    source.fail(new Error('the connection broke'));
    await expect(env.settle()).rejects.toThrow(/the connection broke/);
    expect(found.records).toEqual([1]);
    expect(() => source.push(2)).toThrow(/takes nothing more/);
  });

  it('tells who waits for a record that the job has ended before it took it', async () => {
    await using env = new TestEnvironment();
    const source = env.testSource<number>('numbers');
    env.fromSource(source).map(() => new Promise<number>(() => undefined)).sink([]);
    const job = await env.start();
    const first = source.push(1);
    const second = source.push(2);
    await env.settle({ pending: 'leave' });
    await job.cancel();
    await expect(first).rejects.toMatchObject({ code: 'SAGE_JOB_STATE' });
    await expect(second).rejects.toThrow(/never taken/);
    expect(() => source.push(3)).toThrow(/its job has ended/);
  });

  it('serves one job', async () => {
    await using env = new TestEnvironment();
    const source = env.testSource<number>('numbers');
    env.fromSource(source).sink([]);
    await env.start();
    await using other = new TestEnvironment();
    other.fromSource(source).sink([]);
    await expect(other.start()).rejects.toMatchObject({ message: expect.stringMatching(/'numbers' has served a job already/) as string });
  });

  it('has aggregates give their results at its end, and counts as endless only when told so', async () => {
    await using env = new TestEnvironment();
    const source = env.testSource<number>('numbers');
    const found = env.collectSink<unknown>();
    env.fromSource(source).keyBy((n) => n % 2).aggregate({ n: count() }).sink(found);
    await env.start();
    for (const n of [1, 2, 3]) source.push(n);
    await env.settle();
    expect(found.take()).toEqual([]);
    await env.finish();
    expect(found.take()).toEqual([{ key: 1, n: 2 }, { key: 0, n: 1 }]);
    await using endless = new TestEnvironment();
    endless.fromSource(endless.testSource<number>('endless', { unbounded: true })).keyBy((n) => n).aggregate({ n: count() }).sink([]);
    await expect(endless.start()).rejects.toMatchObject({ code: 'SAGE_PLAN_UNBOUNDED' });
  });

  it('is a source of any other environment too', async () => {
    const clock = new VirtualClock();
    const env = new LocalEnvironment('other', { clock });
    const source = new TestSource<number>();
    const found = new CollectSink<number>();
    env.fromSource(source).map((n) => n * 2).sink(found);
    const job = await env.submit();
    source.push(1, 0);
    await source.push(2, 0);
    expect((await found.waitFor(2)).toSorted()).toEqual([2, 4]);
    source.end();
    expect(await job.completion).toMatchObject({ status: 'finished', recordsIn: 2 });
  });
});

describe('a CollectSink', () => {
  it('keeps records with their event times and keys', async () => {
    await using env = new TestEnvironment();
    const source = env.testSource<string>('texts');
    const found = env.collectSink<string>();
    env.fromSource(source).keyBy((text) => text.length).parallelism(2).map((text) => text).sink(found);
    await env.start();
    source.push('abc', 7);
    await env.settle();
    expect(found.collected).toEqual([{ record: 'abc', timestamp: 7, key: 3 }]);
    found.clear();
    expect(found.records).toEqual([]);
  });

  it('waits for so many records, or for those that are wanted, but not for ever', async () => {
    await using env = new TestEnvironment();
    const source = env.testSource<number>('numbers');
    const found = env.collectSink<number>();
    env.fromSource(source).sink(found);
    await env.start();
    const three = found.waitFor(3);
    const seven = found.waitFor((records) => records.includes(7));
    for (const n of [1, 2, 3, 7]) source.push(n);
    expect((await three).length).toBeGreaterThanOrEqual(3);
    expect(await seven).toContain(7);
    await expect(found.waitFor(5, { timeoutMs: 10 })).rejects.toThrow('a sink has 4 records after 10 ms, and not 5 records');
    await expect(found.waitFor(() => false, { timeoutMs: 10 })).rejects.toMatchObject({ code: 'SAGE_TEST_PENDING' });
  });
});
