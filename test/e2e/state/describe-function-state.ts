import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

import { BaseCoMapFunction, BaseJoinFunction, type DataStream, type ErrorPolicy, FilterFunction, FlatMapFunction, type FunctionContext, type KeyedStream, LocalEnvironment, MapFunction, ProcessFunction, SinkFunction } from '../../../ts/index.ts';
import { PROPERTY_RUNS, shareOfRuns } from '../../property-runs.ts';
import { oneByOne } from '../support/one-by-one.ts';
import { replayWrites, Scribe, type Scripted, type Seen, type Write } from './naive-state.ts';

vi.setConfig({ testTimeout: Math.max(120_000, 300 * PROPERTY_RUNS) });

const write: fc.Arbitrary<Write> = fc.oneof(
  fc.record({ kind: fc.constantFrom('set' as const, 'append' as const, 'add' as const), value: fc.integer({ min: 0, max: 9 }) }),
  fc.record({ kind: fc.constant('put' as const), name: fc.constantFrom('x', 'y'), value: fc.integer({ min: 0, max: 9 }) }),
  fc.record({ kind: fc.constant('clear' as const) }),
);

/** Keys that are nearly equal, and are not. */
const key = fc.constantFrom<unknown>(0, -0, '0', Number.NaN, 'NaN', null, 'null', true, 'true', 1n, 1, '1', '', '\0', { a: 1 }, { a: 1n }, [1], new Date(5));

const records: fc.Arbitrary<Scripted[]> = fc
  .array(fc.record({ key, writes: fc.array(write, { maxLength: 4 }), failures: fc.constantFrom(0, 0, 0, 0, 1, 2, 3) }), { maxLength: 60 })
  .map((drawn) => drawn.map((one, id) => ({ ...one, id })));

/** Two attempts; what fails three times is left out. */
// oxlint-disable-next-line unicorn/no-thenable -- the name of the setting; a word is no function
const retried: ErrorPolicy = { retry: 1, backoffMs: 0, then: 'skip' };

/** Calls of the job at hand, in the order in which they ended. */
let calls: Seen[] = [];
/** Attempts at each record. */
let attempts = new Map<number, number>();

/** Works on one record: sees, writes, and fails or not; the first use of state declares it. */
function play(ctx: FunctionContext, record: Scripted): Seen {
  const scribe = new Scribe(ctx.state);
  const seen = scribe.seen(record.id, ctx);
  scribe.write(record.writes);
  const attempt = (attempts.get(record.id) ?? 0) + 1;
  attempts.set(record.id, attempt);
  if (attempt <= record.failures) throw new Error(`record ${record.id} fails`);
  calls.push(seen);
  return seen;
}

async function playLater(ctx: FunctionContext, record: Scripted): Promise<Seen> {
  const before = new Scribe(ctx.state).seen(record.id, ctx);
  await new Promise(setImmediate);
  const seen = play(ctx, record);
  expect(seen).toEqual(before);
  return seen;
}

class Maps extends MapFunction<Scripted, Seen> {
  override open(): void {
    this.ctx.state.value('value');
  }
  execute(record: Scripted): Seen {
    return play(this.ctx, record);
  }
}

class MapsLater extends MapFunction<Scripted, Promise<Seen> | Seen> {
  execute(record: Scripted): Promise<Seen> | Seen {
    return record.id % 3 === 0 ? playLater(this.ctx, record) : play(this.ctx, record);
  }
}

class FlatMaps extends FlatMapFunction<Scripted, Seen> {
  execute(record: Scripted): Seen[] {
    this.collect(play(this.ctx, record));
    return [];
  }
}

/** State is used while results are taken. */
class Generates extends FlatMapFunction<Scripted, Seen> {
  override *execute(record: Scripted): Iterable<Seen> {
    yield play(this.ctx, record);
  }
}

class Filters extends FilterFunction<Scripted> {
  execute(record: Scripted): boolean {
    play(this.ctx, record);
    return true;
  }
}

class Processes extends ProcessFunction<Scripted, Seen> {
  async execute(record: Scripted): Promise<void> {
    this.collect(await playLater(this.ctx, record));
  }
}

class Sinks extends SinkFunction<Scripted> {
  execute(record: Scripted): void {
    play(this.ctx, record);
  }
}

class CoMaps extends BaseCoMapFunction {
  map0(record: Scripted): Seen {
    return play(this.ctx, record);
  }
  map1(record: Scripted): Seen {
    return play(this.ctx, record);
  }
}

class Joins extends BaseJoinFunction<Scripted, Seen> {
  execute(record: Scripted): void {
    this.collect(play(this.ctx, record));
  }
}

type Keyed = KeyedStream<unknown, Scripted>;

/** Each class with state, as an operator. */
const forms: Readonly<Record<string, (stream: Keyed, other: Keyed) => DataStream<unknown>>> = {
  map: (stream) => stream.map(Maps),
  'asynchronous map': (stream) => stream.map(MapsLater),
  flatMap: (stream) => stream.flatMap(FlatMaps),
  'flatMap of a generator': (stream) => stream.flatMap(Generates),
  filter: (stream) => stream.filter(Filters),
  process: (stream) => stream.process(Processes),
  sink: (stream) => stream.sink(Sinks),
  comap: (stream, other) => stream.connect(other).comap(CoMaps),
  join: (stream, other) => stream.connect(other).join(Joins),
};

const shapes = ['at once', 'one by one', 'to 2 instances', 'to 4 instances'] as const;

/** The property tests of state in functions of all kinds, for generated code and for the linked form. */
export function describeFunctionState(form: string): void {
  describe(form, () => {
    describe.each(Object.keys(forms))('state of a %s', (name) => {
      it.each(shapes)('is what earlier calls for the key have left (%s)', (shape) =>
        fc.assert(
          fc.asyncProperty(records, async (drawn) => {
            // given
            calls = [];
            attempts = new Map();
            const env = new LocalEnvironment('states');
            const isTwo = name === 'comap' || name === 'join';
            const stream = (all: readonly Scripted[]): Keyed => {
              const source = shape === 'at once' ? env.fromCollection(all) : oneByOne(env, all);
              return source.keyBy((record) => record.key).parallelism(shape === 'to 2 instances' ? 2 : shape === 'to 4 instances' ? 4 : 1);
            };
            const lefts = drawn.filter(({ id }) => !isTwo || id % 2 === 0);
            const rights = drawn.filter(({ id }) => isTwo && id % 2 === 1);
            // when
            const behind = forms[name]!(stream(lefts), isTwo ? stream(rights) : (undefined as never)).onError(retried);
            const results: unknown[] = [];
            if (name !== 'sink') behind.sink(results);
            const result = await env.submit({ autostop: true });
            // then
            replayWrites(drawn, calls);
            const kept = drawn.filter(({ failures }) => failures <= 1).map(({ id }) => id);
            expect(calls.map(({ id }) => id).toSorted((a, b) => a - b)).toEqual(kept);
            if (name !== 'sink') expect(results.length).toBe(kept.length);
            expect(result.recordsSkipped).toBe(drawn.length - kept.length);
          }),
          { numRuns: shareOfRuns(0.1), endOnFailure: false },
        ),
      );
    });
  });
}
