import { describe, expect, expectTypeOf, it } from 'vitest';

import { BaseCoMapFunction, BaseJoinFunction, BroadcastProcessFunction, FilterFunction, FlatMapFunction, KeyedBroadcastProcessFunction, KeyedCoProcessFunction, KeyedProcessFunction, MapFunction, OutputTag, ProcessFunction, type TimerKind, type ValueState } from '../../../ts/index.ts';
import { operatorHarness } from '../../../ts/testing/index.ts';

interface Visit {
  readonly user: string;
  readonly page: string;
}

/** Counts the visits of a user until there was none for a while. */
class Visits extends KeyedProcessFunction<string, Visit, string> {
  readonly #gapMs: number;
  #count!: ValueState<number, number>;
  #until!: ValueState<number>;

  constructor(gapMs: number) {
    super();
    this.#gapMs = gapMs;
  }

  override open(): void {
    this.#count = this.ctx.state.value('count', { default: 0 });
    this.#until = this.ctx.state.value('until');
  }

  execute(_: Visit): void {
    this.#count.set(this.#count.get() + 1);
    const before = this.#until.get();
    if (before !== undefined) this.ctx.timers.cancelEventTime(before);
    const until = this.ctx.timestamp! + this.#gapMs;
    this.#until.set(until);
    this.ctx.timers.eventTime(until);
  }

  override onTimer(time: number, kind: TimerKind): void {
    this.collect(`${this.ctx.key} ${this.#count.get()} ${time} ${kind}`);
    this.#count.clear();
    this.#until.clear();
  }
}

describe('the harness of a keyed function', () => {
  it('shows its results, state and timers as event time goes on', async () => {
    await using harness = operatorHarness(Visits, { args: [1_000], keyBy: ({ user }: Visit) => user });
    await harness.push({ user: 'Ada', page: '/' }, { timestamp: 100 });
    await harness.push({ user: 'Bob', page: '/' }, { timestamp: 200 });
    await harness.push({ user: 'Ada', page: '/a' }, { timestamp: 500 });
    expect(harness.timers()).toEqual([{ kind: 'event', time: 1_200, key: 'Bob' }, { kind: 'event', time: 1_500, key: 'Ada' }]);
    expect([await harness.state('count').get('Ada'), await harness.state('count').get('Bob'), await harness.state('count').get('Eve')]).toEqual([2, 1, undefined]);
    await harness.watermark(1_201);
    expect(harness.outputs()).toEqual(['Bob 1 1200 event']);
    expect(harness.timers()).toEqual([{ kind: 'event', time: 1_500, key: 'Ada' }]);
    expect(await harness.state('count').get('Bob')).toBeUndefined();
    // At the end all timers fire
    await harness.finish();
    expect(harness.outputs()).toEqual(['Ada 2 1500 event']);
    expect(harness.timers()).toEqual([]);
    expect(harness.collected).toEqual([{ record: 'Bob 1 1200 event', timestamp: 1_200, key: 'Bob' }, { record: 'Ada 2 1500 event', timestamp: 1_500, key: 'Ada' }]);
  });

  it('lets its clock go on', async () => {
    class Beep extends KeyedProcessFunction<unknown, number, number> {
      execute(n: number): void {
        this.ctx.timers.processingTime(n);
      }
      override onTimer(time: number): void {
        this.collect(time);
        if (time < 3_000) this.ctx.timers.processingTime(time + 1_000);
      }
    }
    await using harness = operatorHarness(Beep, { startMs: 500 });
    await harness.push(1_000);
    await harness.advanceTime(499);
    expect(harness.outputs()).toEqual([]);
    await harness.advanceTime(1);
    expect([harness.outputs(), harness.timers()]).toEqual([[1_000], [{ kind: 'processing', time: 2_000, key: 'key' }]]);
    await harness.advanceTime(10_000);
    expect([harness.outputs(), harness.timers()]).toEqual([[2_000, 3_000], []]);
  });

  it('forgets the timers of an attempt that has failed', async () => {
    class Fails extends KeyedProcessFunction<string, number, never> {
      execute(n: number): void {
        this.ctx.timers.processingTime(n);
        if (n === 2) throw new Error('two');
      }
    }
    await using harness = operatorHarness(Fails, { onError: 'skip', key: 'Ada' });
    await harness.push(2);
    await harness.push(3);
    expect(harness.timers()).toEqual([{ kind: 'processing', time: 3, key: 'Ada' }]);
  });
});

describe('the harness of other functions', () => {
  it('a lambda is one for map, or what is said', async () => {
    await using map = operatorHarness((n: number) => (n > 1 ? String(n) : undefined));
    await using filter = operatorHarness((n: number) => n > 1, { as: 'filter' });
    await using flatMap = operatorHarness((n: number) => [n, n * 10], { as: 'flatMap' });
    for (const n of [1, 2]) for (const harness of [map, filter, flatMap]) await harness.push(n);
    const results = [map.outputs(), filter.outputs(), flatMap.outputs()] as const;
    expect(results).toEqual([['2'], [2], [1, 10, 2, 20]]);
    expectTypeOf(results).toEqualTypeOf<readonly [string[], number[], number[]]>();
  });

  it('a class is what it extends', async () => {
    class Double extends MapFunction<number, number> {
      execute(n: number): number {
        return n * 2;
      }
    }
    class Even extends FilterFunction<number> {
      execute(n: number): boolean {
        return n % 2 === 0;
      }
    }
    class Twice extends FlatMapFunction<number, string> {
      execute(n: number): string[] {
        return [`${n}`, `${n}`];
      }
    }
    const odd = new OutputTag<number>('odd');
    class Split extends ProcessFunction<number, number> {
      execute(n: number): void {
        if (n % 2 === 0) this.collect(n);
        else this.output(odd, n);
      }
      override finish(): void {
        this.collect(-1);
      }
    }
    await using double = operatorHarness(new Double());
    await using even = operatorHarness(Even, { as: 'filter' });
    await using twice = operatorHarness(Twice);
    await using split = operatorHarness(Split, { sideOutputs: [odd] });
    for (const n of [1, 2]) for (const harness of [double, even, twice, split]) await harness.push(n);
    await split.finish();
    expect([double.outputs(), even.outputs(), twice.outputs(), split.outputs(), split.sideOutputs(odd)]).toEqual([[2, 4], [2], ['1', '1', '2', '2'], [2, -1], [1]]);
    expect(() => split.sideOutputs('even')).toThrow(/does not know the side output 'even'/);
  });

  it('a comap has as many inputs as handlers, and a join those that it is told', async () => {
    class Priced extends BaseCoMapFunction {
      #euro = 0;
      map0(euro: number): undefined {
        this.#euro = euro;
      }
      map1(pieces: string): number {
        return Number(pieces) * this.#euro;
      }
    }
    class Names extends BaseJoinFunction<string, string, string> {
      execute(text: string, key: string, tag: number): void {
        this.collect(`${key} ${tag} ${text}`);
      }
    }
    await using priced = operatorHarness(Priced);
    await priced.push(7, { input: 0 });
    await priced.push('3', { input: 1 });
    expect(priced.outputs()).toEqual([21]);
    await expect(priced.push(1, { input: 2 })).rejects.toThrow(/2 inputs/);
    await using names = operatorHarness(Names, { inputs: 3, key: 'Ada' });
    for (const input of [2, 0, 1]) await names.push('hi', { input });
    expect(names.outputs()).toEqual(['Ada 2 hi', 'Ada 0 hi', 'Ada 1 hi']);
  });

  it('a co-process function has as many inputs as handlers, with state and timers of a key in all of them', async () => {
    class Waits extends KeyedCoProcessFunction<string, [string, number], string> {
      execute0(text: string): void {
        this.ctx.state.value<string>('text').set(text);
        this.ctx.timers.eventTime(this.ctx.timestamp! + 100);
      }
      execute1(euro: number): void {
        this.collect(`${this.ctx.key} ${this.ctx.state.value<string>('text').get()} ${euro}`);
      }
      override onTimer(time: number): void {
        this.collect(`${this.ctx.key} ${time}`);
      }
    }
    await using harness = operatorHarness(Waits, { key: 'Ada' });
    expectTypeOf(harness.push).parameter(0).toEqualTypeOf<string | number>();
    expectTypeOf(harness.outputs()).toEqualTypeOf<string[]>();
    await harness.push('pen', { timestamp: 7 });
    expect([harness.timers(), await harness.state('text').get()]).toEqual([[{ kind: 'event', time: 107, key: 'Ada' }], 'pen']);
    await harness.push(3, { input: 1, timestamp: 8 });
    expect(harness.outputs()).toEqual(['Ada pen 3']);
    await harness.watermark(108);
    expect(harness.outputs()).toEqual(['Ada 107']);
    await expect(harness.push(3, { input: 2 })).rejects.toThrow(/2 inputs/);
  });

  it('the second input of a function with a broadcast side is that side', async () => {
    class Flags extends KeyedBroadcastProcessFunction<string, string, RegExp, string> {
      execute(text: string): void {
        const rule = this.ctx.broadcast.value<RegExp>('rule').get();
        const n = this.ctx.state.value<number>('n').update((before = 0) => before + 1);
        if (rule?.test(text) === true) this.collect(`${this.ctx.key} ${text} ${n}`);
      }
      executeBroadcast(rule: RegExp): void {
        this.ctx.broadcast.value<RegExp>('rule').set(rule);
      }
    }
    class Plain extends BroadcastProcessFunction<number, number, number> {
      execute(n: number): void {
        this.collect(n * (this.ctx.broadcast.value<number>('factor').get() ?? 1));
      }
      executeBroadcast(factor: number): void {
        this.ctx.broadcast.value<number>('factor').set(factor);
      }
    }
    await using flags = operatorHarness(Flags, { keyBy: (text: string) => text[0] });
    await flags.push('abc');
    await flags.push(/c/, { input: 1 });
    for (const text of ['abc', 'abd', 'bcd', 'ac']) await flags.push(text);
    expect(flags.outputs()).toEqual(['a abc 2', 'b bcd 1', 'a ac 4']);
    expect(await flags.state('n').get('a')).toBe(4);
    expectTypeOf(flags.push).parameter(0).toEqualTypeOf<string | RegExp>();
    await using plain = operatorHarness(Plain);
    expectTypeOf(plain.push).parameter(0).toEqualTypeOf<number>();
    for (const [n, input] of [[3, 0], [5, 1], [3, 0]] as const) await plain.push(n, { input });
    expect(plain.outputs()).toEqual([3, 15]);
  });

  it('a push fails with what the function has failed with', async () => {
    await using harness = operatorHarness((n: number) => {
      if (n === 2) throw new RangeError('two');
      return n;
    });
    await harness.push(1);
    await expect(harness.push(2)).rejects.toMatchObject({ code: 'SAGE_USER_THREW', operator: 'operator', record: 2, cause: { message: 'two' } });
    expect(harness.outputs()).toEqual([1]);
    await expect(harness.push(3)).rejects.toMatchObject({ code: 'SAGE_JOB_STATE' });
  });

  it('what is no function is refused', () => {
    expect(() => operatorHarness(3 as never)).toThrow(/operatorHarness was given 3/);
  });
});
