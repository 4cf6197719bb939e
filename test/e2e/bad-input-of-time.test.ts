import { describe, expect, it } from 'vitest';

import {
  type DataStream,
  type DeadLetter,
  type ErrorPolicy,
  type JobResult,
  KeyedProcessFunction,
  type KeyedStream,
  LocalEnvironment,
  type OperatorCounts,
  type TimerKind,
  count,
  tumbling,
} from '../../ts/index.ts';
import { TestEnvironment, VirtualClock } from '../../ts/testing/index.ts';
import { failureOf } from './support/failure-of.ts';

// What a user sees of bad input where time, keys, state and joins are concerned: never a wrong result without a word, never a job that stands
// still without one.

interface Reading {
  readonly sensor: string;
  readonly at: number;
}

const FILE = 'bad-input-of-time.test.ts';
/** Where tests of the clock begin. */
const NOW = Date.UTC(2026, 0, 1);

/** The line of the caller, `offset` lines further. */
function here(offset = 0): number {
  const frame = new Error('here').stack!.split('\n')[2]!;
  return Number(/:(\d+):\d+\)?$/.exec(frame)![1]) + offset;
}

const operator = (result: JobResult, name: string): OperatorCounts => result.operators.find((one) => one.name === name)!;

describe.each<[string, number, string, RegExp]>([
  ['NaN', Number.NaN, 'SAGE_TIME_INVALID', /the timestamp of a record is NaN, and not a number of milliseconds since 1970 or a Date/],
  ['before all dates', -9e15, 'SAGE_TIME_INVALID', /is -9000000000000000, before all dates/],
  ['behind all dates', 9e15, 'SAGE_TIME_INVALID', /is 9000000000000000, behind all dates/],
  ['missing', undefined as never, 'SAGE_TIME_INVALID', /is undefined/],
  ['two days ahead of the clock', NOW + 2 * 86_400_000, 'SAGE_TIME_AHEAD', /2026-01-03T00:00:00\.000Z, is 172800000 ms ahead of the clock; 86400000 ms are allowed/],
])('a timestamp that is %s', (_, at, code, message) => {
  const bad: Reading = { sensor: 'bad', at };
  const readings: readonly Reading[] = [{ sensor: 'a', at: NOW }, bad, { sensor: 'a', at: NOW + 500 }, { sensor: 'a', at: NOW + 1_500 }];
  let line = 0;
  const build = (env: LocalEnvironment, policy: ErrorPolicy): DataStream<Reading> => {
    const stream = env.fromCollection(readings);
    line = here(1);
    return stream.assignTimestamps('at', { outOfOrdernessMs: 0 }).onError(policy);
  };
  /** Each window's start, seconds behind `NOW`, and its number of records. */
  const windows = (stream: DataStream<Reading>): DataStream<unknown> => stream.window(tumbling('1s')).aggregate({ n: count() }).map(({ window, n }) => [(window.start - NOW) / 1_000, n]);
  const intact = [[0, 2], [1, 1]];

  it('fails the job at its record, with operator and line', async () => {
    await using env = new TestEnvironment({ startMs: NOW });
    windows(build(env, 'fail')).sink([]);
    const error = await failureOf(env.start().then(() => env.finish()));
    expect(error).toMatchObject({ code, operator: 'assignTimestamps', record: bad, domain: 'user', declaredAt: { file: expect.stringContaining(FILE) as string, line } });
    expect(error.message).toMatch(message);
    expect(error.help).not.toBe('');
  });

  it("is left out and counted with 'skip': windows are as they would be without it", async () => {
    await using env = new TestEnvironment({ startMs: NOW });
    const found = env.collectSink<unknown>();
    windows(build(env, 'skip')).sink(found);
    await env.start();
    const result = await env.finish();
    expect(found.records).toEqual(intact);
    expect(result).toMatchObject({ recordsIn: 4, recordsSkipped: 1, deadLetters: 0 });
    expect(operator(result, 'assignTimestamps')).toMatchObject({ recordsIn: 4, recordsOut: 3, recordsSkipped: 1 });
    expect(operator(result, 'window').recordsLate).toBe(0);
  });

  it("is a dead letter with 'deadLetter'", async () => {
    await using env = new TestEnvironment({ startMs: NOW });
    const found = env.collectSink<unknown>();
    const letters = env.collectSink<DeadLetter<Reading>>();
    const stream = build(env, 'deadLetter');
    stream.deadLetters().sink(letters as never);
    windows(stream).sink(found);
    await env.start();
    const result = await env.finish();
    expect(found.records).toEqual(intact);
    expect(letters.records).toMatchObject([{ record: bad, operator: 'assignTimestamps', error: { code }, attempts: 1, failedAtMs: NOW }]);
    expect(operator(result, 'assignTimestamps')).toMatchObject({ recordsIn: 4, recordsOut: 3, deadLetters: 1 });
  });
});

describe('the guard against timestamps that are too far ahead', () => {
  const DAY_MS = 86_400_000;
  const wrong = (n: number): boolean => n % 5 === 3;
  const readings: readonly Reading[] = Array.from({ length: 20 }, (_, n) => ({ sensor: `s${n % 3}`, at: NOW + (wrong(n) ? 2 * DAY_MS : n === 7 ? Number.NaN : n) }));
  const tooFar = readings.filter(({ at }) => at > NOW + DAY_MS);

  it.each<[string, ErrorPolicy, number]>([
    ["'skip'", 'skip', tooFar.length],
    ["'deadLetter'", 'deadLetter', tooFar.length],
    // oxlint-disable-next-line unicorn/no-thenable -- the name of the setting
    ["'skip' behind retries in vain", { retry: 2, backoffMs: 10, then: 'skip' }, tooFar.length],
    // oxlint-disable-next-line unicorn/no-thenable -- the name of the setting
    ["'deadLetter' behind retries that the clock lets through", { retry: 1, backoffMs: 10_000, then: 'deadLetter' }, 0],
  ])('counts with %s each such record once, and no other wrong one: in the metrics while the job runs, and in its result', async (_, policy, expected) => {
    await using env = new TestEnvironment({ startMs: NOW });
    const source = env.testSource<Reading>('readings', { eventTime: false });
    const stream = env.fromSource(source).assignTimestamps('at', { outOfOrdernessMs: 3 * DAY_MS, maxAheadMs: 2 * DAY_MS - 5_000 }).onError(policy);
    if (JSON.stringify(policy).includes('deadLetter')) stream.deadLetters().sink(env.collectSink() as never);
    stream.keyBy('sensor').parallelism(2).window(tumbling('1s')).aggregate({ n: count() }).sink([]);
    const job = await env.start();
    for (const reading of readings) source.push(reading);
    await env.advanceTime(60_000);
    const ahead = (operators: readonly OperatorCounts[]): unknown[] => operators.map(({ recordsAhead }) => recordsAhead).filter((counted) => counted !== undefined);
    await expect.poll(() => ahead(job.metrics().operators), { interval: 1 }).toEqual([expected]);
    const result = await env.finish();
    expect(ahead(result.operators)).toEqual([expected]);
    const counts = operator(result, 'assignTimestamps');
    expect(counts.recordsSkipped + counts.deadLetters).toBe(expected + 1);
    expect(counts).toMatchObject({ recordsIn: 20, recordsOut: 19 - expected });
  });

  it('adds up over several instances', async () => {
    const env = new LocalEnvironment('ahead', { clock: new VirtualClock(NOW) });
    env.fromCollection(readings).map((reading) => reading).parallelism(2).assignTimestamps('at', { outOfOrdernessMs: 100 }).onError('skip').sink([]);
    const result = await env.submit({ autostop: true });
    expect(operator(result, 'assignTimestamps')).toMatchObject({ recordsIn: 20, recordsAhead: tooFar.length, recordsSkipped: tooFar.length + 1 });
  });

  it("with 'fail' ends the job with the first one, and has nothing to count", async () => {
    await using env = new TestEnvironment({ startMs: NOW });
    env.fromCollection(readings).assignTimestamps('at', { outOfOrdernessMs: 0 }).sink([]);
    const job = await env.submit();
    await expect(job.completion).rejects.toMatchObject({ code: 'SAGE_TIME_AHEAD', operator: 'assignTimestamps', record: tooFar[0] });
    expect(job.metrics().operators.find(({ name }) => name === 'assignTimestamps')).toMatchObject({ recordsAhead: 0 });
  });
});

describe('a timestamp that is only early or only late', () => {
  it('given times before 1970, then they are as good as others', async () => {
    const found: unknown[] = [];
    const env = new LocalEnvironment('negative');
    env.fromCollection([-1_500, -500, 500]).assignTimestamps((n) => n, { outOfOrdernessMs: 0 }).window(tumbling('1s')).aggregate({ n: count() }).map(({ window, n }) => [window.start, n]).sink(found);
    await env.submit({ autostop: true });
    expect(found).toEqual([[-2_000, 1], [-1_000, 1], [0, 1]]);
  });

  it('given a negative one among times of today, then it is late: counted, and given to lateTo', async () => {
    const [found, late]: [unknown[], number[]] = [[], []];
    const env = new LocalEnvironment('negative');
    const counted = env.fromCollection([NOW, -5, NOW + 100]).assignTimestamps((n) => n, { outOfOrdernessMs: 0 }).window(tumbling('1s')).lateTo('late').aggregate({ n: count() });
    counted.map(({ n }) => n).sink(found);
    counted.sideOutput<number>('late').sink(late);
    const result = await env.submit({ autostop: true });
    expect([found, late, operator(result, 'window').recordsLate]).toEqual([[2], [-5], 1]);
  });

  it('given one far ahead where any is allowed, then the windows that it closes are seen to have lost what comes later', async () => {
    const found: unknown[] = [];
    const env = new LocalEnvironment('ahead');
    env.fromCollection([NOW, NOW + 1e12, NOW + 100]).assignTimestamps((n) => n, { outOfOrdernessMs: 0, maxAheadMs: Number.POSITIVE_INFINITY }).window(tumbling('1s')).aggregate({ n: count() }).map(({ n }) => n).sink(found);
    const result = await env.submit({ autostop: true });
    expect([found, operator(result, 'window').recordsLate]).toEqual([[1, 1], 1]);
  });
});

describe('a record without a key', () => {
  const records = [{ sensor: 'a', at: 1 }, { at: 2 } as Reading, { sensor: 'a', at: 3 }];
  const noKey = (): void => undefined;
  let line = 0;
  const at = <T>(calledAt: number, stream: T): T => {
    line = calledAt;
    return stream;
  };
  const cases: [string, (stream: DataStream<Reading>) => KeyedStream<string, Reading>, string, RegExp][] = [
    ['the field is missing', (stream) => at(here(), stream.keyBy('sensor')), 'SAGE_KEY_MISSING_FIELD', /'sensor'/],
    ['the function gives what cannot be one', (stream) => at(here(), stream.keyBy(({ sensor }) => (sensor ?? noKey) as string)), 'SAGE_KEY_UNSUPPORTED', /function/],
  ];

  it.each(cases)('%s: fails at its record, with operator and line', async (_, by, code, message) => {
    const env = new LocalEnvironment('keys');
    by(env.fromCollection(records)).aggregate({ n: count() }).sink([]);
    const error = await failureOf(env.submit({ autostop: true }));
    expect(error).toMatchObject({ code, operator: 'keyBy', record: { at: 2 }, declaredAt: { file: expect.stringContaining(FILE) as string, line } });
    expect(error.message).toMatch(message);
  });

  it.each(cases)('%s: is left out or put aside as onError says, and counted', async (_, by, code) => {
    for (const policy of ['skip', 'deadLetter'] as const) {
      const [found, letters]: [unknown[], DeadLetter<unknown>[]] = [[], []];
      const env = new LocalEnvironment('keys');
      const keyed = by(env.fromCollection(records)).onError(policy);
      keyed.aggregate({ n: count() }).sink(found);
      if (policy === 'deadLetter') keyed.deadLetters().sink(letters);
      const result = await env.submit({ autostop: true });
      expect(found).toEqual([{ key: 'a', n: 2 }]);
      expect(operator(result, 'keyBy')).toMatchObject({ recordsIn: 3, recordsOut: 2, recordsSkipped: policy === 'skip' ? 1 : 0, deadLetters: policy === 'skip' ? 0 : 1 });
      if (policy === 'deadLetter') expect(letters).toMatchObject([{ record: { at: 2 }, operator: 'keyBy', error: { code } }]);
    }
  });
});

describe('state of a wrong type', () => {
  class Counting extends KeyedProcessFunction<string, Reading, number> {
    readonly how: 'kind' | 'default' | 'value';
    constructor(how: 'kind' | 'default' | 'value') {
      super();
      this.how = how;
    }
    execute({ at }: Reading): void {
      const seen = this.ctx.state.value<unknown>('seen', { default: 0 });
      seen.set(at);
      if (at === 2 && this.how === 'kind') this.ctx.state.list('seen').add(1);
      if (at === 2 && this.how === 'default') this.ctx.state.value('seen', { default: 'none' });
      if (at === 2 && this.how === 'value') seen.set(() => undefined);
      this.collect(seen.get() as number);
    }
  }
  const readings = [1, 2, 3].map((at) => ({ sensor: 'a', at }));
  const cases: ['kind' | 'default' | 'value', 'memory' | 'disk', string, RegExp][] = [
    ['kind', 'memory', 'SAGE_STATE_DECLARATION', /the state 'seen' is there already as value, and not as list/],
    ['kind', 'disk', 'SAGE_STATE_DECLARATION', /the state 'seen' is there already as value, and not as list/],
    ['default', 'memory', 'SAGE_STATE_DECLARATION', /seen/],
    ['value', 'disk', 'SAGE_STATE_VALUE', /seen/],
  ];

  it.each(cases)('%s, in %s: fails at its record, with operator and line', async (how, state, code, message) => {
    const env = new LocalEnvironment('state', { state });
    const keyed = env.fromCollection(readings).keyBy('sensor');
    const line = here(1);
    keyed.process(Counting, how).sink([]);
    const error = await failureOf(env.submit({ autostop: true }));
    expect(error).toMatchObject({ code, operator: 'process', declaredAt: { file: expect.stringContaining(FILE) as string, line } });
    expect(error.message).toMatch(message);
  });

  it.each(cases.filter(([how]) => how === 'kind'))('%s, in %s: with onError its record is put aside, and the state is as before', async (how, state, code) => {
    const [found, letters]: [unknown[], DeadLetter<unknown>[]] = [[], []];
    const env = new LocalEnvironment('state', { state });
    const processed = env.fromCollection(readings).keyBy('sensor').process(Counting, how).onError('deadLetter');
    processed.sink(found);
    processed.deadLetters().sink(letters);
    const result = await env.submit({ autostop: true });
    expect(found).toEqual([1, 3]);
    expect(letters).toMatchObject([{ record: { at: 2 }, key: 'a', operator: 'process', error: { code } }]);
    expect(operator(result, 'process')).toMatchObject({ recordsIn: 3, deadLetters: 1 });
  });
});

describe('a timer', () => {
  type Ask = 'past event' | 'past clock' | 'NaN' | 'text' | 'event';
  class Asking extends KeyedProcessFunction<string, Reading, string> {
    readonly ask: Ask;
    constructor(ask: Ask) {
      super();
      this.ask = ask;
    }
    execute({ at }: Reading): void {
      this.collect(`record ${at - NOW}`);
      if (this.ask === 'past event') this.ctx.timers.eventTime(NOW - 60_000);
      if (this.ask === 'past clock') this.ctx.timers.processingTime(NOW - 60_000);
      if (this.ask === 'NaN') this.ctx.timers.eventTime(Number.NaN);
      if (this.ask === 'text') this.ctx.timers.processingTime('soon' as never);
      if (this.ask === 'event') this.ctx.timers.eventTime(at + 1);
    }
    override onTimer(t: number, kind: TimerKind): void {
      this.collect(`${kind} timer ${t - NOW}`);
    }
  }

  it.each([['past event', 'event'], ['past clock', 'processing']] as const)('in the past (%s) fires right behind its record, with the time that was asked for', async (ask, kind) => {
    await using env = new TestEnvironment({ startMs: NOW });
    const readings = env.testSource<Reading>('readings');
    const found = env.collectSink<string>();
    env.fromSource(readings).keyBy('sensor').process(Asking, ask).sink(found);
    await env.start();
    readings.watermark(NOW);
    readings.push({ sensor: 'a', at: NOW }, NOW);
    readings.push({ sensor: 'a', at: NOW + 1 }, NOW + 1);
    await env.settle();
    expect(found.records).toEqual(['record 0', `${kind} timer -60000`, 'record 1', `${kind} timer -60000`]);
    await env.finish();
  });

  it.each([['NaN', /NaN, and not a finite number of milliseconds/], ['text', /the string "soon", and not a finite number/]] as const)('at %s fails at its record; with onError it is put aside with all that it gave', async (ask, message) => {
    const build = (env: LocalEnvironment, policy: ErrorPolicy, found: string[]): DataStream<string> => {
      const processed = env.fromCollection([{ sensor: 'a', at: NOW }]).assignTimestamps('at', { outOfOrdernessMs: 0, maxAheadMs: Number.POSITIVE_INFINITY }).keyBy('sensor').process(Asking, ask).onError(policy);
      return processed.sink(found);
    };
    const failing = new LocalEnvironment('timers');
    build(failing, 'fail', []);
    const error = await failureOf(failing.submit({ autostop: true }));
    expect(error).toMatchObject({ code: 'SAGE_USER_WRONG_TYPE', operator: 'process', record: { sensor: 'a' }, declaredAt: { file: expect.stringContaining(FILE) as string } });
    expect(error.message).toMatch(message);
    const found: string[] = [];
    const skipping = new LocalEnvironment('timers');
    build(skipping, 'skip', found);
    const result = await skipping.submit({ autostop: true });
    expect([found, result.recordsSkipped]).toEqual([[], 1]);
  });

  describe('of event time behind streams of which only one has event time', () => {
    const build = (env: LocalEnvironment, ask: Ask, found: string[]): { readonly timed: number; readonly untimed: number } => {
      const [timed, untimed] = [here(1), here(2)];
      const one = env.fromCollection([{ sensor: 'a', at: NOW }]).assignTimestamps('at', { outOfOrdernessMs: 0, maxAheadMs: Number.POSITIVE_INFINITY });
      const two = env.fromCollection([{ sensor: 'a', at: NOW + 1 }]).filter(() => true).named('replayed');
      one.union(two).keyBy('sensor').process(Asking, ask).sink(found);
      return { timed, untimed };
    };

    it('fails, and names the stream without timestamps', async () => {
      const env = new LocalEnvironment('mixed');
      const { timed, untimed } = build(env, 'event', []);
      const error = await failureOf(env.submit({ autostop: true }));
      expect(error).toMatchObject({
        code: 'SAGE_ENV_CONTEXT',
        operator: 'process',
        help: "Call assignTimestamps on the stream before 'replayed', or use timers.processingTime.",
        related: [{ what: "'replayed', whose records have no event time", declaredAt: { line: untimed } }, { what: "'assignTimestamps', whose records have one", declaredAt: { line: timed } }],
      });
      expect(error.message).toContain("'process' asked for a timer of event time, but its records have none: of the streams that 'union' puts together, 'assignTimestamps' has event time and 'replayed' has none");
    });

    it('while a function that asks for none works as ever', async () => {
      const env = new LocalEnvironment('mixed');
      const found: string[] = [];
      build(env, 'past clock', found);
      await env.submit({ autostop: true });
      expect(found.toSorted()).toEqual(['processing timer -60000', 'processing timer -60000', 'record 0', 'record 1']);
    });
  });
});

describe('a side of a join that never delivers', () => {
  type Joined = (left: DataStream<Reading>, right: DataStream<Reading>) => DataStream<unknown>;
  const pair = (a: Reading | undefined, b: Reading | undefined): unknown => [a!.at, b?.at];
  const joins: [string, Joined][] = [
    ['an interval join', (left, right) => left.keyBy('sensor').intervalJoin(right.keyBy('sensor'), { after: 50, type: 'left' }, pair)],
    ['a window join', (left, right) => left.connect(right).keyBy('sensor').join({ window: tumbling('1s'), type: 'left' }, pair)],
    ['an as-of join', (left, right) => left.keyBy('sensor').asOfJoin(right.keyBy('sensor'), { type: 'left' }, pair)],
  ];
  const start = async (join: Joined, idleMs: number | undefined) => {
    const written: string[] = [];
    const write = (...args: readonly unknown[]): void => void written.push(String(args.at(-1)));
    const logger = { trace() {}, debug() {}, info() {}, warn: write, error: write, fatal: write, child: () => logger };
    const env = new TestEnvironment({ logger: logger as never });
    const [left, right] = [env.testSource<Reading>('left', { eventTime: false }), env.testSource<Reading>('right', { eventTime: false })];
    const found = env.collectSink<unknown>();
    const options = { outOfOrdernessMs: 0, ...(idleMs === undefined ? {} : { idleMs }) };
    join(env.fromSource(left).assignTimestamps('at', options).named('left times'), env.fromSource(right).assignTimestamps('at', options).named('right times')).sink(found);
    const job = await env.start();
    left.push({ sensor: 'a', at: 1_000 });
    left.push({ sensor: 'a', at: 5_000 });
    await env.settle();
    return { env, job, found, written, left, right };
  };

  it.each(joins)('%s: waits, says in metrics and after a minute in the log for whom, and gives all when it has ended', async (_, join) => {
    const { env, job, found, written, right } = await start(join, undefined);
    await using _env = env;
    expect(found.records).toEqual([]);
    expect(new Set(job.metrics().operators.map(({ heldBackBy }) => heldBackBy).filter((name) => name !== undefined))).toEqual(new Set(['right times']));
    await env.advanceTime(60_000);
    expect(written).toEqual([expect.stringMatching(/^event time of '.+' has waited for 'right times' \(.*bad-input-of-time\.test\.ts:\d+:\d+\) for 60 s.*idleMs/)]);
    right.end();
    await env.settle();
    expect(found.records).toContainEqual([1_000, undefined]);
    await env.finish();
    expect(found.records).toEqual([[1_000, undefined], [5_000, undefined]]);
  });

  it.each(joins)('%s: goes on without it, given idleMs', async (_, join) => {
    const { env, job, found, written, left } = await start(join, 30_000);
    await using _env = env;
    await env.advanceTime(20_000);
    left.push({ sensor: 'a', at: 5_001 });
    await env.advanceTime(10_000);
    expect(found.records).toContainEqual([1_000, undefined]);
    expect(job.metrics().operators.filter(({ heldBackBy }) => heldBackBy !== undefined)).toEqual([]);
    await env.advanceTime(600_000);
    expect(written).toEqual([]);
  });
});
