import { describe, expect, it } from 'vitest';

import { KeyedProcessFunction, LocalEnvironment } from '../../ts/index.ts';
import { CollectSink, TestEnvironment, TestSource } from '../../ts/testing/index.ts';

describe('given a source that falls silent', () => {
  it('then all it has given arrives meanwhile, over exchanges too, however fast its records came one after the other', async () => {
    // By the machine's clock: this is about batches that linger, which a test environment sends as its seed says.
    await using env = new LocalEnvironment('silent');
    const source = new TestSource<number>();
    const arrived = new CollectSink<number>();
    env.fromSource(source).keyBy((n) => n % 2).parallelism(2).map((n) => n).sink(arrived);
    await env.submit();
    let sent = 0;
    for (let burst = 1; burst <= 20; burst++) {
      for (let n = 0; n < burst; n++) await source.push(sent++);
      expect(await arrived.waitFor(sent)).toHaveLength(sent);
    }
  });

  it('then the counts of the job are those of all that has happened', async () => {
    await using env = new TestEnvironment();
    const source = env.testSource<number>('numbers', { eventTime: false });
    env.fromSource(source).filter((n) => n !== 2).sink([]);
    const job = await env.start();
    for (const n of [1, 2, 3]) source.push(n);
    await env.settle();
    expect(job.metrics().operators.map(({ recordsIn, recordsFiltered }) => [recordsIn, recordsFiltered])).toEqual([[3, 0], [3, 1], [2, 0]]);
  });
});

it('a source that gives records at once and then promises one: those before it are worked on, and do not wait for it', async () => {
  // given an iterator as that of the lines of a stream: what has been read is there at once
  class Sum extends KeyedProcessFunction<number, number, number> {
    execute(n: number): void {
      const sum = this.ctx.state.value('sum', { default: 0 });
      sum.set(sum.get() + n);
      this.collect(sum.get());
    }
  }
  await using env = new LocalEnvironment('lines');
  const numbers = [1, 2, 3].values();
  const more = Promise.withResolvers<IteratorResult<number>>();
  const source = { [Symbol.asyncIterator]: () => ({ next: () => { const next = numbers.next(); return next.done === true ? more.promise : next; } }) };
  const arrived = new CollectSink<number>();
  env.fromSource(source as unknown as AsyncIterable<number>).keyBy(() => 0).process(Sum).sink(arrived);
  const job = await env.submit();
  // then
  expect(await arrived.waitFor(3)).toEqual([1, 3, 6]);
  more.resolve({ done: true, value: undefined });
  await job.completion;
});
