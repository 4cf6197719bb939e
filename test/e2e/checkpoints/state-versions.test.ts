// A program whose states have changed goes on from a savepoint of the one before.
import { describe, expect, it } from 'vitest';

import { BroadcastProcessFunction, END, KeyedProcessFunction, LocalEnvironment, MapFunction, type Seekable, SourceFunction, type StateOptions, type ValueState } from '../../../ts/index.ts';
import { Workplace } from './interrupted.ts';

const KEYS = 3;

/** Gives numbers from 0 on; the first program waits behind the last of its own. */
function numbers(count: number, waits?: () => Promise<never>): new () => SourceFunction<number> & Seekable<number> {
  return class Numbers extends SourceFunction<number> implements Seekable<number> {
    #next = 0;
    execute(): number | typeof END | Promise<never> {
      if (this.#next < count) return this.#next++;
      return waits === undefined ? END : waits();
    }
    position(): number {
      return this.#next;
    }
    seek(next: number): void {
      this.#next = next;
    }
  };
}

interface Program<Out> {
  readonly parallelism?: number;
  build(env: LocalEnvironment, source: new () => SourceFunction<number> & Seekable<number>, out: Out[]): void;
}

/** Runs the first program over nine numbers and stops it with a savepoint; then the second one over nine more. Gives what the second one gave. */
async function upgraded<A, B>(first: Program<A>, second: Program<B>): Promise<B[]> {
  using place = new Workplace();
  const before: A[] = [];
  const given = Promise.withResolvers<void>();
  const old = new LocalEnvironment('visits', { checkpoint: { dir: place.path('old') } });
  first.build(old, numbers(9, () => (given.resolve(), new Promise(() => undefined))), before);
  const job = await old.submit();
  await given.promise;
  await job.stop({ savepoint: place.path('first') });
  const after: B[] = [];
  const env = new LocalEnvironment('visits', { checkpoint: { dir: place.path('new') }, parallelism: second.parallelism ?? 1 });
  second.build(env, numbers(18), after);
  await env.submit({ autostop: true, from: place.path('first') });
  return after;
}

/** How many there were of a key: a number at first, later an object, in every kind of state. */
class Counts extends KeyedProcessFunction<number, number, number> {
  execute(): void {
    const { state } = this.ctx;
    const value = state.value('value', { default: 0 });
    value.set(value.get() + 1);
    state.list<number>('list').add(value.get());
    state.map<string, number>('map').set('count', value.get());
    state.reducing<number>('total', (a, b) => a + b).add(1);
    state.aggregating<number, number, number>('all', { init: () => 0, add: (count) => count + 1, result: (count) => count }).add(1);
  }
}

interface Counted {
  readonly count: number;
}
type Seen = Readonly<Record<'value' | 'list' | 'map' | 'total' | 'all', unknown>> & { readonly key: number };

const options: StateOptions<Counted> = { version: 2, migrate: (old, fromVersion) => ({ count: (old as number) * (fromVersion === 1 ? 1 : Number.NaN) }) };

class Objects extends KeyedProcessFunction<number, number, Seen> {
  execute(n: number): void {
    const { state } = this.ctx;
    const value = state.value<Counted>('value', options);
    value.set({ count: value.get()!.count + 1 });
    const list = state.list<Counted>('list', options);
    list.add(value.get()!);
    const map = state.map<string, Counted>('map', options);
    map.set('now', value.get()!);
    const total = state.reducing<Counted>('total', (a, b) => ({ count: a.count + b.count }), options);
    total.add({ count: 1 });
    const all = state.aggregating<number, Counted, number>('all', { init: () => ({ count: 0 }), add: ({ count }) => ({ count: count + 1 }), result: ({ count }) => count }, options);
    all.add(1);
    if (n >= 15) this.collect({ key: this.ctx.key, value: value.get(), list: [...list], map: [...map], total: total.get(), all: all.get() });
  }
}

const withCounts: Program<number> = {
  build: (env, source, out) => void env.fromSource(source).uid('numbers').keyBy((n) => n % KEYS).process(Counts).uid('counts').sink(out, { uid: 'out' }),
};

function program<Out>(Class: new () => KeyedProcessFunction<number, number, Out>, parallelism = 1): Program<Out> {
  return { parallelism, build: (env, source, out) => void env.fromSource(source).uid('numbers').keyBy((n) => n % KEYS).process(Class).uid('counts').sink(out, { uid: 'out' }) };
}

describe('a savepoint of an older program', () => {
  it.each([1, 3])('given states of a newer version with migrate, when %i instances go on from it, then they go on with what the old ones held', async (parallelism) => {
    const seen = await upgraded(withCounts, program(Objects, parallelism));
    const counts = (...all: number[]): Counted[] => all.map((count) => ({ count }));
    const expected = [0, 1, 2].map((key) => ({ key, value: { count: 6 }, list: counts(1, 2, 3, 4, 5, 6), map: [['count', { count: 3 }], ['now', { count: 6 }]], total: { count: 6 }, all: 6 }));
    expect(seen.toSorted((a, b) => a.key - b.key)).toEqual(expected);
  });

  it.each([
    ['a version without migrate', { version: 2 }, "the state 'value' of 'counts' has version 2, and in the checkpoint that the job goes on from it has version 1: it has no migrate"],
    ['a migrate that throws', { version: 2, migrate: (old: unknown): number => { throw new RangeError(`${String(old)} is no object`); } }, /migrate of the state 'value' of 'counts' failed for the key the number \d, from version 1 to 2: 3 is no object/],
  ])('given %s, when a job goes on from it, then it fails with what to do', async (_, settings, message) => {
    class Wrong extends KeyedProcessFunction<number, number, number> {
      override open(): void {
        this.ctx.state.value<number>('value', settings);
      }
      execute(): void {}
    }
    const named: Program<number> = { build: (env, source, out) => void env.fromSource(source).uid('numbers').keyBy((n) => n % KEYS).process(Wrong).uid('counts').named('counts').sink(out, { uid: 'out' }) };
    await expect(upgraded(withCounts, named)).rejects.toMatchObject({ code: 'SAGE_STATE_DECLARATION', operator: 'counts', message: typeof message === 'string' ? expect.stringContaining(message) as unknown : expect.stringMatching(message) as unknown });
  });

  it('given an older program behind a newer one, when it goes on from the savepoint of that, then it is told which version it needs', async () => {
    class Newer extends KeyedProcessFunction<number, number, number> {
      execute(): void {
        this.ctx.state.value<Counted>('value', { version: 3 }).set({ count: 1 });
      }
    }
    await expect(upgraded(program(Newer), program(Counts))).rejects.toMatchObject({ code: 'SAGE_STATE_DECLARATION', message: expect.stringContaining('has version 1, and in the checkpoint that the job goes on from it has version 3, which is newer') as unknown });
  });

  it('given a map on a keyed stream, whose state is declared at its first use, when it goes on, then it is migrated', async () => {
    const plain: Program<number> = { build: (env, source, out) => void env.fromSource(source).uid('numbers').keyBy((n) => n % KEYS).map(Sums).uid('sums').sink(out, { uid: 'out' }) };
    const objects: Program<number> = { build: (env, source, out) => void env.fromSource(source).uid('numbers').keyBy((n) => n % KEYS).map(ObjectSums).uid('sums').sink(out, { uid: 'out' }) };
    expect((await upgraded(plain, objects)).slice(-KEYS)).toEqual([0 + 3 + 6 + 9 + 12 + 15, 1 + 4 + 7 + 10 + 13 + 16, 2 + 5 + 8 + 11 + 14 + 17]);
  });

  it('given state of broadcast records, when it goes on, then it is migrated once for each instance', async () => {
    const build = (Class: typeof Limited | typeof NewLimited): Program<unknown>['build'] => (env, source, out) => {
      const limits = env.fromCollection([5]).uid('limits').broadcast();
      env.fromSource(source).uid('numbers').connect(limits).process(Class).uid('limited').sink(out, { uid: 'out' });
    };
    const seen = await upgraded({ build: build(Limited) }, { build: build(NewLimited), parallelism: 2 });
    const given = (seen as [number, unknown][]).toSorted(([a], [b]) => a - b);
    expect(given).toEqual(Array.from({ length: 9 }, (_, n) => [n + 9, { limit: 5 }]));
  });
});

class Sums extends MapFunction<number, number> {
  execute(n: number): number {
    const sum = this.ctx.state.value('sum', { default: 0 });
    return sum.update((before) => before + n);
  }
}

class ObjectSums extends MapFunction<number, number> {
  execute(n: number): number {
    const sum: ValueState<{ sum: number }> = this.ctx.state.value<{ sum: number }>('sum', { version: 2, migrate: (old) => ({ sum: old as number }) });
    return sum.update((before) => ({ sum: before!.sum + n })).sum;
  }
}

class Limited extends BroadcastProcessFunction<number, number, unknown> {
  execute(n: number): void {
    this.collect([n, this.ctx.broadcast.value<number>('limit').get()]);
  }
  executeBroadcast(limit: number): void {
    this.ctx.broadcast.value<number>('limit').set(limit);
  }
}

class NewLimited extends BroadcastProcessFunction<number, number, unknown> {
  execute(n: number): void {
    this.collect([n, this.ctx.broadcast.value<{ limit: number }>('limit', { version: 2, migrate: (old) => ({ limit: old as number }) }).get()]);
  }
  executeBroadcast(): void {}
}
