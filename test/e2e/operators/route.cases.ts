import { describe, expect, it } from 'vitest';

import { LocalEnvironment, MapFunction, count } from '../../../ts/index.ts';
import { numbers, recordsOf, runToArray } from '../support/run-to-array.ts';

const parity = (n: number): 'even' | 'odd' => (n % 2 === 0 ? 'even' : 'odd');

function fail(n: number): never {
  throw new RangeError(`no name for ${n}`);
}

export function describeRoute(label: string): void {
  describe(`split and route, ${label}`, () => {
    it.each([
      ['at once', parity],
      ['later', async (n: number) => parity(n)],
      ['now and then later', (n: number) => (n % 3 === 0 ? Promise.resolve(parity(n)) : parity(n))],
      ['as a list', (n: number) => [parity(n)]],
      ['as a list later', async (n: number) => [parity(n), parity(n)]],
    ] as const)('split: the name comes %s', async (_, fn) => {
      const env = new LocalEnvironment();
      const [evens, odds]: number[][] = [[], []];
      const { even, odd } = env.fromCollection(numbers(50)).split(fn as (n: number) => 'even' | 'odd', ['even', 'odd']);
      even.sink(evens!);
      odd.map((n) => -n).sink(odds!);
      const result = await env.submit({ autostop: true });
      expect(evens).toEqual(numbers(50).filter((n) => n % 2 === 0));
      expect(odds).toEqual(numbers(50).filter((n) => n % 2 === 1).map((n) => -n));
      expect(result.operators.find(({ name }) => name === 'split')).toMatchObject({ recordsIn: 50, recordsOut: 50, recordsDropped: 0 });
      expect(result.operators.find(({ name }) => name === 'even')).toMatchObject({ recordsIn: 25, recordsOut: 25 });
    });

    it('a record may go to several names, to none, and to a name that nobody takes: all is counted', async () => {
      const env = new LocalEnvironment();
      const [twos, threes]: number[][] = [[], []];
      const streams = env.fromCollection(numbers(60)).split((n) => ([2, 3, 5] as const).filter((d) => n % d === 0).map((d) => `by${d}` as const), ['by2', 'by3', 'by5']);
      streams.by2.sink(twos!);
      streams.by3.sink(threes!);
      const result = await env.submit({ autostop: true });
      expect([twos, threes]).toEqual([numbers(60).filter((n) => n % 2 === 0), numbers(60).filter((n) => n % 3 === 0)]);
      const nowhere = numbers(60).filter((n) => n % 2 !== 0 && n % 3 !== 0).length;
      expect(result.operators.find(({ name }) => name === 'split')).toMatchObject({ recordsIn: 60, recordsOut: 60 - nowhere, recordsDropped: nowhere });
      expect(result.recordsDropped).toBe(nowhere);
    });

    it('branches are merged; default takes the rest', async () => {
      const records = await recordsOf((env) =>
        env.fromCollection(numbers(30)).route((n) => `by${n % 3}`, {
          by0: (stream) => stream.map((n) => `zero ${n}`),
          by1: (stream) => stream.filter((n) => n % 2 === 0).map((n) => `one ${n}`),
          default: (stream) => stream.map((n) => `other ${n}`),
        }),
      );
      const expected = numbers(30).flatMap((n) => (n % 3 === 0 ? [`zero ${n}`] : n % 3 === 2 ? [`other ${n}`] : n % 2 === 0 ? [`one ${n}`] : []));
      expect(records).toEqual(expected);
    });

    it.each([['sync', (n: number) => (n === 7 ? 'elsewhere' : 'here')], ['async', async (n: number) => (n === 7 ? 'elsewhere' : 'here')]] as const)(
      'a name without a branch is an error of its record: %s',
      async (_, router) => {
        const failed = recordsOf((env) => env.fromCollection(numbers(10)).route(router, { here: (stream) => stream }));
        await expect(failed).rejects.toMatchObject({ code: 'SAGE_ROUTE_UNKNOWN', operator: 'route', record: 7, message: expect.stringContaining("'elsewhere'") as string });
        const split = new LocalEnvironment();
        split.fromCollection(numbers(10)).split(router as (n: number) => 'here', ['here']).here.sink([]);
        await expect(split.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_ROUTE_UNKNOWN', operator: 'split', record: 7 });
      },
    );

    it('what is said behind route(...) with branches is said of the router: its name, its policy, its dead letters', async () => {
      const env = new LocalEnvironment();
      const [here, lost]: [number[], unknown[]] = [[], []];
      const routed = env
        .fromCollection(numbers(10))
        .route((n) => (n === 7 ? 'elsewhere' : 'here'), { here: (stream) => stream.map((n) => -n) })
        .named('router')
        .onError('deadLetter');
      routed.sink(here);
      routed.deadLetters().sink(({ record, operator, error }) => lost.push([record, operator, error.code]));
      const result = await env.submit({ autostop: true });
      expect(here).toEqual(numbers(10).filter((n) => n !== 7).map((n) => -n));
      expect(lost).toEqual([[7, 'router', 'SAGE_ROUTE_UNKNOWN']]);
      expect(result.operators.find(({ name }) => name === 'router')).toMatchObject({ recordsIn: 10, recordsOut: 9, deadLetters: 1 });
    });

    it.each(['split', 'to'] as const)('a policy behind a branch of %s is that of the function that divides, and so are its dead letters', async (call) => {
      const env = new LocalEnvironment();
      const [evens, lost]: [number[], unknown[]] = [[], []];
      const input = env.fromCollection(numbers(10));
      const divide = (n: number): 'even' | 'odd' => (n === 7 ? fail(n) : parity(n));
      const even = call === 'split' ? input.split(divide, ['even', 'odd']).even : input.route(divide).to('even');
      even.onError('deadLetter').sink(evens);
      even.deadLetters<number>().sink(({ record, error }) => lost.push([record, error.message]));
      const result = await env.submit({ autostop: true });
      expect([evens, lost]).toEqual([numbers(10).filter((n) => n % 2 === 0), [[7, 'no name for 7']]]);
      expect(result.operators.find(({ name }) => name === (call === 'split' ? 'split' : 'route'))).toMatchObject({ recordsIn: 10, deadLetters: 1 });
    });

    it.each([[5], [null], [undefined], [{}], [['here', 5]]])('what is no name is an error of its record: %s', async (result) => {
      const failed = recordsOf((env) => env.fromCollection([1]).route(() => result as unknown as string));
      await expect(failed).rejects.toMatchObject({ code: 'SAGE_USER_WRONG_TYPE', operator: 'route', record: 1 });
      const skipped = await runToArray((env) => env.fromCollection([1]).route(() => result as unknown as string).onError('skip'));
      expect([skipped.records, skipped.result.recordsSkipped]).toEqual([[], 1]);
    });

    it('route(router): `to` picks as often as it is called, chaining on has every record', async () => {
      const env = new LocalEnvironment();
      const log: string[] = [];
      const routed = env.fromCollection(numbers(6)).route((n) => (n % 3 === 0 ? ['a', 'b'] : n % 3 === 1 ? 'a' : 'nobody'));
      routed.to('a').map(async (n) => n).sink((n) => log.push(`a${n}`));
      routed.to('b').sink((n) => log.push(`b${n}`));
      routed.to('a').sink((n) => log.push(`A${n}`));
      routed.sink((n) => log.push(`${n}`));
      const result = await env.submit({ autostop: true });
      expect(log).toEqual(numbers(6).flatMap((n) => [['a', 'A', 'b', ''], ['a', 'A', ''], ['']][n % 3]!.map((name) => `${name}${n}`)));
      expect(result.recordsDropped).toBe(0);
    });

    it('names that are properties of every object, and any text at all', async () => {
      const names = ['__proto__', 'constructor', '', ' ', "'", '"', '\\', '\u2028', '${x}', 'default'];
      const env = new LocalEnvironment();
      const arrived: [string, string][] = [];
      const routed = env.fromCollection(names).route((name) => name);
      for (const name of names.filter((one) => one.trim() !== '')) routed.to(name).sink((record) => arrived.push([name, record]));
      await env.submit({ autostop: true });
      expect(arrived).toEqual(names.filter((one) => one.trim() !== '').map((name) => [name, name]));
    });

    it('the key stays in the branches', async () => {
      class KeyOf extends MapFunction<number, string> {
        execute(n: number): string {
          return `${n} of ${String(this.ctx.key)}`;
        }
      }
      const env = new LocalEnvironment();
      const keys: string[] = [];
      const counts: unknown[] = [];
      const { low, high } = env.fromCollection(numbers(10)).keyBy((n) => n % 3).split((n) => (n < 5 ? 'low' : 'high'), ['low', 'high']);
      low.map(KeyOf).sink(keys);
      high.aggregate({ n: count() }).sink((result) => counts.push(result));
      await env.submit({ autostop: true });
      expect(keys).toEqual(numbers(5).map((n) => `${n} of ${n % 3}`));
      expect(counts).toEqual([{ key: 2, n: 2 }, { key: 0, n: 2 }, { key: 1, n: 1 }]);
      const routed = await recordsOf((env) => env.fromCollection(numbers(10)).keyBy((n) => n % 2).route(parity).to('odd').aggregate({ n: count() }));
      expect(routed).toEqual([{ key: 1, n: 5 }]);
    });

    it('what branches are merged to has no key, also when only one of them gives a stream', async () => {
      const [limited, summed, aside]: number[][] = [[], [], []];
      const env = new LocalEnvironment();
      const merged = env
        .fromCollection(numbers(9))
        .keyBy((n) => n % 3)
        .route((n) => (n > 6 ? 'large' : 'small'), {
          small: (stream) => stream.map((n) => n * 10),
          default: (stream) => void stream.sink(aside!),
        });
      merged.limit(2).sink(limited!);
      merged.reduce((a, b) => a + b).sink(summed!);
      await env.submit({ autostop: true });
      expect([limited, summed, aside]).toEqual([[0, 10], [210], [7, 8]]);
    });
  });
}
