import { describe, expect, it } from 'vitest';

import { BaseCoMapFunction, type DeadLetter, KeyedBroadcastProcessFunction, KeyedCoProcessFunction, KeyedProcessFunction, MapFunction, type ValueState, col } from '../../../ts/index.ts';
import { TestEnvironment } from '../../../ts/testing/index.ts';

class Half extends MapFunction<number, number> {
  readonly #by = 2;

  execute(n: number): number {
    return n / this.#by;
  }
}

class Sum extends KeyedProcessFunction<number, number, number> {
  #sum!: ValueState<number, number>;

  override open(): void {
    this.#sum = this.ctx.state.value('sum', { default: 0 });
  }

  execute(n: number): void {
    this.#sum.set(this.#sum.get() + n);
    this.collect(this.#sum.get());
  }
}

describe('failOn', () => {
  it('is asked for the records of all inputs of a function, broadcast ones among them', async () => {
    class Both extends KeyedCoProcessFunction<string, [string, string], string> {
      execute0(text: string): void {
        this.collect(`0 ${text}`);
      }
      execute1(text: string): void {
        this.collect(`1 ${text}`);
      }
    }
    class Ruled extends KeyedBroadcastProcessFunction<string, string, string, string> {
      execute(text: string): void {
        this.collect(`${text} by ${[...this.ctx.broadcast.list<string>('rules')].join()}`);
      }
      executeBroadcast(rule: string): void {
        this.ctx.broadcast.list<string>('rules').add(rule);
      }
    }
    await using env = new TestEnvironment();
    const [left, right, rules] = [env.testSource<string>('left'), env.testSource<string>('right'), env.testSource<string>('rules')];
    const [found, ruled] = [env.collectSink<string>(), env.collectSink<string>()];
    const stream = env.fromSource(left).keyBy((text) => text);
    stream.connect(env.fromSource(right).keyBy((text) => text)).process(Both).named('both').onError('skip').sink(found);
    stream.connect(env.fromSource(rules).broadcast()).process(Ruled).named('ruled').onError('skip').sink(ruled);
    env.failOn('both', (text) => (text === 'bad' ? new RangeError('bad') : undefined));
    env.failOn('ruled', (text) => (text === 'bad' ? new RangeError('bad') : undefined));
    await env.start();
    for (const text of ['bad', 'good']) {
      rules.push(text);
      await env.settle();
      left.push(text);
      right.push(text);
      await env.settle();
    }
    const { operators } = await env.finish();
    expect([found.records.toSorted(), ruled.records]).toEqual([['0 good', '1 good'], ['good by good']]);
    const skipped = Object.fromEntries(operators.map(({ name, recordsSkipped }) => [name, recordsSkipped]));
    expect([skipped['both'], skipped['ruled']]).toEqual([2, 2]);
  });

  it('throws in place of a function, so that its error policy is at work', async () => {
    await using env = new TestEnvironment();
    const source = env.testSource<number>('numbers');
    const found = env.collectSink<number>();
    const letters = env.collectSink<DeadLetter<unknown>>();
    const halves = env.fromSource(source).map(Half).uid('half').onError('deadLetter');
    halves.sink(found);
    halves.deadLetters().sink(letters);
    env.failOn('half', (_, n) => (n === 2 ? new RangeError('the second') : undefined));
    await env.start();
    for (const n of [2, 4, 6]) source.push(n);
    await env.settle();
    expect(found.records).toEqual([1, 3]);
    expect(letters.records).toMatchObject([{ record: 4, error: { message: expect.stringContaining('the second') as string } }]);
  });

  it('fails the job where there is no policy, with operator and record', async () => {
    await using env = new TestEnvironment();
    env.fromCollection([1, 2]).map((n) => n).named('copy').sink([]);
    env.failOn('copy', (record) => (record === 2 ? new Error('injected') : undefined));
    await expect(env.start()).rejects.toMatchObject({ code: 'SAGE_USER_THREW', operator: 'copy', record: 2, cause: { message: 'injected' } });
  });

  it('lets a retry see the state as it was', async () => {
    await using env = new TestEnvironment();
    const found = env.collectSink<number>();
    // oxlint-disable-next-line unicorn/no-thenable -- the name of the setting; a word is no function
    env.fromCollection([1, 2, 3]).keyBy(() => 0).process(Sum).named('sum').onError({ retry: 1, backoffMs: 10, then: 'fail' }).sink(found);
    env.failOn('sum', (_, n) => (n % 2 === 1 ? new Error('flaky') : undefined));
    await env.start();
    await env.finish();
    expect(found.records).toEqual([1, 3, 6]);
  });

  it('knows the record of a reduce and the inputs of a comap, and can be called while the job runs', async () => {
    class Both extends BaseCoMapFunction {
      map0(n: number): number {
        return n;
      }
      map1(n: number): number {
        return -n;
      }
    }
    await using env = new TestEnvironment();
    const [a, b] = [env.testSource<number>('a'), env.testSource<number>('b')];
    const found = env.collectSink<number>();
    const sums = env.collectSink<number>();
    const both = env.fromSource(a).connect(env.fromSource(b)).comap(Both).named('both').onError('skip');
    both.sink(found);
    both.keyBy(() => 0).reduce((x, y) => x + y, { emit: 'update' }).named('sum').onError('skip').sink(sums);
    const seen: unknown[] = [];
    env.failOn('sum', (record) => void seen.push(record));
    await env.start();
    env.failOn('both', (record) => (record === 2 ? new Error('two') : undefined));
    for (const n of [1, 2]) {
      a.push(n);
      await env.settle();
      b.push(n);
      await env.settle();
    }
    expect(found.records).toEqual([1, -1]);
    expect(seen).toEqual([-1]);
  });

  it('refuses a name that no operator has, and says which there are', async () => {
    await using env = new TestEnvironment();
    env.fromCollection([1]).map((n) => n).named('copy').sink([]);
    env.failOn('cpoy', () => undefined);
    await expect(env.start()).rejects.toThrow(/'cpoy', which no operator is named/);
  });

  it('refuses an operator without a function', async () => {
    await using env = new TestEnvironment();
    env.fromCollection([{ n: 1 }]).filter(col('n').gt(0)).named('positive').sink([]);
    env.failOn('positive', () => new Error('never'));
    await expect(env.start()).rejects.toThrow(/'positive' has no function/);
  });
});

describe('records that several operators are given', () => {
  const mutating = async (freeze: boolean): Promise<unknown[]> => {
    await using env = new TestEnvironment({ freeze });
    const found = env.collectSink<unknown>();
    const orders = env.fromCollection([{ price: { euro: 1 } }]);
    const kept = orders.filter(({ price }) => price.euro > 0);
    kept.map((order) => {
      order.price.euro = 100;
      return order;
    }).named('raise').sink([]);
    orders.map(({ price }) => price.euro).sink(found);
    await env.start();
    await env.finish();
    return [...found.records];
  };

  it('are frozen, with all that they hold: who changes them fails, by name', async () => {
    await expect(mutating(true)).rejects.toMatchObject({ code: 'SAGE_USER_THREW', operator: 'raise', message: expect.stringMatching(/read only property 'euro'/) as string });
    // What is found so is an error: without freezing, the other operator sees what was changed
    expect(await mutating(false)).toEqual([100]);
  });

  it('and those of one operator are its own', async () => {
    await using env = new TestEnvironment();
    const found = env.collectSink<unknown>();
    env.fromCollection([{ n: 1 }]).map((record) => {
      record.n++;
      return record;
    }).sink(found);
    await env.start();
    expect(found.records).toEqual([{ n: 2 }]);
  });
});
