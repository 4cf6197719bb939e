import { describe, expect, it } from 'vitest';

import { type AggregatingState, type DataStream, KeyByFunction, KeyedProcessFunction, LocalEnvironment, MapFunction, type ListState, type MapState, OutputTag, ProcessFunction, type ReducingState, type SageError, type TimerKind, type ValueState, avg, tumbling } from '../../../ts/index.ts';
import { TestEnvironment } from '../../../ts/testing/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { stateEnvironment, stateOfTests } from './state-environment.ts';

/** Turns of the event loop until something is so. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(setImmediate);
}

interface Click {
  readonly user: string;
  readonly page: string;
  readonly at: number;
}

describe('programs with state and timers', () => {
  it('makes sessions of clicks', async () => {
    // given clicks of two users, with pauses above and below 10 s
    class Sessions extends KeyedProcessFunction<string, Click, { user: string; pages: string[]; ended: number }> {
      #pages!: ListState<string>;
      #deadline!: ValueState<number>;
      override open(): void {
        this.#pages = this.ctx.state.list('pages');
        this.#deadline = this.ctx.state.value('deadline');
      }
      execute({ page, at }: Click): void {
        const deadline = this.#deadline.get();
        if (deadline !== undefined && at > deadline) this.#end(deadline);
        if (deadline !== undefined) this.ctx.timers.cancelEventTime(deadline);
        this.#pages.add(page);
        this.#deadline.set(at + 10_000);
        this.ctx.timers.eventTime(at + 10_000);
      }
      override onTimer(time: number): void {
        this.#end(time);
      }
      #end(time: number): void {
        this.collect({ user: this.ctx.key, pages: [...this.#pages], ended: time });
        this.#pages.clear();
        this.#deadline.clear();
      }
    }
    const clicks: Click[] = [
      { user: 'ann', page: 'a', at: 0 },
      { user: 'bob', page: 'x', at: 1_000 },
      { user: 'ann', page: 'b', at: 9_000 },
      { user: 'ann', page: 'c', at: 30_000 },
      { user: 'bob', page: 'y', at: 31_000 },
      { user: 'ann', page: 'd', at: 40_000 },
    ];
    const env = stateEnvironment('sessions');
    const sessions: unknown[] = [];
    // when
    env.fromCollection(clicks).assignTimestamps('at', { outOfOrdernessMs: 0 }).keyBy('user').process(Sessions).sink(sessions);
    await env.submit({ autostop: true });
    // then
    expect(sessions.toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)))).toEqual([
      { user: 'ann', pages: ['a', 'b'], ended: 19_000 },
      { user: 'ann', pages: ['c', 'd'], ended: 50_000 },
      { user: 'bob', pages: ['x'], ended: 11_000 },
      { user: 'bob', pages: ['y'], ended: 41_000 },
    ]);
  });

  it('lets a value pass again when its time to live is over', async () => {
    // given a clock that goes on between the records
    class Fresh extends KeyedProcessFunction<string, Click, Click> {
      #seen!: MapState<string, true>;
      override open(): void {
        this.#seen = this.ctx.state.map('seen', { ttlMs: 1000 });
      }
      execute(click: Click): void {
        if (!this.#seen.has(click.page)) this.collect(click);
        this.#seen.set(click.page, true);
      }
    }
    await using env = new TestEnvironment({ state: stateOfTests.settings });
    const source = env.testSource<Click>('clicks');
    const passed = env.collectSink<Click>();
    const click = (page: string, at: number): Click => ({ user: 'ann', page, at });
    const clicks = [click('a', 0), click('a', 500), click('b', 1400), click('a', 1499), click('a', 2499), click('b', 2500)];
    env.fromSource(source).keyBy('user').process(Fresh).sink(passed);
    await env.start();
    // when
    for (const next of clicks) {
      await env.advanceTime(next.at - env.clock.now());
      source.push(next);
      await env.settle();
    }
    // then a record renews its own lifetime
    expect(passed.records).toEqual([click('a', 0), click('b', 1400), click('a', 2499), click('b', 2500)]);
  });

  it('tells of hosts that send no heartbeat for 10 s', async () => {
    // given two hosts, one of which stops
    class Heartbeats extends KeyedProcessFunction<string, { host: string }, string> {
      #due!: ValueState<number>;
      override open(): void {
        this.#due = this.ctx.state.value('due');
      }
      execute(): void {
        const due = this.#due.get();
        if (due !== undefined) this.ctx.timers.cancelProcessingTime(due);
        const next = env.clock.now() + 10_000;
        this.#due.set(next);
        this.ctx.timers.processingTime(next);
      }
      override onTimer(time: number, kind: TimerKind): void {
        this.collect(`${this.ctx.key} silent at ${time} (${kind})`);
        this.#due.clear();
      }
    }
    await using env = new TestEnvironment({ state: stateOfTests.settings });
    const source = env.testSource<{ host: string }>('heartbeats');
    const alerts = env.collectSink<string>();
    env.fromSource(source).keyBy('host').process(Heartbeats).sink(alerts);
    await env.start();
    // when
    source.push({ host: 'a' });
    source.push({ host: 'b' });
    await env.advanceTime(8000);
    source.push({ host: 'a' });
    await env.advanceTime(1999);
    // then b is told of in time, and a at the end, for which nobody waits
    expect(alerts.take()).toEqual([]);
    await env.advanceTime(1);
    expect(alerts.take()).toEqual(['b silent at 10000 (processing)']);
    await env.finish();
    expect(alerts.take()).toEqual(['a silent at 18000 (processing)']);
    expect(env.clock.now()).toBe(10_000);
  });

  it('gives results with the time of the timer to windows below', async () => {
    class Late extends KeyedProcessFunction<string, { key: string; at: number }, string> {
      execute({ at }: { key: string; at: number }): void {
        this.ctx.timers.eventTime(at + 100);
        this.ctx.timers.processingTime(Date.now() + 3_600_000 + at);
      }
      override onTimer(_time: number, kind: TimerKind): void {
        this.collect(kind);
      }
    }
    const env = stateEnvironment('below');
    const windows: unknown[] = [];
    env
      .fromCollection([{ key: 'a', at: 5 }, { key: 'a', at: 115 }])
      .assignTimestamps('at', { outOfOrdernessMs: 0 })
      .keyBy('key')
      .process(Late)
      .window(tumbling(100))
      .map(({ start, elements }) => ({ start, elements: elements.toSorted() }))
      .sink(windows);
    const { operators } = await env.submit({ autostop: true });
    // then the timers of the clock, which fired at the end, have the time that event time had come to
    expect(windows).toEqual([
      { start: 100, elements: ['event', 'processing', 'processing'] },
      { start: 200, elements: ['event'] },
    ]);
    expect(operators.find(({ name }) => name === 'window')!.recordsLate).toBe(0);
  });

  it('has states that reduce and aggregate', async () => {
    class Prices extends KeyedProcessFunction<string, { item: string; price: number }, { item: string; most: number; mean: number }> {
      #most!: ReducingState<number>;
      #mean!: AggregatingState<{ price: number }, number | null>;
      override open(): void {
        this.#most = this.ctx.state.reducing<number>('most', Math.max);
        this.#mean = this.ctx.state.aggregating('mean', avg('price'));
      }
      execute(order: { item: string; price: number }): void {
        this.#most.add(order.price);
        this.#mean.add(order);
        this.collect({ item: order.item, most: this.#most.get()!, mean: this.#mean.get()! });
      }
    }
    const env = stateEnvironment('prices');
    const results: unknown[] = [];
    env.fromCollection([{ item: 'pen', price: 2 }, { item: 'pen', price: 4 }, { item: 'ink', price: 9 }]).keyBy('item').process(Prices).sink(results);
    await env.submit({ autostop: true });
    expect(results).toEqual([
      { item: 'pen', most: 2, mean: 2 },
      { item: 'pen', most: 4, mean: 3 },
      { item: 'ink', most: 9, mean: 9 },
    ]);
  });

  it('sends to side outputs from records and timers', async () => {
    const odd = new OutputTag<string>('odd');
    class Sorted extends KeyedProcessFunction<string, number, number> {
      execute(n: number): void {
        this.ctx.timers.processingTime(Date.now() + 3_600_000);
        if (n % 2 === 0) this.collect(n);
        else this.output(odd, `${n}`);
      }
      override onTimer(): void {
        this.output(odd, `end of ${this.ctx.key}`);
      }
    }
    const env = stateEnvironment('sides');
    const [even, others]: [number[], string[]] = [[], []];
    const stream = env.fromCollection([1, 2, 3, 4]).keyBy((n) => (n % 2 === 0 ? 'even' : 'odd')).process(Sorted);
    stream.sink(even);
    stream.sideOutput(odd).sink(others);
    await env.submit({ autostop: true });
    expect([even, others.slice(0, 2)]).toEqual([[2, 4], ['1', '3']]);
    expect(new Set(others.slice(2))).toEqual(new Set(['end of even', 'end of odd']));
  });

  it('gives slots back, so that a key without state costs nothing', async () => {
    // given many keys, each with a record that sets and one that clears, and one that stays
    class Pairs extends KeyedProcessFunction<number, { key: number }, number> {
      #open!: ValueState<boolean>;
      override open(): void {
        this.#open = this.ctx.state.value('open');
      }
      execute({ key }: { key: number }): void {
        if (key === -1 || this.#open.get() === undefined) this.#open.set(true);
        else {
          this.#open.clear();
          this.collect(key);
        }
      }
    }
    // On disk, keys that hold something have to have room: those that left memory are not counted.
    const env = stateEnvironment('pairs', stateOfTests.settings === 'memory' ? {} : { state: 'disk' });
    const done: number[] = [];
    const all = [{ key: -1 }, ...Array.from({ length: 20_000 }, (_, n) => [{ key: n }, { key: n }]).flat()];
    env.fromCollection(all).keyBy('key').process(Pairs).sink(done);
    // when
    const { operators } = await env.submit({ autostop: true });
    // then
    expect(done).toEqual(Array.from({ length: 20_000 }, (_, n) => n));
    expect(operators.find(({ name }) => name === 'process')!.metrics?.gauges['keys held']).toEqual({ 0: 1 });
  });
});

describe('failures', () => {
  class Shaky extends KeyedProcessFunction<string, { key: string; fails?: boolean }, string> {
    #count!: ValueState<number, number>;
    override open(): void {
      this.#count = this.ctx.state.value('count', { default: 0 });
    }
    execute({ fails }: { key: string; fails?: boolean }): void {
      this.#count.update((n) => n + 1);
      this.ctx.timers.processingTime(Number.MAX_SAFE_INTEGER);
      this.collect(`${this.ctx.key} ${this.#count.get()}`);
      if (fails === true) {
        this.ctx.timers.cancelProcessingTime(Number.MAX_SAFE_INTEGER);
        throw new Error('no');
      }
    }
    override onTimer(): void {
      this.collect(`end of ${this.ctx.key}`);
    }
  }

  it('leave nothing behind of a record that is put aside', async () => {
    const env = stateEnvironment('shaky');
    const [results, letters]: [string[], unknown[]] = [[], []];
    const stream = env.fromCollection([{ key: 'a' }, { key: 'a', fails: true }, { key: 'b', fails: true }, { key: 'a' }]).keyBy('key').process(Shaky).onError('deadLetter');
    stream.sink(results);
    stream.deadLetters().map(({ record, key, attempts }) => ({ record, key, attempts })).sink(letters);
    const { operators } = await env.submit({ autostop: true });
    expect(results).toEqual(['a 1', 'a 2', 'end of a']);
    expect(letters).toEqual([{ record: { key: 'a', fails: true }, key: 'a', attempts: 1 }, { record: { key: 'b', fails: true }, key: 'b', attempts: 1 }]);
    const { recordsIn, recordsOut, deadLetters } = operators.find(({ name }) => name === 'process')!;
    expect([recordsIn, recordsOut, deadLetters]).toEqual([4, 3, 2]);
  });

  it('name the operator, the line and the record', async () => {
    const env = stateEnvironment('failing');
    env.fromCollection([{ key: 'a', fails: true }]).keyBy('key').process(Shaky).named('shaky').sink([]);
    expect(await failureOf(env.submit({ autostop: true }))).toMatchObject({ code: 'SAGE_USER_THREW', message: "operator 'shaky' failed: Error: no", operator: 'shaky', declaredAt: { line: expect.any(Number) } });
  });
});

describe('what is not possible is said', () => {
  class Asks extends MapFunction<number, number> {
    execute(n: number): number {
      this.ctx.state.value('n');
      return n;
    }
  }
  class AsksForKey extends KeyByFunction<number, number> {
    override open(): void {
      this.ctx.state.value('n');
    }
    execute(n: number): number {
      return n;
    }
  }
  class Keyed extends KeyedProcessFunction<number, number, number> {
    readonly #act: string;
    constructor(act: string) {
      super();
      this.#act = act;
    }
    override open(): void {
      if (this.#act === 'open') this.ctx.state.value<number>('n').get();
      if (this.#act === 'timer in open') this.ctx.timers.processingTime(0);
    }
    execute(): void {
      if (this.#act === 'event') this.ctx.timers.eventTime(0);
      if (this.#act === 'time') this.ctx.timers.processingTime('soon' as never);
      if (this.#act === 'type') [this.ctx.state.list('n'), this.ctx.state.map('n')].toString();
    }
  }
  const failure = (act: string): Promise<SageError> => {
    const env = stateEnvironment('refused');
    env.fromCollection([1]).keyBy((n) => n).process(Keyed, act).sink([]);
    return failureOf(env.submit({ autostop: true }));
  };

  it.each<[string, string, (stream: DataStream<number>) => DataStream<unknown>]>([
    ['on a stream without a key', "'map' asked for ctx.state, but its records have no key", (stream) => stream.map(Asks)],
    ['in mapAsync', "'mapAsync' asked for ctx.state, but calls of mapAsync are in flight at the same time, so that there is no one key in hand", (stream) => stream.keyBy((n) => n).mapAsync(Asks, { concurrency: 2 })],
    ['behind roundRobin', "'map' asked for ctx.state, but the strategy 'roundRobin' of 'keyBy' spreads the records of a key over instances", (stream) => stream.keyBy((n) => n, { strategy: 'roundRobin' }).map(Asks)],
    ['behind broadcast', "'map' asked for ctx.state, but the strategy 'broadcast' of 'keyBy' gives every instance every record", (stream) => stream.keyBy((n) => n, { strategy: 'broadcast' }).map(Asks)],
    ['in a class for keys', "'keyBy-2' asked for ctx.state, but a class for keyBy keeps no state for each key", (stream) => stream.keyBy((n) => n).keyBy(AsksForKey)],
  ])('state %s', async (_, message, build) => {
    const env = new LocalEnvironment('refused');
    build(env.fromCollection([1])).sink([]);
    expect(await failureOf(env.submit({ autostop: true }))).toMatchObject({ code: 'SAGE_ENV_CONTEXT', message });
  });

  it("state: 'disk' of what is no process function", async () => {
    const env = new LocalEnvironment('refused', { state: 'disk' });
    env.fromCollection([1]).keyBy((n) => n).map(Asks).sink([]);
    expect(await failureOf(env.submit({ autostop: true }))).toMatchObject({ code: 'SAGE_ENV_CONTEXT', message: "'map' asked for ctx.state with state: 'disk', which is for process functions", operator: 'map' });
  });

  it('state of a key when no record is in hand', async () => {
    // given a function that reads its state in finish, when the last record is through
    class Late extends ProcessFunction<number, number> {
      execute(): void {
        this.ctx.state.value('n').set(1);
      }
      override finish(): void {
        this.ctx.state.value('n').get();
      }
    }
    const env = new LocalEnvironment('refused');
    env.fromCollection([1]).keyBy((n) => n).process(Late).sink([]);
    expect(await failureOf(env.submit({ autostop: true }))).toMatchObject({ code: 'SAGE_ENV_CONTEXT', message: "'process' used its state or timers with no key in hand" });
  });

  it('state of a key from what a call has left running', async () => {
    // given a call that writes once more when it has ended
    const errors: unknown[] = [];
    class Careless extends MapFunction<number, number> {
      execute(n: number): number {
        const count = this.ctx.state.value('n');
        count.set(n);
        setImmediate(() => {
          try {
            count.set(0);
          } catch (error) {
            errors.push(error);
          }
        });
        return n;
      }
    }
    const env = new LocalEnvironment('refused');
    const out: number[] = [];
    env
      .fromSource(async function* () {
        yield 1;
        await until(() => errors.length > 0);
        yield 2;
      })
      .keyBy((n) => n)
      .map(Careless)
      .sink(out);
    // when
    await env.submit({ autostop: true });
    // then
    expect(out).toEqual([1, 2]);
    expect(errors[0]).toMatchObject({ code: 'SAGE_ENV_CONTEXT', message: "'map' used its state or timers with no key in hand" });
  });

  it.each([
    ['open', 'SAGE_ENV_CONTEXT', "'process' used its state or timers with no key in hand"],
    ['timer in open', 'SAGE_ENV_CONTEXT', "'process' used its state or timers with no key in hand"],
    ['event', 'SAGE_ENV_CONTEXT', "'process' asked for a timer of event time, but its records have none"],
    ['time', 'SAGE_USER_WRONG_TYPE', 'the time of a timer of \'process\' is the string "soon", and not a finite number of milliseconds'],
    ['type', 'SAGE_STATE_DECLARATION', "the state 'n' is there already as list, and not as map"],
  ])('%s', async (act, code, message) => {
    expect(await failure(act)).toMatchObject({ code, message: expect.stringContaining(message), operator: 'process', declaredAt: { line: expect.any(Number) } });
  });

  it('a stream without a key', async () => {
    const env = stateEnvironment('refused');
    expect(await failureOf((async () => env.fromCollection([1]).process(Keyed as never, 'any'))())).toMatchObject({ code: 'SAGE_PLAN_NOT_KEYED', message: expect.stringContaining('process was given the class Keyed, a KeyedProcessFunction, on a stream without a key'), declaredAt: { line: expect.any(Number) } });
  });

  it('a key that is not at one instance', async () => {
    const env = stateEnvironment('refused');
    const spread = env.fromCollection([1]).keyBy((n) => n, { strategy: 'roundRobin' });
    expect(await failureOf((async () => spread.process(Keyed, 'any'))())).toMatchObject({ code: 'SAGE_PLAN_KEY_STRATEGY' });
  });

  it('a ProcessFunction has no timers', async () => {
    class Plain extends ProcessFunction<number, number> {
      execute(): void {
        this.ctx.timers.processingTime(0);
      }
    }
    const env = stateEnvironment('refused');
    env.fromCollection([1]).keyBy((n) => n).process(Plain).sink([]);
    expect(await failureOf(env.submit({ autostop: true }))).toMatchObject({ code: 'SAGE_ENV_CONTEXT', message: "'process' asked for ctx.timers, which only process functions of a keyed stream have" });
  });
});
