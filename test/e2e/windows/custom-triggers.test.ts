import { afterEach, describe, expect, it } from 'vitest';

import { type CustomTrigger, type DataStream, JobManager, LocalEnvironment, type TriggerContext, type TriggerDecision, type WindowBounds, type WindowedStream, type WithKey, count, countWindow, globalWindow, session, sliding, sum, tumbling } from '../../../ts/index.ts';
import { TestEnvironment } from '../../../ts/testing/index.ts';
import { SALES, given, triggeredWindows } from '../pipelines/triggered-windows.ts';
import { failureOf } from '../support/failure-of.ts';
import { recordsOf, runToArray } from '../support/run-to-array.ts';
import { Delta } from './rebuilt-triggers.ts';
import { type Order, orders, timedOrders } from './timed-orders.ts';

afterEach(() => JobManager.instance().cleanupAllJobs());

const perShop = (env: LocalEnvironment, records?: readonly Order[]): WindowedStream<WithKey<string>, Order> => timedOrders(env, records).keyBy('shop').window(tumbling('10s'));
const totals = (windows: WindowedStream<WithKey<string>, Order>): DataStream<string> => windows.aggregate({ n: count(), total: sum('price') }).map(({ key, window, n, total }) => `${key} ${window.start} ${n} ${total}`);

describe('a trigger of the user decides', () => {
  it('that a window gives nothing: nothing fires by itself, and what was never shown is counted', async () => {
    const { records, result } = await runToArray((env) => totals(perShop(env).trigger({ onElement: ({ price }) => (price === 5 ? 'fire' : 'continue') })));
    expect(records).toEqual(['a 0 1 5']);
    expect(result.operators.find(({ name }) => name === 'window')!.metrics?.counters).toEqual({ 'records never fired': 3 });
  });

  it('what a window forgets', async () => {
    const decisions: TriggerDecision[] = ['continue', 'fire', 'purge', 'fire', 'fireAndPurge', 'fire', 'continue'];
    const records = await recordsOf((env) =>
      env
        .fromCollection(decisions)
        .window(globalWindow())
        .trigger({ onElement: (decision, _, { timers }) => (timers.atEnd(), decision), onProcessingTime: () => 'fire' })
        .map(({ elements }) => elements.join()),
    );
    expect(records).toEqual(['continue,fire', 'fire', 'fire,fireAndPurge', 'fire', 'fire,continue']);
  });

  it('by timers of event time, which come in their order up to the close of the window, however far the watermark jumps', async () => {
    const fired: number[] = [];
    const trigger: CustomTrigger<Order, number> = {
      init: () => 0,
      onElement: ({ at }, { end }, { timers }) => {
        for (const time of [end, at + 3_000, at + 1_000, end + 2_000, end + 2_001, at + 2_000]) timers.eventTime(time);
        timers.cancelEventTime(at + 2_000);
        return 'continue';
      },
      onEventTime: (time, { start, end }, ctx) => {
        expect(ctx.watermark).toBeGreaterThanOrEqual(time);
        fired.push(time - start);
        // One more of its own, which is not behind the close.
        if (time === end) ctx.timers.eventTime(end + 1_000);
        return time === end ? 'fire' : 'continue';
      },
    };
    const records = await recordsOf((env) => totals(perShop(env, [orders[0]!, { shop: 'z', price: 0, at: 1_000_000 }]).allowedLateness('2s').trigger(trigger)));
    expect(records).toEqual(['a 0 1 5', 'z 1000000 1 0']);
    expect(fired).toEqual([2_000, 4_000, 10_000, 11_000, 12_000, 1_000, 3_000, 10_000, 11_000, 12_000]);
  });

  it('to wait for the end in a timer before it, however far the watermark jumps', async () => {
    const trigger: CustomTrigger<Order> = {
      onElement: ({ at }, _, { timers }) => (timers.eventTime(at + 1), 'continue'),
      onEventTime: (time, { end }, { timers }) => (timers.atEnd(), time === end ? 'fire' : 'continue'),
    };
    expect(await recordsOf((env) => totals(perShop(env).trigger(trigger)))).toEqual(['a 0 2 12', 'b 0 1 2', 'a 10000 1 1']);
  });

  it('of sessions that merge: timers and what onMerge keeps go to the merged one', async () => {
    const merges: unknown[] = [];
    const trigger: CustomTrigger<Order, readonly number[]> = {
      init: () => [],
      onElement: ({ price }, _, ctx) => {
        ctx.timers.atEnd();
        ctx.state = [...ctx.state, price];
        return 'continue';
      },
      onEventTime: (_, window, ctx) => {
        merges.push({ fired: ctx.state, ...window });
        return 'fire';
      },
      onMerge: (windows, into, ctx) => {
        merges.push({ windows, into, key: ctx.key, state: ctx.state });
        ctx.state = windows.flatMap(({ state }) => state);
      },
    };
    const records = await recordsOf((env) =>
      env
        .fromCollection([{ shop: 'a', price: 1, at: 0 }, { shop: 'a', price: 2, at: 7 }, { shop: 'a', price: 3, at: 14 }, { shop: 'a', price: 4, at: 3 }, { shop: 'a', price: 5, at: 10 }])
        .assignTimestamps('at', { outOfOrdernessMs: 100 })
        .keyBy('shop')
        .window(session(5))
        .trigger(trigger)
        .map(({ start, end, elements }) => [start, end, elements.map(({ price }) => price)]),
    );
    expect(records).toEqual([[0, 19, [1, 2, 3, 4, 5]]]);
    expect(merges).toEqual([
      { windows: [{ start: 0, end: 5, state: [1] }, { start: 7, end: 12, state: [2] }], into: { start: 0, end: 12 }, key: 'a', state: [] },
      { windows: [{ start: 0, end: 12, state: [1, 2, 4] }, { start: 14, end: 19, state: [3] }], into: { start: 0, end: 19 }, key: 'a', state: [] },
      { fired: [1, 2, 4, 3, 5], start: 0, end: 19 },
    ]);
  });

  it('of sessions that merge, by what only the later one has asked for', async () => {
    // given two sessions, of which the second waits for its end and for a timer, and a record that joins them and asks for nothing
    const fired: unknown[] = [];
    const trigger: CustomTrigger<Order> = {
      onElement: ({ price, at }, _, { timers }) => {
        if (price !== 2) return 'continue';
        timers.atEnd();
        timers.eventTime(at + 1);
        return 'continue';
      },
      onEventTime: (time, { start, end }) => {
        fired.push([time, start, end]);
        return 'fire';
      },
    };
    const sales = [{ shop: 'a', price: 1, at: 0 }, { shop: 'a', price: 2, at: 7 }, { shop: 'a', price: 3, at: 3 }];
    const records = await recordsOf((env) => env.fromCollection(sales).assignTimestamps('at', { outOfOrdernessMs: 100 }).keyBy('shop').window(session(5)).trigger(trigger).aggregate({ total: sum('price') }).map(({ total }) => total));
    // then both are those of the merged one
    expect(fired).toEqual([[8, 0, 12], [12, 0, 12]]);
    expect(records).toEqual([6, 6]);
  });

  it('of sliding windows, each by itself', async () => {
    class EveryOther implements CustomTrigger<number, boolean> {
      init(): boolean {
        return false;
      }
      onElement(_: number, __: WindowBounds, ctx: TriggerContext<boolean>): TriggerDecision {
        ctx.state = !ctx.state;
        return ctx.state ? 'continue' : 'fire';
      }
    }
    const records = await recordsOf((env) => env.fromCollection([0, 5, 8]).assignTimestamps((n) => n, { outOfOrdernessMs: 0 }).window(sliding(10, 5)).trigger(EveryOther).map(({ start, elements }) => [start, elements]));
    expect(records).toEqual([[0, [0, 5]], [5, [5, 8]]]);
  });

  it('by the clock, which is not waited for at the end of the input', async () => {
    await using env = new TestEnvironment({ startMs: 0 });
    const source = env.testSource<number>('numbers', { eventTime: false });
    const results = env.collectSink<string>();
    env
      .fromSource(source)
      .window(globalWindow())
      .trigger({
        onElement: (_, __, { now, timers }) => {
          timers.processingTime(now + 1_000);
          timers.atEnd();
          return 'continue';
        },
        onProcessingTime: () => 'fireAndPurge',
      })
      .map(({ elements }) => elements.join())
      .sink(results);
    await env.start();
    source.push(1);
    source.push(2);
    await env.advanceTime(999);
    expect(results.take()).toEqual([]);
    await env.advanceTime(1);
    expect(results.take()).toEqual(['1,2']);
    source.push(3);
    await env.finish();
    expect(results.take()).toEqual(['3']);
  });

  it.each(['tumbling', 'session'] as const)('windows of the clock stay open for their lateness, and keep nothing busy meanwhile: %s', async (kind) => {
    await using env = new TestEnvironment({ startMs: 0 });
    const source = env.testSource<number>('numbers', { eventTime: false });
    const [own, builtIn] = [env.collectSink<number>(), env.collectSink<number>()];
    const windows = env.fromSource(source).window(kind === 'tumbling' ? tumbling('10s') : session('10s')).allowedLateness('5s');
    windows.trigger({ onElement: (_, __, { timers }) => (timers.atEnd(), 'continue'), onProcessingTime: () => 'fire' }).map(({ elements }) => elements.length).sink(own);
    windows.map(({ elements }) => elements.length).sink(builtIn);
    await env.start();
    source.push(1);
    await env.advanceTime(10_000);
    expect([own.take(), builtIn.take()]).toEqual([[1], [1]]);
    await env.advanceTime(5_000);
    await env.finish();
    expect([own.take(), builtIn.take()]).toEqual([[], []]);
  });

  it('for ever, but not at the end of a global window', async () => {
    const { records, result } = await runToArray((env) =>
      timedOrders(env, orders.slice(0, 1))
        .window(globalWindow())
        .trigger({
          onElement: ({ at }, _, { timers }) => (timers.eventTime(at), 'continue'),
          onEventTime: (time, _, { timers }) => (timers.atEnd(), time === Number.POSITIVE_INFINITY || timers.eventTime(time + 1), time === Number.POSITIVE_INFINITY ? 'fire' : 'continue'),
        })
        .map(({ elements }) => elements.length),
    );
    expect(records).toEqual([1]);
    expect(result.operators.find(({ name }) => name === 'window')!.metrics?.counters).toEqual({ 'timers after the end': 1 });
  });

  it.each([1, 2, 4])('in each thread of %i instances', async (parallelism) => {
    // given what each window of a shop gives when its prices have come to 100, and in the end
    const expected = [...Map.groupBy(SALES, ({ shop, at }) => `${shop} ${Math.floor(at / 1000)}`).values()].flatMap((sales) => {
      const parts: { key: number; start: number; n: number; total: number }[] = [];
      let [n, total] = [0, 0];
      sales.forEach(({ shop, at, price }, place) => {
        n++;
        total += price;
        if (total < 100 && place < sales.length - 1) return;
        parts.push({ key: shop, start: Math.floor(at / 1000) * 1000, n, total });
        [n, total] = [0, 0];
      });
      return parts;
    });
    // when it runs
    given.class.length = 0;
    given.object.length = 0;
    await triggeredWindows.run({ parallelism });
    // then both forms give that, each window in order
    for (const results of [given.class, given.object]) {
      const own = results.map(({ key, window: { start }, n, total }) => ({ key, start, n, total })).toSorted((a, b) => a.key - b.key || a.start - b.start);
      expect(own).toEqual(expected.toSorted((a, b) => a.key - b.key || a.start - b.start));
      expect(new Set(results.map(({ thread }) => thread)).size).toBeGreaterThanOrEqual(Math.min(2, parallelism));
    }
  });
});

describe('a trigger that fails', () => {
  const windowsOf = (env: LocalEnvironment, policy: Parameters<DataStream<unknown>['onError']>[0] | undefined, trigger: CustomTrigger<Order>): DataStream<{ key: string; n: number }> => {
    const counted = perShop(env).trigger(trigger).aggregate({ n: count() });
    return (policy === undefined ? counted : counted.onError(policy)).map(({ key, n }) => ({ key, n }));
  };
  const atSeven: CustomTrigger<Order> = {
    onElement: ({ price }, _, { timers }) => {
      timers.atEnd();
      if (price === 7) throw new RangeError('no seven');
      return 'continue';
    },
    onEventTime: () => 'fire',
  };

  it('at a record fails the job, with the operator, its place and the record', async () => {
    expect(await failureOf(recordsOf((env) => windowsOf(env, undefined, atSeven)))).toMatchObject({ code: 'SAGE_USER_THREW', operator: 'window', record: orders[2], message: expect.stringContaining('no seven') as string, declaredAt: { line: expect.any(Number) as number } });
  });

  it('at a record leaves that out of its window, or puts it aside, as onError says', async () => {
    const { records, result } = await runToArray((env) => windowsOf(env, 'skip', atSeven));
    expect(records).toEqual([{ key: 'a', n: 1 }, { key: 'b', n: 1 }, { key: 'a', n: 1 }]);
    expect(result).toMatchObject({ recordsSkipped: 1 });
    const letters: unknown[] = [];
    await runToArray((env) => {
      const stream = perShop(env).trigger(atSeven).aggregate({ n: count() }).onError('deadLetter');
      stream.deadLetters().sink(letters);
      return stream;
    });
    expect(letters).toMatchObject([{ record: orders[2], key: 'a', operator: 'window', error: { message: 'no seven' } }]);
  });

  it('at a record is tried again, and nothing of the attempts before stays', async () => {
    let failures = 0;
    const states: number[] = [];
    const trigger: CustomTrigger<Order, number> = {
      init: () => 0,
      onElement: ({ price }, _, ctx) => {
        ctx.state += price;
        ctx.timers.eventTime(8_000 + failures);
        if (price === 7 && failures++ < 2) throw new RangeError('no seven');
        states.push(ctx.state);
        return ctx.state === 12 ? 'fire' : 'continue';
      },
      onEventTime: (time) => {
        states.push(time);
        return 'continue';
      },
    };
    // oxlint-disable-next-line unicorn/no-thenable -- the name of the setting; a word is no function
    const { records, result } = await runToArray((env) => perShop(env).trigger(trigger).aggregate({ total: sum('price') }).onError({ retry: 3, backoffMs: 1, then: 'fail' }).map(({ key, total }) => [key, total]));
    expect(records).toEqual([['a', 12]]);
    expect(states).toEqual([5, 2, 12, 1, 8_000, 8_000, 8_002, 8_003]);
    expect(result).toMatchObject({ recordsSkipped: 0 });
  });

  it('in a timer is left out with it, or fails the job', async () => {
    const inTimer: CustomTrigger<Order> = {
      onElement: ({ at }, _, { timers }) => (timers.eventTime(at), timers.atEnd(), 'continue'),
      onEventTime: (time) => {
        if (time === 1_000) throw new RangeError('no thousand');
        return time % 10_000 === 0 ? 'fire' : 'continue';
      },
    };
    const { records, result } = await runToArray((env) => windowsOf(env, 'skip', inTimer));
    expect(records).toEqual([{ key: 'a', n: 2 }, { key: 'b', n: 1 }, { key: 'a', n: 1 }]);
    expect(result.operators.find(({ name }) => name === 'window')).toMatchObject({ recordsSkipped: 1, metrics: { counters: { 'timers failed': 1 } } });
    expect(await failureOf(recordsOf((env) => windowsOf(env, undefined, inTimer)))).toMatchObject({ code: 'SAGE_USER_THREW', operator: 'window', message: expect.stringContaining('no thousand') as string });
  });

  it.each<[string, CustomTrigger<Order, never>, RegExp]>([
    ['a decision that is none', { onElement: () => 'often' as never }, /onElement of the trigger of 'window' returned the string "often"/],
    ['no decision', { onElement: () => undefined as never }, /returned undefined/],
    ['a promise', { onElement: (async () => 'fire') as never }, /returned a promise/],
    ['a state that has to be waited for', { init: (async () => 0) as never, onElement: () => 'fire' }, /init of the trigger of 'window' returned a promise/],
    ['a state that cannot be made', { init: () => { throw new RangeError('no state'); }, onElement: () => 'fire' }, /'window' failed: RangeError: no state/],
    ['a timer without its method', { onElement: (_, __, { timers }) => (timers.processingTime(5), 'fire') }, /has no onProcessingTime/],
    ['the end of the window without its method', { onElement: (_, __, { timers }) => (timers.atEnd(), 'fire') }, /has no onEventTime/],
    ['a timer at no time', { onElement: (_, __, { timers }) => (timers.eventTime(Number.NaN), 'fire'), onEventTime: () => 'fire' }, /NaN/],
  ])('with %s says so', async (_, trigger, message) => {
    const error = await failureOf(recordsOf((env) => perShop(env).trigger(trigger).aggregate({ n: count() })));
    expect(error).toMatchObject({ message: expect.stringMatching(message) as string, operator: 'window' });
  });

  it('with a timer of event time says so where there is none', async () => {
    const build = (env: LocalEnvironment): DataStream<unknown> => env.fromCollection([1]).window(tumbling('1s')).trigger({ onElement: (_, __, { timers }) => (timers.eventTime(5), 'fire'), onEventTime: () => 'fire' }).aggregate({ n: count() });
    expect(await failureOf(recordsOf(build))).toMatchObject({ message: expect.stringContaining('its records have none') as string });
  });

  it('with its ctx outside of a call says so', async () => {
    let kept: TriggerContext<undefined> | undefined;
    const error = failureOf(recordsOf((env) => perShop(env).trigger({ onElement: (_, __, ctx) => ((kept = ctx), 'fire') }).aggregate({ n: count() }).map(() => kept!.key)));
    expect(await error).toMatchObject({ message: expect.stringContaining('outside of a call') as string });
  });
});

describe('what is wrong with a trigger is told where it is written', () => {
  const windows = (): WindowedStream<WithKey<string>, Order> => perShop(new LocalEnvironment('wrong'));
  class Stateful extends Delta {}
  class WithoutMerge implements CustomTrigger<Order, number> {
    init(): number {
      return 0;
    }
    onElement(): TriggerDecision {
      return 'fire';
    }
  }
  class NoTrigger {
    onEventTime(): TriggerDecision {
      return 'fire';
    }
  }
  it.each<[string, () => unknown, RegExp]>([
    ['an object without onElement', () => windows().trigger({ onEventTime: () => 'fire' } as never), /has no onElement method/],
    ['a class without onElement', () => windows().trigger(NoTrigger as never), /class NoTrigger, which has no onElement method/],
    ['a method that is none', () => windows().trigger({ onElement: () => 'fire', onEventTime: 'fire' } as never), /whose onEventTime is the string "fire"/],
    ['a function', () => windows().trigger((() => 'fire') as never), /trigger was given a function/],
    ['arguments of an object', () => windows().trigger({ onElement: () => 'fire' }, ...([3] as unknown as [])), /1 more argument/],
    ['an argument that cannot be copied', () => windows().trigger(Stateful as never, ...([() => 3, 0] as unknown as [])), /cannot be copied to a worker/],
    ['windows of records', () => timedOrders(new LocalEnvironment('wrong')).keyBy('shop').window(countWindow(2)).trigger({ onElement: () => 'fire' }).aggregate({ n: count() }), /trigger was called on windows of 2 records/],
    ['sessions whose states nobody merges', () => timedOrders(new LocalEnvironment('wrong')).keyBy('shop').window(session('1s')).trigger(WithoutMerge).aggregate({ n: count() }), /has init and no onMerge/],
  ])('%s', (_, build, message) => {
    expect(build).toThrow(message);
  });
});

it('explain names the trigger', () => {
  const env = new LocalEnvironment('explained');
  perShop(env).trigger(Delta as never, ...([3, 0] as unknown as [])).aggregate({ n: count() }).print();
  perShop(env).trigger({ onElement: () => 'fire' }).aggregate({ n: count() }).print();
  expect(env.explain()).toContain('results when Delta says so');
  expect(env.explain()).toContain('results when a trigger says so');
});
