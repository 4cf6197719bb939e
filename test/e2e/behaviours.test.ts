// The behaviours that must hold of this scope, by their numbers in the design; what the Python original did wrong stands behind each.
// Pipelines of a test body keep their parallel instances in the main isolate; `parallel.test.ts` has the same in worker threads.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import {
  type End,
  END,
  FilterFunction,
  FlatMapFunction,
  LocalEnvironment,
  MapFunction,
  SinkFunction,
  SourceFunction,
  count,
  isSageError,
} from '../../ts/index.ts';
import { numbers, recordsOf } from './support/run-to-array.ts';

/** Where a record was worked on. */
class Place extends MapFunction<number, { readonly n: number; readonly instance: number; readonly of: number; readonly key: unknown }> {
  execute(n: number): { n: number; instance: number; of: number; key: unknown } {
    return { n, instance: this.ctx.parallelIndex, of: this.ctx.parallelism, key: this.ctx.key };
  }
}

describe('1: operators are built lazily', () => {
  it('no function is called and no source is read before submit', async () => {
    const calls: string[] = [];
    const env = new LocalEnvironment();
    env
      .fromSource(function* () {
        calls.push('read');
        yield 1;
      })
      .map((n) => {
        calls.push('map');
        return n;
      })
      .sink(() => void calls.push('sink'));
    await nextTurn();
    expect(calls).toEqual([]);
    await env.submit({ autostop: true });
    expect(calls).toEqual(['read', 'map', 'sink']);
  });
});

describe('2: the order of the chain is that of env.pipeline', () => {
  it('and equal names are made unique', () => {
    const env = new LocalEnvironment();
    env.fromCollection([1]).map((n) => n).filter(() => true).map((n) => n).named('map').sink([]);
    expect(env.pipeline.map(({ kind }) => kind)).toEqual(['source', 'map', 'filter', 'map', 'sink']);
    const names = env.pipeline.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(env.pipeline.map(({ inputs }) => inputs.map(({ id }) => id))).toEqual([[], [0], [1], [2], [3]]);
  });
});

describe('3: parallelism', () => {
  it.each([undefined, 1, 2, 5])('%s gives exactly so many instances, 1 by default, with indices from 0', async (parallelism) => {
    const instances = new Set<number>();
    class Opened extends MapFunction<number, number> {
      override open(): void {
        instances.add(this.ctx.parallelIndex);
        expect(this.ctx.parallelism).toBe(parallelism ?? 1);
      }
      execute(n: number): number {
        return n;
      }
    }
    await recordsOf((env) => {
      const mapped = env.fromCollection(numbers(10)).map(Opened);
      return parallelism === undefined ? mapped : mapped.parallelism(parallelism);
    });
    expect([...instances].toSorted()).toEqual(numbers(parallelism ?? 1));
  });
});

describe('4: an unkeyed stream spreads evenly', () => {
  it.each([2, 3, 4])('over %i instances, to within one record', async (parallelism) => {
    const places = await recordsOf((env) =>
      env.fromSource(function* () { yield* numbers(1000); }).map(Place).parallelism(parallelism),
    );
    const sizes = Object.values(Object.groupBy(places, ({ instance }) => instance)).map((group) => group!.length);
    expect(sizes).toHaveLength(parallelism);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
  });
});

describe('5: equal keys meet the same instance, in order', () => {
  it('also the keys 0, the empty text, false and null (there: falsy keys went round-robin)', async () => {
    const keys = [0, '', false, null, 1, 'a'];
    const places = await recordsOf((env) =>
      env.fromSource(function* () { yield* numbers(600); }).keyBy((n) => keys[n % keys.length]).parallelism(4).map(Place),
    );
    expect(places).toHaveLength(600);
    for (const [index, key] of keys.entries()) {
      const own = places.filter(({ n }) => n % keys.length === index);
      expect(new Set(own.map(({ instance }) => instance)).size, `instances of ${JSON.stringify(key)}`).toBe(1);
      expect(own.map(({ n }) => n)).toEqual(own.map(({ n }) => n).toSorted((a, b) => a - b));
      expect(new Set(own.map((place) => place.key))).toEqual(new Set([key]));
    }
  });
});

describe('6 and 7: other strategies', () => {
  it('6: broadcast shows every record to every instance', async () => {
    const places = await recordsOf((env) =>
      env.fromSource(function* () { yield* numbers(50); }).keyBy((n) => n, { strategy: 'broadcast' }).parallelism(3).map(Place),
    );
    for (const instance of numbers(3)) {
      expect(places.filter((place) => place.instance === instance).map(({ n }) => n)).toEqual(numbers(50));
    }
  });

  it('7: round robin deals records out and keeps the key on each', async () => {
    const places = await recordsOf((env) =>
      env.fromSource(function* () { yield* numbers(60); }).keyBy((n) => `key ${n % 2}`, { strategy: 'roundRobin' }).parallelism(3).map(Place),
    );
    expect(places.every(({ n, key }) => key === `key ${n % 2}`)).toBe(true);
    const sizes = numbers(3).map((instance) => places.filter((place) => place.instance === instance).length);
    expect(sizes).toEqual([20, 20, 20]);
  });
});

describe('8: a key by a nested path', () => {
  it('is the value there; a missing field is an error of that record (there: the record became the key)', async () => {
    const good = { id: 1, user: { region: { code: 'nl' } } };
    const bad = { id: 2, user: {} } as unknown as typeof good;
    expect(await recordsOf((env) => env.fromCollection([good, good]).keyBy('user.region.code').aggregate({ n: count() }))).toEqual([{ key: 'nl', n: 2 }]);

    const error: unknown = await recordsOf((env) => env.fromCollection([good, bad]).keyBy('user.region.code').aggregate({ n: count() })).catch((thrown: unknown) => thrown);
    expect(isSageError(error, 'SAGE_KEY_MISSING_FIELD')).toBe(true);
    expect(error).toMatchObject({ operator: 'keyBy', record: bad });
    // and so it follows the operator's policy
    expect(await recordsOf((env) => env.fromCollection([good, bad, good]).keyBy('user.region.code').onError('skip').aggregate({ n: count() }))).toEqual([{ key: 'nl', n: 2 }]);
  });
});

describe('9: filters', () => {
  class AtLeast extends FilterFunction<number> {
    readonly #least: number;
    constructor(least: number) {
      super();
      this.#least = least;
    }
    execute(n: number): boolean {
      return n >= this.#least;
    }
  }

  it.each([
    ['a chain', (n: number) => n % 2 === 0, 40, numbers(100).filter((n) => n % 2 === 0 && n >= 40)],
    ['all pass', () => true, 0, numbers(100)],
    ['none pass', () => false, 0, []],
  ])('%s', async (_what, first, least, expected) => {
    expect(await recordsOf((env) => env.fromCollection(numbers(100)).filter(first).filter(AtLeast, least))).toEqual(expected);
  });
});

describe('10: flat map', () => {
  class Both extends FlatMapFunction<number, string> {
    execute(n: number): string[] {
      this.collect(`collected ${n}`);
      return [`returned ${n}`];
    }
  }
  class Collects extends FlatMapFunction<number, string> {
    execute(n: number): void {
      for (let times = 0; times < n; times++) this.collect(`${n}.${times}`);
    }
  }

  it('by return value, by collector, and by both together', async () => {
    expect(await recordsOf((env) => env.fromCollection([1, 2]).flatMap((n) => [n, n * 10]))).toEqual([1, 10, 2, 20]);
    expect(await recordsOf((env) => env.fromCollection([0, 1, 2]).flatMap(Collects))).toEqual(['1.0', '2.0', '2.1']);
    expect(await recordsOf((env) => env.fromCollection([1, 2]).flatMap(Both))).toEqual(['collected 1', 'returned 1', 'collected 2', 'returned 2']);
  });
});

describe('11: map', () => {
  it('undefined removes the record and is counted; null stays', async () => {
    const env = new LocalEnvironment();
    const records: unknown[] = [];
    env.fromCollection([1, 2, 3]).map((n) => (n === 1 ? undefined : n === 2 ? null : n)).sink(records);
    const result = await env.submit({ autostop: true });
    expect(records).toEqual([null, 3]);
    expect(result).toMatchObject({ recordsIn: 3, recordsDropped: 1, recordsOut: 2 });
  });
});

describe('12 and 13: fan-out', () => {
  it('12: two sinks on one stream both get everything', async () => {
    const [one, two]: [number[], number[]] = [[], []];
    const env = new LocalEnvironment();
    env.fromCollection(numbers(100)).map((n) => n + 1).sink(one).sink(two);
    await env.submit({ autostop: true });
    expect(one).toEqual(numbers(100).map((n) => n + 1));
    expect(two).toEqual(one);
  });

  it.each([1, 2, 3])('13: branches of one stream stay independent, at parallelism %i (there: 10 of 15 records arrived)', async (parallelism) => {
    const arrived = { evens: [] as number[], squares: [] as number[], all: [] as number[] };
    const env = new LocalEnvironment('branches', { parallelism });
    const stream = env.fromSource(function* () { yield* numbers(15); });
    stream.filter((n) => n % 2 === 0).sink(arrived.evens);
    stream.map((n) => n * n).filter((n) => n > 10).sink(arrived.squares);
    stream.sink(arrived.all);
    await env.submit({ autostop: true });
    const sorted = (list: number[]): number[] => list.toSorted((a, b) => a - b);
    expect(sorted(arrived.evens)).toEqual(numbers(15).filter((n) => n % 2 === 0));
    expect(sorted(arrived.squares)).toEqual(numbers(15).map((n) => n * n).filter((n) => n > 10));
    expect(sorted(arrived.all)).toEqual(numbers(15));
  });
});

describe('23: autostop drains a slow sink', () => {
  it('nothing that is in flight is lost', async () => {
    const arrived: number[] = [];
    let closed = 0;
    class Slow extends SinkFunction<number> {
      async execute(n: number): Promise<void> {
        await nextTurn();
        arrived.push(n);
      }
      override async close(): Promise<void> {
        await nextTurn();
        closed = arrived.length;
      }
    }
    const env = new LocalEnvironment();
    env.fromCollection(numbers(2000)).map((n) => n).parallelism(3).sink(Slow);
    const result = await env.submit({ autostop: true });
    expect(arrived.toSorted((a, b) => a - b)).toEqual(numbers(2000));
    expect(closed).toBe(2000);
    expect(result).toMatchObject({ status: 'finished', recordsIn: 2000, recordsOut: 2000 });
  });
});

describe('24: uneven parallel upstreams', () => {
  const shapes = [1, 2, 3].flatMap((upstream) => [1, 2, 3, 4].map((downstream) => [upstream, downstream] as const));

  it.each(shapes)('%i to %i instances lose nothing at the end (there: 39 of 60)', async (upstream, downstream) => {
    const env = new LocalEnvironment();
    const arrived: number[] = [];
    env
      .fromSource(function* () { yield* numbers(60); })
      .keyBy((n) => (n < 50 ? 'much' : `little ${n}`))
      .parallelism(upstream)
      .map(async (n) => {
        if (n >= 50) await nextTurn();
        return n;
      })
      .rebalance()
      .map((n) => n)
      .parallelism(downstream)
      .sink(arrived);
    const result = await env.submit({ autostop: true });
    expect(arrived.toSorted((a, b) => a - b)).toEqual(numbers(60));
    for (const { sent, received } of result.edges) expect(received).toBe(sent);
  });
});

describe('also', () => {
  it('a parallel source never repeats records: one that cannot be split has one instance, others take their share', async () => {
    const fromArray = await recordsOf((env) => env.fromCollection(numbers(1000)).parallelism(4).map((n) => n).parallelism(3));
    expect(fromArray.toSorted((a, b) => a - b)).toEqual(numbers(1000));
    expect(() => new LocalEnvironment().fromSource(function* () { yield 1; }).parallelism(2)).toThrow(/cannot be split/);
    class Share extends SourceFunction<number> {
      #n = 0;
      override open(): void {
        this.#n = this.ctx.parallelIndex;
      }
      execute(): number | End {
        if (this.#n >= 30) return END;
        const n = this.#n;
        this.#n += this.ctx.parallelism;
        return n;
      }
    }
    expect((await recordsOf((env) => env.fromSource(Share).parallelism(3))).toSorted((a, b) => a - b)).toEqual(numbers(30));
  });

  it('a generator or a lambda is a legal source', async () => {
    let left = 3;
    expect(await recordsOf((env) => env.fromSource(function* () { yield 'a'; yield 'b'; }))).toEqual(['a', 'b']);
    expect(await recordsOf((env) => env.fromSource(() => (left > 0 ? left-- : END)))).toEqual([3, 2, 1]);
  });

  it('a source is never read further ahead than the queues allow', async () => {
    // given an endless source and a sink that takes one record and then waits
    let pulled = 0;
    const blocked = Promise.withResolvers<void>();
    const first = Promise.withResolvers<void>();
    const env = new LocalEnvironment();
    env
      .fromSource(function* () { for (;;) yield pulled++; }, { unbounded: true })
      .rebalance()
      .map((n) => n)
      .parallelism(2)
      .sink(() => {
        first.resolve();
        return blocked.promise;
      });
    const job = await env.submit();
    await first.promise;
    // when nothing moves any more
    for (let seen = -1; seen !== pulled; ) {
      seen = pulled;
      for (let turns = 0; turns < 50; turns++) await nextTurn();
    }
    // then what was read fits into the queues between: three hops of two instances, each with at most 4,096 records and a batch more
    expect(pulled).toBeLessThan(3 * 2 * (4096 + 4 * 1024));
    blocked.resolve();
    await job.cancel();
  });

  it.each(['ends', 'fails', 'is cancelled', 'is stopped'] as const)('a sink is closed exactly once when its job %s', async (how) => {
    let closes = 0;
    const started = Promise.withResolvers<void>();
    class Sink extends SinkFunction<number> {
      execute(n: number): void {
        started.resolve();
        if (how === 'fails' && n === 5) throw new Error('five');
      }
      override close(): void {
        closes++;
      }
    }
    const env = new LocalEnvironment();
    const endless = how === 'is cancelled' || how === 'is stopped';
    env.fromSource(function* () { const end = endless ? Number.POSITIVE_INFINITY : 10; for (let n = 0; n < end; n++) yield n; }, { unbounded: endless }).sink(Sink);
    const job = await env.submit();
    await started.promise;
    if (how === 'is cancelled') await job.cancel();
    else if (how === 'is stopped') await job.stop();
    await job.completion.catch(() => undefined);
    expect(closes).toBe(1);
  });
});
