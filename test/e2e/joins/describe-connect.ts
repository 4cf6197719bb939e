import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

import { BaseCoMapFunction, BaseJoinFunction, type DataStream, LocalEnvironment, MapFunction, isSageError } from '../../../ts/index.ts';
import { PROPERTY_RUNS } from '../../property-runs.ts';
import { numbers } from '../support/run-to-array.ts';

vi.setConfig({ testTimeout: Math.max(120_000, 300 * PROPERTY_RUNS) });

/** The error of a call that has to fail while the pipeline is built. */
function planErrorOf(build: (env: LocalEnvironment) => unknown): { readonly code: string; readonly message: string } {
  const env = new LocalEnvironment();
  try {
    build(env);
  } catch (error) {
    if (isSageError(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

class Three extends BaseCoMapFunction {
  map0(n: number): string {
    return `number ${n}`;
  }
  map1(text: string): string {
    return `text ${text}`;
  }
  async map2(flag: boolean): Promise<string | undefined> {
    await Promise.resolve();
    return flag ? `flag ${flag}` : undefined;
  }
}

/** What connected streams do, for generated code and for the linked form. */
export function describeConnect(form: string): void {
  describe(form, () => {
    describe('comap', () => {
      it.each([1, 2, 4])('gives the records of each stream to its own handler, at %i instances', async (parallelism) => {
        const env = new LocalEnvironment();
        const out: string[] = [];
        const comapped = env
          .fromCollection(numbers(20))
          .connect(env.fromCollection(['a', 'b', 'c']), env.fromCollection([true, false]))
          .comap(Three)
          .parallelism(parallelism);
        comapped.sink(out);
        const { operators } = await env.submit({ autostop: true });
        expect(out.toSorted()).toEqual([...numbers(20).map((n) => `number ${n}`), 'text a', 'text b', 'text c', 'flag true'].toSorted());
        expect(operators.find(({ name }) => name === 'comap')).toMatchObject({ recordsIn: 25, recordsOut: 24, recordsDropped: 1 });
      });

      it('takes functions, one for each stream, and keeps the order of each', async () => {
        const env = new LocalEnvironment();
        const out: number[] = [];
        env.fromCollection(numbers(50)).connect(env.fromCollection(numbers(30))).comap([(n) => n, (n) => -1 - n]).sink(out);
        await env.submit({ autostop: true });
        expect(out.filter((n) => n >= 0)).toEqual(numbers(50));
        expect(out.filter((n) => n < 0)).toEqual(numbers(30).map((n) => -1 - n));
      });

      it('may be given the same stream twice, also over an exchange', async () => {
        const env = new LocalEnvironment();
        const out: string[] = [];
        const stream = env.fromCollection(numbers(9)).map((n) => n);
        stream.connect(stream).comap([(n) => `first ${n}`, (n) => `second ${n}`]).parallelism(3).sink(out);
        await env.submit({ autostop: true });
        expect(out.toSorted()).toEqual(numbers(9).flatMap((n) => [`first ${n}`, `second ${n}`]).toSorted());
      });

      it('gives a class the key, the side outputs and the error policy of any operator', async () => {
        class Checked extends BaseCoMapFunction {
          map0(n: number): string {
            if (n === 3) throw new Error('three');
            this.output('seen', n);
            this.ctx.metrics.counter('calls').inc();
            return `${String(this.ctx.key)} ${n}`;
          }
          map1(text: string): string {
            this.ctx.metrics.counter('calls').inc();
            return `${String(this.ctx.key)} ${text}`;
          }
        }
        const env = new LocalEnvironment();
        const [out, seen, letters]: [string[], number[], unknown[]] = [[], [], []];
        const comapped = env
          .fromCollection(numbers(5))
          .connect(env.fromCollection(['a', 'bb']))
          .keyBy([(n) => n % 2, (text) => text.length])
          .comap(Checked)
          .onError('deadLetter');
        comapped.sink(out);
        comapped.sideOutput<number>('seen').sink(seen);
        comapped.deadLetters<number>().map(({ record, key }) => `${record} of ${String(key)}`).sink(letters);
        const { operators } = await env.submit({ autostop: true });
        expect(out.toSorted()).toEqual(['0 0', '0 2', '0 4', '1 1', '1 a', '2 bb']);
        expect(seen.toSorted()).toEqual([0, 1, 2, 4]);
        expect(letters).toEqual(['3 of 1']);
        expect(operators.find(({ name }) => name === 'comap')!.metrics).toMatchObject({ counters: { calls: 6 } });
      });

      it('brings equal keys of all streams to the same instance, and its results carry no key', async () => {
        class Counts extends BaseCoMapFunction {
          readonly #seen = new Map<unknown, [number, number]>();
          map0(key: string): string {
            return this.#count(key, 0);
          }
          map1({ id }: { readonly id: string }): string {
            return this.#count(id, 1);
          }
          #count(key: string, input: 0 | 1): string {
            const counts = this.#seen.get(key) ?? [0, 0];
            this.#seen.set(key, counts);
            counts[input]++;
            expect(this.ctx.key).toBe(key);
            return `${key} ${counts.join('+')}`;
          }
        }
        class Key extends MapFunction<string, unknown> {
          execute(text: string): unknown {
            return text.endsWith('3+2') ? [text, this.ctx.key] : undefined;
          }
        }
        const env = new LocalEnvironment();
        const keys = numbers(10).map(String);
        const out: unknown[] = [];
        env
          .fromCollection([...keys, ...keys, ...keys])
          .connect(env.fromCollection([...keys, ...keys].map((id) => ({ id }))))
          .keyBy([(key) => key, 'id'])
          .parallelism(4)
          .comap(Counts)
          .map(Key)
          .sink(out);
        await env.submit({ autostop: true });
        expect(out.length).toBe(10);
        for (const [, key] of out as [string, unknown][]) expect(key).toBeUndefined();
      });

      it('is told apart from what it cannot be when the pipeline is built', () => {
        class Two extends BaseCoMapFunction {
          map0 = (n: number): number => n;
          map1(n: number): number {
            return n;
          }
        }
        const pair = (env: LocalEnvironment) => env.fromCollection([1]).connect(env.fromCollection([2])); // eslint-disable-line typescript/explicit-function-return-type
        expect(planErrorOf((env) => pair(env).comap(Three as never))).toMatchObject({ code: 'SAGE_PLAN_HANDLERS', message: expect.stringContaining('map2') });
        expect(planErrorOf((env) => env.fromCollection([1]).connect(env.fromCollection([2]), env.fromCollection([3])).comap(Two as never))).toMatchObject({ code: 'SAGE_PLAN_HANDLERS', message: expect.stringContaining('no map2') });
        expect(planErrorOf((env) => pair(env).comap([(n: number) => n] as never))).toMatchObject({ code: 'SAGE_PLAN_HANDLERS' });
        expect(planErrorOf((env) => pair(env).comap([(n: number) => n, 5] as never))).toMatchObject({ code: 'SAGE_PLAN_FUNCTION' });
        expect(planErrorOf((env) => pair(env).comap(((n: number) => n) as never))).toMatchObject({ code: 'SAGE_PLAN_FUNCTION' });
        expect(planErrorOf((env) => pair(env).comap(MapFunction as never))).toMatchObject({ code: 'SAGE_PLAN_FUNCTION' });
        expect(planErrorOf((env) => pair(env).keyBy([(n: number) => n] as never))).toMatchObject({ code: 'SAGE_PLAN_HANDLERS' });
        expect(planErrorOf((env) => env.fromCollection([1]).connect(...([] as never)))).toMatchObject({ code: 'SAGE_PLAN_ARGUMENT' });
        expect(planErrorOf((env) => env.fromCollection([1]).connect(new LocalEnvironment().fromCollection([1])))).toMatchObject({ code: 'SAGE_PLAN_FOREIGN_STREAM' });
        expect(() => pair(new LocalEnvironment()).comap(Two)).not.toThrow();
      });
    });

    describe('connected streams', () => {
      it('have map and sink over all of them', async () => {
        const env = new LocalEnvironment();
        const [mapped, all]: [string[], (number | string)[]] = [[], []];
        const connected = env.fromCollection([1, 2]).connect(env.fromCollection(['a']));
        connected.map((record) => typeof record).sink(mapped);
        connected.sink(all);
        await env.submit({ autostop: true });
        expect(mapped.toSorted()).toEqual(['number', 'number', 'string']);
        expect(all).toHaveLength(3);
      });
    });

    describe('a join class', () => {
      type Payload = { readonly id: number; readonly name: string } | { readonly user: number; readonly item: string };

      /** Left join: what has found no partner is given at the end. */
      class Left extends BaseJoinFunction<Payload, string, number> {
        readonly #names = new Map<number, string[]>();
        readonly #items = new Map<number, string[]>();
        execute(payload: Payload, user: number, side: number): void {
          const [own, others] = side === 0 ? [this.#names, this.#items] : [this.#items, this.#names];
          const text = 'name' in payload ? payload.name : payload.item;
          own.set(user, [...(own.get(user) ?? []), text]);
          for (const other of others.get(user) ?? []) this.collect(side === 0 ? `${text} ${other}` : `${other} ${text}`);
        }
        override finish(): void {
          for (const [user, names] of this.#names) if (!this.#items.has(user)) for (const name of names) this.collect(`${name} nothing`);
        }
      }

      it.each([1, 3])('is given payload, key and number of the stream, and may give more when all streams have ended, at %i instances', async (parallelism) => {
        const env = new LocalEnvironment();
        const users = numbers(20).map((id) => ({ id, name: `u${id}` }));
        const orders = numbers(30).map((n) => ({ user: n % 10, item: `i${n}` }));
        const out: string[] = [];
        env.fromCollection(users).connect(env.fromCollection(orders)).keyBy(['id', 'user']).parallelism(parallelism).join(Left).sink(out);
        const { operators } = await env.submit({ autostop: true });
        const expected = users.flatMap(({ id, name }) => {
          const own = orders.filter(({ user }) => user === id);
          return own.length === 0 ? [`${name} nothing`] : own.map(({ item }) => `${name} ${item}`);
        });
        expect(out.toSorted()).toEqual(expected.toSorted());
        expect(operators.find(({ name }) => name === 'join')).toMatchObject({ recordsIn: 50, recordsOut: expected.length });
      });

      it('is refused without keys, or with keys whose records are not together', () => {
        const users = (env: LocalEnvironment) => env.fromCollection([{ id: 1, name: 'a' }]); // eslint-disable-line typescript/explicit-function-return-type
        const orders = (env: LocalEnvironment) => env.fromCollection([{ user: 1, item: 'a' }]); // eslint-disable-line typescript/explicit-function-return-type
        expect(planErrorOf((env) => users(env).connect(orders(env)).join(Left as never))).toMatchObject({ code: 'SAGE_PLAN_NOT_KEYED' });
        expect(planErrorOf((env) => users(env).keyBy('id').connect(orders(env).keyBy('user', { strategy: 'broadcast' })).join(Left))).toMatchObject({ code: 'SAGE_PLAN_KEY_STRATEGY' });
        expect(planErrorOf((env) => users(env).keyBy('id').connect(orders(env).keyBy('user')).join((() => 1) as never))).toMatchObject({ code: 'SAGE_PLAN_FUNCTION' });
      });
    });

    describe('any two comaps, one behind the other', () => {
      const parallelism = fc.constantFrom(undefined, 1, 2, 3);
      const shape = fc.record({
        first: fc.constantFrom('collection', 'generator', 'async'),
        second: fc.constantFrom('collection', 'generator', 'same as the first'),
        before: fc.constantFrom('nothing', 'flatMap', 'promises'),
        keyed: fc.boolean(),
        form: fc.constantFrom('functions', 'class', 'promises'),
        counts: fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 40 })),
        parallelisms: fc.tuple(parallelism, parallelism, parallelism),
      });

      class Sums extends BaseCoMapFunction {
        map0(n: number): number {
          return n + 1000;
        }
        map1(n: number): number | undefined {
          return n % 5 === 0 ? undefined : n + 2000;
        }
      }

      it('give each record once, wherever their inputs come from', () =>
        fc.assert(
          fc.asyncProperty(shape, async ({ first, second, before, keyed, form, counts, parallelisms }) => {
            const env = new LocalEnvironment('comaps');
            const at = <S extends DataStream<number>>(stream: S, n: 0 | 1 | 2): S => (parallelisms[n] === undefined ? stream : stream.parallelism(parallelisms[n]));
            const source = (kind: string, count: number): DataStream<number> => {
              if (kind === 'collection') return env.fromCollection(numbers(count));
              if (kind === 'generator') return env.fromSource(function* () { yield* numbers(count); });
              return env.fromSource(async function* () { yield* numbers(count); });
            };
            const left = source(first, counts[0]);
            const right = second === 'same as the first' ? left : source(second, counts[1]);
            const changed = before === 'nothing' ? right : before === 'flatMap' ? at(right.flatMap((n) => [n, n + 100]), 0) : at(right.map((n) => (n % 2 === 0 ? Promise.resolve(n) : n)), 0);
            const connected = keyed ? left.connect(changed).keyBy((n) => n % 7) : left.connect(changed);
            const sums =
              form === 'class'
                ? connected.comap(Sums)
                : connected.comap([(n) => (form === 'promises' ? Promise.resolve(n + 1000) : n + 1000), (n) => (n % 5 === 0 ? undefined : n + 2000)]);
            const out: number[] = [];
            // The first comap's results come in again beside a stream that it took.
            at(at(sums, 1).connect(left).comap([(n) => n, (n) => -n]), 2).sink(out);
            const { operators } = await env.submit({ autostop: true });

            const lefts = numbers(counts[0]);
            const rights = (second === 'same as the first' ? lefts : numbers(counts[1])).flatMap((n) => (before === 'flatMap' ? [n, n + 100] : [n]));
            const results = [...lefts.map((n) => n + 1000), ...rights.filter((n) => n % 5 !== 0).map((n) => n + 2000)];
            const byNumber = (list: readonly number[]): number[] => list.map((n) => n + 0).toSorted((a, b) => a - b);
            expect(byNumber(out)).toEqual(byNumber([...results, ...lefts.map((n) => -n)]));
            expect(operators.find(({ name }) => name === 'comap')).toMatchObject({
              recordsIn: lefts.length + rights.length,
              recordsOut: results.length,
              recordsDropped: rights.filter((n) => n % 5 === 0).length,
            });
          }),
          { numRuns: PROPERTY_RUNS, endOnFailure: false },
        ));
    });
  });
}
