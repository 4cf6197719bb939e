import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

import { type Clock, type DataStream, type ErrorPolicy, KeyedProcessFunction, LocalEnvironment, type ListState, MapFunction, type MapState, type StateSettings, type TimerKind, type ValueState } from '../../../ts/index.ts';
import { PROPERTY_RUNS, shareOfRuns } from '../../property-runs.ts';
import { oneByOne } from '../support/one-by-one.ts';
import { type Action, actionsOfTimer, type Call, replay, type Scripted } from './replay.ts';

vi.setConfig({ testTimeout: Math.max(120_000, 300 * PROPERTY_RUNS) });

const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ kind: fc.constantFrom('event' as const, 'event' as const, 'cancel event' as const), inMs: fc.integer({ min: -20, max: 40 }) }),
  fc.record({ kind: fc.constantFrom('processing' as const, 'cancel processing' as const), inMs: fc.constantFrom(1_000_000, 1_000_001, 1_000_002) }),
  fc.record({ kind: fc.constant('set' as const), value: fc.integer({ min: 0, max: 9 }) }),
  fc.record({ kind: fc.constant('append' as const), value: fc.integer({ min: 0, max: 9 }) }),
  fc.record({ kind: fc.constant('put' as const), name: fc.constantFrom('x', 'y'), value: fc.integer({ min: 0, max: 9 }) }),
  fc.record({ kind: fc.constant('clear' as const) }),
);

/** Random streams of few keys, time that goes on more or less, and records that fail once or twice. */
const records: fc.Arbitrary<Scripted[]> = fc
  .array(
    fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd'),
      stepMs: fc.oneof({ weight: 6, arbitrary: fc.integer({ min: -5, max: 15 }) }, { weight: 1, arbitrary: fc.integer({ min: -60, max: 60 }) }),
      actions: fc.array(action, { maxLength: 5 }),
      failures: fc.constantFrom(0, 0, 0, 0, 1, 2),
    }),
    { maxLength: 60 },
  )
  .map((steps) => {
    let at = 0;
    return steps.map(({ stepMs, ...rest }, id) => ({ ...rest, id, at: (at += stepMs) }));
  });

/** How records get to the function: nothing of it may change what it may see. */
const shapes = ['at once', 'one by one', 'in turns of the event loop', 'over an exchange', 'to 2 instances', 'to 4 instances', 'with promises'] as const;
type Shape = (typeof shapes)[number];

// oxlint-disable-next-line unicorn/no-thenable -- the name of the setting; a word is no function
const retried: ErrorPolicy = { retry: 2, backoffMs: 0, then: 'fail' };

/** Calls of the job at hand, in the order in which they ended. */
let calls: Call[] = [];

/** A clock that stands still long before any timer of it. */
const clock: Clock = { now: () => 0, monotonicMs: () => performance.now() };

/** Writes down what each call saw, and does what its record says. */
class Player extends KeyedProcessFunction<string, Scripted, Call> {
  readonly #shape: Shape;
  readonly #failed = new Map<number, number>();
  #value!: ValueState<number>;
  #list!: ListState<number>;
  #map!: MapState<string, number>;

  constructor(shape: Shape) {
    super();
    this.#shape = shape;
  }

  override open(): void {
    this.#value = this.ctx.state.value('value');
    this.#list = this.ctx.state.list('list');
    this.#map = this.ctx.state.map('map');
  }

  #seen(id: number | undefined, timer: Call['timer']): Call {
    const { key, parallelIndex, timestamp, timers } = this.ctx;
    return { instance: parallelIndex, key, id, timer, watermark: timers.watermark, timestamp, value: this.#value.get(), list: [...this.#list], map: [...this.#map] };
  }

  #act(nowMs: number, actions: readonly Action[]): void {
    const { timers } = this.ctx;
    for (const one of actions) {
      if (one.kind === 'event') timers.eventTime(nowMs + one.inMs);
      else if (one.kind === 'processing') timers.processingTime(nowMs + one.inMs);
      else if (one.kind === 'cancel event') timers.cancelEventTime(nowMs + one.inMs);
      else if (one.kind === 'cancel processing') timers.cancelProcessingTime(nowMs + one.inMs);
      else if (one.kind === 'set') this.#value.set(one.value);
      else if (one.kind === 'append') this.#list.add(one.value);
      else if (one.kind === 'put') this.#map.set(one.name, one.value);
      else {
        this.#value.clear();
        this.#list.clear();
        this.#map.clear();
      }
    }
  }

  execute(record: Scripted): unknown {
    const call = this.#seen(record.id, undefined);
    this.#act(record.at, record.actions);
    this.collect(call);
    const failed = this.#failed.get(record.id) ?? 0;
    this.#failed.set(record.id, failed + 1);
    if (this.#shape !== 'with promises') {
      if (failed < record.failures) throw new Error(`record ${record.id} fails`);
      calls.push(call);
      return undefined;
    }
    return new Promise<void>((resolve, reject) => {
      setImmediate(() => {
        if (failed < record.failures) {
          reject(new Error(`record ${record.id} fails`));
          return;
        }
        this.#list.add(record.id);
        calls.push(call);
        resolve();
      });
    });
  }

  override onTimer(time: number, kind: TimerKind): unknown {
    const call = this.#seen(undefined, { time, kind });
    calls.push(call);
    if (kind === 'event') this.#act(time, actionsOfTimer(time));
    this.collect(call);
    return this.#shape === 'with promises' ? Promise.resolve() : undefined;
  }
}

/** The event time that a result has below, and the key. */
class Stamped extends MapFunction<Call, { readonly call: Call; readonly time: number | undefined; readonly key: unknown }> {
  execute(call: Call) {
    return { call, time: this.ctx.timestamp, key: this.ctx.key };
  }
}

function shaped(env: LocalEnvironment, all: readonly Scripted[], outOfOrdernessMs: number, shape: Shape): DataStream<Scripted> {
  const assigned = (stream: DataStream<Scripted>): DataStream<Scripted> => stream.assignTimestamps('at', { outOfOrdernessMs }).parallelism(1);
  switch (shape) {
    case 'one by one':
      return assigned(oneByOne(env, all));
    case 'in turns of the event loop':
    case 'to 4 instances':
      return assigned(oneByOne(env, all, ({ id }) => (id % 5 === 3 ? 1 : 0)));
    default:
      return assigned(env.fromCollection(all));
  }
}

const parallelismOf = (shape: Shape): number => ({ 'to 2 instances': 2, 'to 4 instances': 4, 'over an exchange': 3 })[shape as string] ?? 1;

/** The property tests of state and timers, for generated code and for the linked form, in memory and on disk. */
export function describeKeyedProcess(form: string, state: StateSettings = 'memory'): void {
  describe(form, () => {
    it.each(shapes)('each call sees the state and the timers that the calls before it have left (%s)', (shape) =>
      fc.assert(
        fc.asyncProperty(records, fc.constantFrom(0, 5, 50, 1000), async (drawn, outOfOrdernessMs) => {
          // given: with promises the list gets one more element, behind the others
          const all = shape === 'with promises' ? drawn.map((record) => ({ ...record, actions: [...record.actions, { kind: 'append', value: record.id } as const] })) : drawn;
          const given = shape === 'with promises' ? drawn : all;
          const env = new LocalEnvironment('replay', { clock, state });
          calls = [];
          const results: { readonly call: Call; readonly time: number | undefined; readonly key: unknown }[] = [];
          // when
          shaped(env, given, outOfOrdernessMs, shape)
            .keyBy(({ key }) => key)
            .parallelism(parallelismOf(shape))
            .process(Player, shape)
            .onError(retried)
            .map(Stamped)
            .sink(results);
          const { operators } = await env.submit({ autostop: true });
          // then
          replay(all, calls);
          expect(results.length).toBe(calls.length);
          expect(new Set(results.map(({ call }) => call))).toEqual(new Set(calls));
          for (const { call, time, key } of results) {
            expect(key).toBe(call.key);
            if (call.timer?.kind !== 'processing') expect(time).toBe(call.timer?.time ?? call.timestamp);
          }
          const counts = operators.find(({ name }) => name === 'process')!;
          expect([counts.recordsIn, counts.recordsOut]).toEqual([all.length, calls.length]);
        }),
        { numRuns: shareOfRuns(0.2), endOnFailure: false },
      ),
    );
  });
}
