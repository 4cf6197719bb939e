// The behaviours that must hold of several inputs, by their numbers in the design, as `behaviours.test.ts` has the others.
import { describe, expect, it } from 'vitest';

import { BaseCoMapFunction, BaseJoinFunction, type DataStream, LocalEnvironment, isSageError, tumbling } from '../../ts/index.ts';
import { numbers } from './support/run-to-array.ts';

describe('14: comap routes input i to handler i', () => {
  class Three extends BaseCoMapFunction {
    map0(n: number): string {
      return `0: ${n}`;
    }
    map1(text: string): string {
      return `1: ${text}`;
    }
    map2(flag: boolean): string {
      return `2: ${flag}`;
    }
  }
  const expected = ['0: 1', '0: 2', '1: a', '2: true'];

  it('three inputs too, and callables work as well as classes', async () => {
    const env = new LocalEnvironment();
    const [ofClass, ofFunctions]: [string[], string[]] = [[], []];
    const connected = env.fromCollection([1, 2]).connect(env.fromCollection(['a']), env.fromCollection([true]));
    connected.comap(Three).sink(ofClass);
    connected.comap([(n) => `0: ${n}`, (text) => `1: ${text}`, (flag) => `2: ${flag}`]).sink(ofFunctions);
    await env.submit({ autostop: true });
    expect(ofClass.toSorted()).toEqual(expected);
    expect(ofFunctions.toSorted()).toEqual(expected);
  });

  it('a missing handler is found when the graph is built, with the line of the user', () => {
    class NoSecond extends BaseCoMapFunction {
      map0(n: number): number {
        return n;
      }
    }
    const env = new LocalEnvironment();
    const connected = env.fromCollection([1]).connect(env.fromCollection([2]));
    const before = env.pipeline.length;
    let found: unknown;
    try {
      connected.comap(NoSecond as never);
    } catch (error) {
      found = error;
    }
    expect(isSageError(found) && found.code).toBe('SAGE_PLAN_HANDLERS');
    expect(String(found)).toMatch(/NoSecond, which has no map1[^]*behaviours-several-inputs\.test\.ts:\d+/);
    expect(env.pipeline).toHaveLength(before);
  });
});

describe('15: comap keeps state per instance', () => {
  it.each([1, 3])('and uneven inputs lose nothing, at %i instances (there: 3 of 11)', async (parallelism) => {
    class Seen extends BaseCoMapFunction {
      #left = 0;
      #right = 0;
      map0(n: number): readonly unknown[] {
        return ['left', n, this.ctx.parallelIndex, ++this.#left, this.#right];
      }
      map1(text: string): readonly unknown[] {
        return ['right', text, this.ctx.parallelIndex, this.#left, ++this.#right];
      }
    }
    const env = new LocalEnvironment();
    const out: (readonly unknown[])[] = [];
    env.fromCollection(numbers(8)).connect(env.fromCollection(['a', 'b', 'c'])).comap(Seen).parallelism(parallelism).sink(out);
    await env.submit({ autostop: true });
    expect(out.map(([, record]) => record).toSorted()).toEqual([...numbers(8), 'a', 'b', 'c']);
    for (const instance of numbers(parallelism)) {
      const own = out.filter(([, , at]) => at === instance);
      const counted = own.map(([, , , left, right]) => (left as number) + (right as number));
      // Both handlers count in the same object: each record of an instance is the next one.
      expect(counted.toSorted((a, b) => a - b)).toEqual(own.map((_, n) => n + 1));
    }
  });
});

describe('16: key selectors per input', () => {
  it('bring the records of a key together, whatever field it is in', async () => {
    class Together extends BaseCoMapFunction {
      map0({ id }: { readonly id: number }): readonly unknown[] {
        return [this.ctx.key, id, this.ctx.parallelIndex];
      }
      map1({ user }: { readonly user: { readonly id: number } }): readonly unknown[] {
        return [this.ctx.key, user.id, this.ctx.parallelIndex];
      }
    }
    const env = new LocalEnvironment();
    const out: (readonly unknown[])[] = [];
    env
      .fromCollection(numbers(20).map((id) => ({ id })))
      .connect(env.fromCollection(numbers(20).map((id) => ({ user: { id } }))))
      .keyBy([(record) => record.id, 'user.id'])
      .parallelism(3)
      .comap(Together)
      .sink(out);
    await env.submit({ autostop: true });
    expect(out).toHaveLength(40);
    for (const id of numbers(20)) {
      const own = out.filter(([key]) => key === id);
      expect(own.map(([, value]) => value)).toEqual([id, id]);
      expect(new Set(own.map(([, , instance]) => instance)).size).toBe(1);
    }
  });

  it('a wrong count is rejected', () => {
    const env = new LocalEnvironment();
    const connected = env.fromCollection([{ id: 1 }]).connect(env.fromCollection([{ id: 1 }]));
    for (const selectors of [['id'], ['id', 'id', 'id'], []]) expect(() => connected.keyBy(selectors as never)).toThrow(/keyBy was given \d selectors? for 2 streams/);
  });
});

type User = { readonly id: number; readonly name: string };
type Order = { readonly id: number; readonly item: string };

/** As users write it: fields of the instance, by key, and arguments with names of their own. */
class Inner extends BaseJoinFunction<User | Order, string, number> {
  readonly #users = new Map<number, User>();
  readonly #orders = new Map<number, Order[]>();
  execute(whatever: User | Order, theKey: number, fromWhere: number): void {
    if (fromWhere === 0) {
      const user = whatever as User;
      this.#users.set(theKey, user);
      for (const order of this.#orders.get(theKey) ?? []) this.collect(`${user.name} ${order.item}`);
      return;
    }
    const order = whatever as Order;
    this.#orders.set(theKey, [...(this.#orders.get(theKey) ?? []), order]);
    const user = this.#users.get(theKey);
    if (user !== undefined) this.collect(`${user.name} ${order.item}`);
  }
}

describe('18: an inner join emits only matches', () => {
  const users: User[] = [{ id: 1, name: 'a' }, { id: 2, name: 'b' }, { id: 4, name: 'd' }];
  const orders: Order[] = [{ id: 1, item: 'x' }, { id: 3, item: 'y' }, { id: 1, item: 'z' }, { id: 2, item: 'w' }];
  const late = <T>(env: LocalEnvironment, records: readonly T[]): DataStream<T> =>
    env.fromSource(async function* () {
      for (let turn = 0; turn < 30; turn++) await new Promise(setImmediate);
      yield* records;
    });

  it.each(['late', 'early'])('left data %s (there: the name of an argument crashed the build)', async (left) => {
    const env = new LocalEnvironment();
    const out: string[] = [];
    const [first, second] = left === 'late' ? [late(env, users), env.fromCollection(orders)] : [env.fromCollection(users), late(env, orders)];
    first.keyBy('id').connect(second.keyBy('id')).join(Inner).sink(out);
    await env.submit({ autostop: true });
    expect(out.toSorted()).toEqual(['a x', 'a z', 'b w']);
  });
});

describe('19: a windowed join expires old entries', () => {
  it('records of a window that has closed find no partner any more, and of those that come late each is counted', async () => {
    const env = new LocalEnvironment();
    const out: string[] = [];
    const inTurns = (records: readonly { id: number; at: number }[]): DataStream<{ id: number; at: number }> =>
      env
        .fromSource(async function* () {
          for (const record of records) {
            for (let turn = 0; turn < 30; turn++) await new Promise(setImmediate);
            yield record;
          }
        })
        .assignTimestamps('at', { outOfOrdernessMs: 0 });
    const stream = inTurns([{ id: 1, at: 5 }, { id: 1, at: 7 }, { id: 1, at: 15 }, { id: 1, at: 8 }, { id: 1, at: 30 }]).keyBy('id');
    stream.join(stream, { window: tumbling(10) }, (left, right) => `${left.at} ${right.at}`).sink(out);
    const { operators } = await env.submit({ autostop: true });
    expect(out.toSorted()).toEqual(['15 15', '30 30', '5 5', '5 7', '7 5', '7 7']);
    expect(operators.find(({ name }) => name === 'join-window')!.recordsLate).toBe(2);
  });
});

describe('20: a multi-stage join after flat map and filter', () => {
  it.each([1, 3])('joins what these give, and joins the result again, at %i instances', async (parallelism) => {
    const env = new LocalEnvironment('stages', { parallelism });
    const out: string[] = [];
    const words = env
      .fromCollection(['to be or not to be', 'that is the question'])
      .flatMap((line) => line.split(' '))
      .filter((word) => word.length > 2)
      .map((word) => ({ id: word.length, name: word }));
    const items = env.fromCollection(numbers(10).map((id) => ({ id, item: `i${id}` })));
    const joined = words.keyBy('id').connect(items.keyBy('id')).join(AllPairs);
    joined
      .map((text) => ({ id: text.length, name: text }))
      .connect(env.fromCollection([{ id: 6, item: 'six' }, { id: 11, item: 'eleven' }]))
      .keyBy('id')
      .join(AllPairs)
      .sink(out);
    await env.submit({ autostop: true });
    expect(out.toSorted()).toEqual(['not i3 six', 'question i8 eleven', 'the i3 six'].toSorted());
  });

  /** Users and orders of a key, each with each. */
  class AllPairs extends BaseJoinFunction<User | Order, string, number> {
    readonly #seen = new Map<number, [User[], Order[]]>();
    execute(record: User | Order, id: number, side: number): void {
      const [users, orders] = this.#seen.get(id) ?? this.#seen.set(id, [[], []]).get(id)!;
      if (side === 0) {
        users.push(record as User);
        for (const order of orders) this.collect(`${(record as User).name} ${order.item}`);
      } else {
        orders.push(record as Order);
        for (const user of users) this.collect(`${user.name} ${(record as Order).item}`);
      }
    }
  }
});

describe('21: a join with an empty side terminates (there: hung)', () => {
  const one = [{ id: 1, name: 'a', item: 'x', at: 1 }];
  type One = (typeof one)[number];
  const timed = (stream: DataStream<One>): DataStream<One> => stream.assignTimestamps('at', { outOfOrdernessMs: 0 });

  it.each([
    ['the left side', [], one],
    ['the right side', one, []],
    ['both sides', [], []],
  ])('%s', async (_, left, right) => {
    const env = new LocalEnvironment();
    const [byClass, byWindow, byInterval]: [string[], string[], string[]] = [[], [], []];
    const connected = timed(env.fromCollection<One>(left)).connect(timed(env.fromCollection<One>(right))).keyBy('id');
    connected.join(Inner).sink(byClass);
    connected.join({ window: tumbling('1s'), type: 'full' }, (a, b) => `${a?.name} ${b?.item}`).sink(byWindow);
    connected.join({ within: '1s', type: 'full' }, (a, b) => `${a?.name} ${b?.item}`).sink(byInterval);
    await env.submit({ autostop: true });
    expect(byClass).toEqual([]);
    const alone = [...left.map(() => 'a undefined'), ...right.map(() => 'undefined x')];
    expect(byWindow).toEqual(alone);
    expect(byInterval).toEqual(alone);
  });

  it('and so does one of two collections', async () => {
    const env = new LocalEnvironment();
    const out: string[] = [];
    env.fromCollection<One>(one).connect(env.fromCollection<One>(one)).keyBy('id').join(Inner).sink(out);
    await env.submit({ autostop: true });
    expect(out).toEqual(['a x']);
  });
});
