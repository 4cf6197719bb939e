import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

import { BroadcastProcessFunction, type DataStream, type ErrorPolicy, KeyedBroadcastProcessFunction, KeyedCoProcessFunction, type LocalEnvironment, type TimerKind } from '../../../ts/index.ts';
import { PROPERTY_RUNS, shareOfRuns } from '../../property-runs.ts';
import { oneByOne } from '../support/one-by-one.ts';
import { stateEnvironment } from './state-environment.ts';
import { replayWrites, Scribe, type Scripted, type Seen, type Write } from './naive-state.ts';

vi.setConfig({ testTimeout: Math.max(120_000, 300 * PROPERTY_RUNS) });

const write: fc.Arbitrary<Write> = fc.oneof(
  fc.record({ kind: fc.constantFrom('set' as const, 'append' as const, 'add' as const), value: fc.integer({ min: 0, max: 9 }) }),
  fc.constant({ kind: 'clear' as const }),
);

const records: fc.Arbitrary<Scripted[]> = fc
  .array(fc.record({ key: fc.constantFrom<unknown>('a', 'b', 0, null, { c: 1 }), writes: fc.array(write, { maxLength: 3 }), failures: fc.constantFrom(0, 0, 0, 1, 2) }), { maxLength: 60 })
  .map((drawn) => drawn.map((one, id) => ({ ...one, id })));

// oxlint-disable-next-line unicorn/no-thenable -- the name of the setting; a word is no function
const retried: ErrorPolicy = { retry: 1, backoffMs: 0, then: 'skip' };

/** Calls of the job at hand, in the order in which they ended. */
let calls: Seen[] = [];
let attempts = new Map<number, number>();

function failAsDrawn({ id, failures }: Scripted): void {
  const attempt = (attempts.get(id) ?? 0) + 1;
  attempts.set(id, attempt);
  if (attempt <= failures) throw new Error(`record ${id} fails`);
}

/** Three inputs, one state. */
class Three extends KeyedCoProcessFunction<unknown, [Scripted, Scripted, Scripted], { readonly seen: Seen; readonly input: number }> {
  #scribe!: Scribe;
  override open(): void {
    this.#scribe = new Scribe(this.ctx.state);
  }
  execute0(record: Scripted): void {
    this.#work(record, 0);
  }
  async execute1(record: Scripted): Promise<void> {
    await new Promise(setImmediate);
    this.#work(record, 1);
  }
  execute2(record: Scripted): void {
    this.#work(record, 2);
  }
  #work(record: Scripted, input: number): void {
    const seen = this.#scribe.seen(record.id, this.ctx);
    this.#scribe.write(record.writes);
    this.collect({ seen, input });
    failAsDrawn(record);
    calls.push(seen);
  }
}

interface Timed {
  readonly id: number;
  readonly key: string;
  readonly at: number;
}

/** Says at each timer what has come of its key up to its time. */
class Alarms extends KeyedCoProcessFunction<string, [Timed, Timed], { readonly key: string; readonly time: number; readonly ids: readonly number[] }> {
  execute0({ id, at }: Timed): void {
    this.ctx.state.list<Timed>('come').add({ id, at, key: this.ctx.key });
    this.ctx.timers.eventTime(at + 7);
  }
  execute1(record: Timed): void {
    this.execute0(record);
  }
  override onTimer(time: number, kind: TimerKind): void {
    expect(kind).toBe('event');
    const come = [...this.ctx.state.list<Timed>('come')];
    this.collect({ key: this.ctx.key, time, ids: come.filter(({ at }) => at <= time).map(({ id }) => id).toSorted((a, b) => a - b) });
  }
}

interface Rule {
  readonly name: string;
  readonly value: number;
  readonly fails: boolean;
}

/** What a record saw of the broadcast side. */
interface Checked {
  readonly id: number;
  readonly instance: number;
  readonly rules: readonly (readonly [string, number])[];
  readonly total: number | undefined;
}

let checks: Checked[] = [];

function keepRule({ ctx }: { readonly ctx: BroadcastProcessFunction<never, never, never>['ctx'] }, { name, value, fails }: Rule): void {
  ctx.broadcast.map<string, number>('rules').set(name, value);
  ctx.broadcast.reducing<number>('total', (a, b) => a + b).add(value);
  if (fails) throw new Error(`the rule ${name} fails`);
}

function check({ ctx }: { readonly ctx: BroadcastProcessFunction<never, never, never>['ctx'] }, id: number): void {
  checks.push({ id, instance: ctx.parallelIndex, rules: Array.from(ctx.broadcast.map<string, number>('rules')), total: ctx.broadcast.reducing<number>('total', (a, b) => a + b).get() });
}

class Checks extends BroadcastProcessFunction<Scripted, Rule, number> {
  executeBroadcast(rule: Rule): void {
    keepRule(this, rule);
  }
  async execute({ id }: Scripted): Promise<void> {
    if (id % 7 === 3) await new Promise(setImmediate);
    check(this, id);
    this.collect(id);
  }
  override finish(): void {
    check(this, -1);
  }
}

class KeyedChecks extends KeyedBroadcastProcessFunction<unknown, Scripted, Rule, number> {
  executeBroadcast(rule: Rule): void {
    keepRule(this, rule);
  }
  execute(record: Scripted): void {
    const scribe = new Scribe(this.ctx.state);
    const seen = scribe.seen(record.id, this.ctx);
    scribe.write(record.writes);
    this.ctx.timers.processingTime(Number.MAX_SAFE_INTEGER);
    failAsDrawn(record);
    calls.push(seen);
    check(this, record.id);
    this.collect(record.id);
  }
  /** At the end, when all rules have come. */
  override onTimer(): void {
    check(this, -1);
  }
}

/** Each instance has kept what some first rules make, and never fewer than before; at the end all of them. */
function checkVersions(rules: readonly Rule[]): void {
  const versions: { readonly rules: readonly (readonly [string, number])[]; readonly total: number | undefined }[] = [{ rules: [], total: undefined }];
  const kept = new Map<string, number>();
  let total: number | undefined;
  for (const { name, value, fails } of rules) {
    if (fails) continue;
    kept.set(name, value);
    total = (total ?? 0) + value;
    versions.push({ rules: [...kept], total });
  }
  for (const [instance, seen] of Map.groupBy(checks, (one) => one.instance)) {
    let at = 0;
    for (const one of seen) {
      const found = versions.findIndex((version, n) => n >= at && version.total === one.total && JSON.stringify(version.rules) === JSON.stringify(one.rules));
      expect(found, `what instance ${instance} has kept: ${JSON.stringify(one)}, no version from ${at} on`).toBeGreaterThanOrEqual(0);
      at = found;
    }
    if (seen.some(({ id }) => id === -1)) expect(seen.at(-1)).toMatchObject(versions.at(-1)!);
  }
}

const rulesDrawn: fc.Arbitrary<Rule[]> = fc.array(fc.record({ name: fc.constantFrom('x', 'y', 'z'), value: fc.integer({ min: 1, max: 9 }), fails: fc.constantFrom(false, false, false, true) }), { maxLength: 20 });

const shapes = ['at once', 'one by one', 'to 2 instances', 'to 3 instances', 'to 4 instances'] as const;
type Shape = (typeof shapes)[number];

const parallelismOf = (shape: Shape): number => (shape.startsWith('to ') ? Number(shape.split(' ')[1]) : 1);

function from<T>(env: LocalEnvironment, all: readonly T[], shape: Shape): DataStream<T> {
  return shape === 'one by one' || shape === 'to 3 instances' ? oneByOne(env, all) : env.fromCollection(all);
}

/** The property tests of process functions of several streams, for generated code and for the linked form. */
export function describeSeveralInputs(form: string): void {
  const runs = { numRuns: shareOfRuns(0.1), endOnFailure: false };
  describe(form, () => {
    it.each(shapes)('a co-process function has one state for each key of all streams (%s)', (shape) =>
      fc.assert(
        fc.asyncProperty(records, async (drawn) => {
          // given
          calls = [];
          attempts = new Map();
          const env = stateEnvironment('three');
          const [first, second, third] = [0, 1, 2].map((input) => from(env, drawn.filter(({ id }) => id % 3 === input), shape)) as [DataStream<Scripted>, DataStream<Scripted>, DataStream<Scripted>];
          const results: { readonly seen: Seen; readonly input: number }[] = [];
          // when
          first.connect(second, third).keyBy((record) => record.key).parallelism(parallelismOf(shape)).process(Three).onError(retried).sink(results);
          const { operators } = await env.submit({ autostop: true });
          // then
          replayWrites(drawn, calls);
          const kept = drawn.filter(({ failures }) => failures <= 1).map(({ id }) => id);
          expect(results.map(({ seen }) => seen.id).toSorted((a, b) => a - b)).toEqual(kept);
          for (const { seen, input } of results) expect(seen.id % 3).toBe(input);
          const counts = operators.find(({ name }) => name === 'process')!;
          expect([counts.recordsIn, counts.recordsOut, counts.recordsSkipped]).toEqual([drawn.length, kept.length, drawn.length - kept.length]);
        }),
        runs,
      ),
    );

    it.each(shapes)('timers of a co-process function wait for all streams (%s)', (shape) =>
      fc.assert(
        fc.asyncProperty(fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), stepMs: fc.integer({ min: -5, max: 12 }), input: fc.constantFrom(0, 0, 0, 1) }), { maxLength: 60 }), async (steps) => {
          // given two streams, one of them with few records, whose disorder is within bounds
          let at = 0;
          const all = steps.map(({ key, stepMs, input }, id) => ({ id, key, at: (at += stepMs), input }));
          const env = stateEnvironment('alarms');
          const timed = (wanted: number): DataStream<Timed> => from<Timed>(env, all.filter(({ input }) => input === wanted), shape).assignTimestamps('at', { outOfOrdernessMs: 500 });
          const alarms: { readonly key: string; readonly time: number; readonly ids: readonly number[] }[] = [];
          // when
          timed(0).connect(timed(1)).keyBy('key').parallelism(parallelismOf(shape)).process(Alarms).sink(alarms);
          await env.submit({ autostop: true });
          // then each timer has seen all that came up to its time, of both streams
          const expected = [...new Set(all.map((one) => JSON.stringify([one.key, one.at + 7])))]
            .map((text) => JSON.parse(text) as [string, number])
            .map(([key, time]) => ({ key, time, ids: all.filter((one) => one.key === key && one.at <= time).map(({ id }) => id) }));
          const sorted = (list: readonly { key: string; time: number; ids: readonly number[] }[]): unknown => list.toSorted((a, b) => a.time - b.time || a.key.localeCompare(b.key));
          expect(sorted(alarms)).toEqual(sorted(expected));
        }),
        runs,
      ),
    );

    it.each(shapes)('every instance has all broadcast records in their order (%s)', (shape) =>
      fc.assert(
        fc.asyncProperty(records, rulesDrawn, async (drawn, rules) => {
          // given
          checks = [];
          const env = stateEnvironment('checks');
          const results: number[] = [];
          // when
          from(env, drawn, shape).connect(from(env, rules, 'one by one').broadcast()).process(Checks).parallelism(parallelismOf(shape)).onError('skip').sink(results);
          const { operators } = await env.submit({ autostop: true });
          // then
          checkVersions(rules);
          expect(results.toSorted((a, b) => a - b)).toEqual(drawn.map(({ id }) => id));
          expect(checks.filter(({ id }) => id === -1).length).toBe(parallelismOf(shape));
          const counts = operators.find(({ name }) => name === 'process')!;
          const n = parallelismOf(shape);
          expect([counts.recordsIn, counts.recordsOut, counts.recordsSkipped]).toEqual([drawn.length + n * rules.length, drawn.length, n * rules.filter(({ fails }) => fails).length]);
        }),
        runs,
      ),
    );

    it.each(shapes)('with a keyed stream there is state of keys besides (%s)', (shape) =>
      fc.assert(
        fc.asyncProperty(records, rulesDrawn, fc.boolean(), async (drawn, rules, isAtOnce) => {
          // given
          [calls, checks] = [[], []];
          attempts = new Map();
          const env = stateEnvironment('keyed checks');
          const results: number[] = [];
          const keyed = from(env, drawn, shape).keyBy((record) => record.key).parallelism(parallelismOf(shape));
          // when
          keyed.connect(from(env, rules, isAtOnce ? 'at once' : 'one by one').broadcast()).process(KeyedChecks).parallelism(parallelismOf(shape)).onError(retried).sink(results);
          const { operators } = await env.submit({ autostop: true });
          // then
          replayWrites(drawn, calls);
          checkVersions(rules);
          const kept = drawn.filter(({ failures }) => failures <= 1).map(({ id }) => id);
          expect(results.toSorted((a, b) => a - b)).toEqual(kept);
          const counts = operators.find(({ name }) => name === 'process')!;
          const n = parallelismOf(shape);
          expect([counts.recordsIn, counts.recordsSkipped]).toEqual([drawn.length + n * rules.length, drawn.length - kept.length + n * rules.filter(({ fails }) => fails).length]);
        }),
        runs,
      ),
    );
  });
}
