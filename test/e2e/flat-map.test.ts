import { describe, expect, it } from 'vitest';

import { FlatMapFunction, LocalEnvironment, collectList, count, sum } from '../../ts/index.ts';
import { numbers, recordsOf, runToArray } from './support/run-to-array.ts';

describe('flatMap', () => {
  it('flattens arrays, sets, maps, typed arrays and generators; nothing is no record', async () => {
    const returned = [[1, [2]], new Set([3]), new Map([[4, 5]]), new Uint8Array([6, 7]), undefined, null, [], [undefined, null]];
    const records = await recordsOf<unknown>((env) => env.fromCollection(returned).flatMap((x) => x as Iterable<unknown>));
    expect(records).toEqual([1, [2], 3, [4, 5], 6, 7, undefined, null]);
  });

  it('does not take strings apart', async () => {
    expect(await recordsOf((env) => env.fromCollection(['ab', '', 'ÿ']).flatMap((text) => text))).toEqual(['ab', '', 'ÿ']);
  });

  it('by collector, by return value and by both: what was collected comes first', async () => {
    class Both extends FlatMapFunction<number, string> {
      execute(n: number): string[] | undefined {
        if (n % 3 !== 0) this.collect(`collected ${n}`);
        return n % 3 === 1 ? undefined : [`returned ${n}`, `again ${n}`];
      }
    }
    const { records, result } = await runToArray((env) => env.fromCollection(numbers(9)).flatMap(Both).named('both'));
    const expected = numbers(9).flatMap((n) => [
      ...(n % 3 === 0 ? [] : [`collected ${n}`]),
      ...(n % 3 === 1 ? [] : [`returned ${n}`, `again ${n}`]),
    ]);
    expect(records).toEqual(expected);
    expect(result.operators.find(({ name }) => name === 'both')).toMatchObject({ recordsIn: 9, recordsOut: expected.length });
  });

  it('collects the falsy values and returns a string', async () => {
    class Falsy extends FlatMapFunction<number, unknown> {
      execute(): string {
        for (const value of [0, '', false, null, Number.NaN, undefined]) this.collect(value);
        return 'end';
      }
    }
    expect(await recordsOf((env) => env.fromCollection([1]).flatMap(Falsy))).toEqual([0, '', false, null, Number.NaN, undefined, 'end']);
  });

  it('takes generators and asynchronous generators, also as execute() of a class', async () => {
    class Down extends FlatMapFunction<number, number> {
      *execute(n: number): Generator<number> {
        this.collect(-n);
        for (let i = n; i > 0; i--) yield i;
      }
    }
    class Up extends FlatMapFunction<number, number> {
      async *execute(n: number): AsyncGenerator<number> {
        await Promise.resolve();
        for (let i = 1; i <= n; i++) yield i;
      }
    }
    expect(await recordsOf((env) => env.fromCollection([2, 0, 1]).flatMap(Down))).toEqual([-2, 2, 1, -0, -1, 1]);
    expect(await recordsOf((env) => env.fromCollection([2, 0, 3]).flatMap(Up))).toEqual([1, 2, 1, 2, 3]);
    expect(
      await recordsOf((env) =>
        env.fromCollection([1, 2]).flatMap(async function* (n: number) {
          yield n;
          yield* [n * 10];
        }),
      ),
    ).toEqual([1, 10, 2, 20]);
  });

  it('an iterable inside a promise is flattened, a string inside one is not', async () => {
    const records = await recordsOf((env) =>
      env.fromCollection([1, 2, 3]).flatMap(async (n) => (n === 2 ? 'two' : new Set([n, n * 10]))),
    );
    expect(records).toEqual([1, 10, 'two', 3, 30]);
  });

  it('nested: each item goes all the way down before the next is made', async () => {
    const log: string[] = [];
    const env = new LocalEnvironment();
    env
      .fromCollection([1, 2])
      .flatMap(function* (n: number) {
        for (const letter of ['a', 'b']) {
          log.push(`make ${n}${letter}`);
          yield `${n}${letter}`;
        }
      })
      .flatMap((text) => [text, `${text}'`])
      .sink((text) => log.push(text));
    await env.submit({ autostop: true });
    expect(log).toEqual(['1a', '1b', '2a', '2b'].flatMap((text) => [`make ${text}`, text, `${text}'`]));
  });

  it('lists and other iterables, mixed, reach a global aggregate and a global reduce', async () => {
    const make = (n: number): Iterable<number> => (n % 2 === 0 ? [n, n] : n % 3 === 0 ? new Set([n]) : numbers(n % 5).values());
    const flat = numbers(500).flatMap((n) => [...make(n)]);
    const total = flat.reduce((a, b) => a + b, 0);
    const env = new LocalEnvironment();
    const [aggregated, reduced]: unknown[][] = [[], []];
    const items = env.fromCollection(numbers(500)).flatMap(make);
    items.aggregate({ n: count(), total: sum((n: number) => n), list: collectList() }).sink(aggregated!);
    items.reduce((a, b) => a + b).sink(reduced!);
    await env.submit({ autostop: true });
    expect(aggregated).toEqual([{ n: flat.length, total, list: flat }]);
    expect(reduced).toEqual([total]);
  });

  it('an endless generator ends when its consumer leaves, and is told so', async () => {
    let made = 0;
    let left = 0;
    const env = new LocalEnvironment();
    const stream = env.fromCollection([0]).flatMap(function* () {
      try {
        for (;;) yield made++;
      } finally {
        left++;
      }
    });
    const taken: number[] = [];
    for await (const n of stream.collect()) {
      taken.push(n);
      if (taken.length === 5000) break;
    }
    expect(taken).toEqual(numbers(5000));
    expect(made).toBeLessThan(5000 + 10_000);
    expect(left).toBe(1);
  });

  it('an endless asynchronous generator ends when the job is cancelled', async () => {
    const env = new LocalEnvironment();
    let left = 0;
    const some = Promise.withResolvers<void>();
    env
      .fromCollection([0])
      .flatMap(async function* () {
        try {
          for (let n = 0; ; n++) yield n;
        } finally {
          left++;
        }
      })
      .sink((n) => {
        if (n === 1000) some.resolve();
      });
    const job = await env.submit();
    await some.promise;
    await job.cancel();
    expect(job.status).toBe('canceled');
    expect(left).toBe(1);
  });

  it('neither timers nor pause wait for the end of a long generator', async () => {
    const env = new LocalEnvironment();
    let arrived = 0;
    let latestMs = 0;
    env
      .fromCollection([0])
      .flatMap(function* () {
        for (let n = 0; ; n++) yield n;
      })
      .sink(() => {
        arrived++;
      });
    let lastMs = performance.now();
    const timer = setInterval(() => {
      latestMs = Math.max(latestMs, performance.now() - lastMs);
      lastMs = performance.now();
    }, 1);
    const job = await env.submit();
    await expect.poll(() => arrived, { interval: 1 }).toBeGreaterThan(10_000);
    await job.pause();
    await expect.poll(() => { const before = arrived; return new Promise((resolve) => setTimeout(() => resolve(arrived - before), 20)); }).toBe(0);
    const paused = arrived;
    await job.resume();
    await expect.poll(() => arrived, { interval: 1 }).toBeGreaterThan(paused);
    await job.cancel();
    clearInterval(timer);
    expect(latestMs).toBeLessThan(200); // 20 on a machine of our own; this one may be shared
  });

  it.each([[5], [{}], [true], [Symbol('s')]])('a result that is no iterable (%s) is an error that names operator and record', async (wrong) => {
    const env = new LocalEnvironment();
    env.fromCollection([41, 42]).flatMap((n) => (n === 42 ? (wrong as unknown as number[]) : [n])).named('wrong').sink([]);
    await expect(env.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_USER_WRONG_TYPE', operator: 'wrong', record: 42 });
  });

  it('collecting outside execute() is an error, not a loss', async () => {
    class Late extends FlatMapFunction<number, number> {
      execute(n: number): number[] {
        return [n];
      }
      override close(): void {
        this.collect(99);
      }
    }
    const env = new LocalEnvironment();
    env.fromCollection([1]).flatMap(Late).named('late').sink([]);
    await expect(env.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_ENV_CONTEXT', operator: 'late' });
  });

  it('collecting when the operator has ended is an error where it is done, not a loss', async () => {
    const ended = Promise.withResolvers<void>();
    const told: Promise<unknown>[] = [];
    class Forgets extends FlatMapFunction<number, number> {
      execute(n: number): void {
        this.collect(n);
        // Nobody waits for this promise.
        told.push(ended.promise.then(() => this.collect(99)).catch((error: unknown) => error));
        told.push(ended.promise.then(() => this.output('side', 99)).catch((error: unknown) => error));
      }
    }
    const env = new LocalEnvironment();
    const records: number[] = [];
    env.fromCollection([1, 2]).flatMap(Forgets).named('forgets').sink(records);
    await env.submit({ autostop: true });
    ended.resolve();
    for (const error of await Promise.all(told)) expect(error).toMatchObject({ code: 'SAGE_ENV_CONTEXT', message: expect.stringContaining('outside execute()') as string });
    expect([records, told.length]).toEqual([[1, 2], 4]);
  });

  it('what was collected before a function threw goes with the error', async () => {
    class Fails extends FlatMapFunction<number, number> {
      execute(n: number): void {
        this.collect(n);
        if (n === 3) throw new RangeError('three');
      }
    }
    const env = new LocalEnvironment();
    const records: number[] = [];
    env.fromCollection(numbers(10)).flatMap(Fails).named('fails').sink(records);
    await expect(env.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_USER_THREW', operator: 'fails', record: 3 });
    expect(records).toEqual([0, 1, 2]);
  });
});
