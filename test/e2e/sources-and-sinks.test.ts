import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';

import { BatchFunction, END, type End, JsonLinesSink, LocalEnvironment, SinkFunction, SourceFunction } from '../../ts/index.ts';
import { numbers, recordsOf, runToArray } from './support/run-to-array.ts';
import { afterTurns, thenable } from './support/thenables.ts';

describe('sources', () => {
  it('iterables of all kinds', async () => {
    expect(await recordsOf((env) => env.fromBatch([1, null, undefined, 2]))).toEqual([1, null, undefined, 2]);
    expect(await recordsOf((env) => env.fromBatch(new Map([['a', 1]])))).toEqual([['a', 1]]);
    expect(await recordsOf((env) => env.fromSource(numbers(5).values()))).toEqual(numbers(5));
    expect(await recordsOf((env) => env.fromSource(Readable.from(['a', 'b'])))).toEqual(['a', 'b']);
    expect(await recordsOf((env) => env.fromSource(new Blob(['text']).stream()).map((bytes) => Buffer.from(bytes).toString()))).toEqual(['text']);
    const counter = { *[Symbol.iterator](): Generator<number> { yield* [7, 8]; } };
    expect(await recordsOf((env) => env.fromSource(counter))).toEqual([7, 8]);
  });

  it('generators with arguments, sync and async, with and without a return value', async () => {
    function* upTo(n: number, step: number): Generator<number, string> {
      for (let i = 0; i < n; i += step) yield i;
      return 'not a record';
    }
    async function* later(n: number): AsyncGenerator<number> {
      for (let i = 0; i < n; i++) yield await afterTurns(i);
    }
    expect(await recordsOf((env) => env.fromSource(upTo, 7, 3))).toEqual([0, 3, 6]);
    expect(await recordsOf((env) => env.fromSource(later, 4))).toEqual(numbers(4));
    expect(await recordsOf((env) => env.fromBatch(upTo, 2, 1))).toEqual([0, 1]);
  });

  it('sparse arrays have records where nothing was put', async () => {
    // eslint-disable-next-line no-sparse-arrays -- that is the case
    expect(await recordsOf((env) => env.fromCollection([1, , 3]))).toEqual([1, undefined, 3]);
  });

  it('functions that give one record a call: undefined is nothing now, END the end; promises are awaited', async () => {
    let n = 0;
    const next = (): unknown => {
      n++;
      if (n === 20) return END;
      if (n % 5 === 0) return undefined;
      return n % 3 === 0 ? thenable(n) : n % 7 === 0 ? Promise.resolve(undefined) : n;
    };
    expect(await recordsOf((env) => env.fromSource(next as () => number | End))).toEqual(numbers(20).filter((x) => x > 0 && x % 5 !== 0 && (x % 3 === 0 || x % 7 !== 0)));
  });

  it('source and batch classes with arguments; batches end with null', async () => {
    const log: string[] = [];
    class Down extends BatchFunction<number> {
      #n: number;
      constructor(from: number) {
        super();
        this.#n = from;
      }
      override open(): void {
        log.push('open');
      }
      execute(): number | null {
        return this.#n === 0 ? null : this.#n--;
      }
      override async close(): Promise<void> {
        log.push(await afterTurns('close'));
      }
    }
    class Up extends SourceFunction<number | null> {
      #n = 0;
      async execute(): Promise<number | null | undefined | End> {
        this.#n++;
        return this.#n > 5 ? END : this.#n === 2 ? null : this.#n === 3 ? undefined : this.#n;
      }
    }
    expect(await recordsOf((env) => env.fromBatch(Down, 3))).toEqual([3, 2, 1]);
    expect(log).toEqual(['open', 'close']);
    expect(await recordsOf((env) => env.fromSource(Up))).toEqual([1, null, 4, 5]);
  });

  it('is never read further ahead than its consumer: an endless generator beside a slow sink', async () => {
    let made = 0;
    let arrived = 0;
    const env = new LocalEnvironment();
    env
      .fromSource(function* () {
        for (;;) yield made++;
      })
      .sink(async () => {
        arrived++;
        await new Promise((resolve) => setImmediate(resolve));
      });
    const job = await env.submit();
    await expect.poll(() => arrived, { interval: 1 }).toBeGreaterThan(50);
    expect(made - arrived).toBeLessThan(5);
    await job.cancel();
  });

  it('a generator is told when its job is cancelled, stopped or has failed; once', async () => {
    for (const end of ['cancel', 'stop', 'fail'] as const) {
      let left = 0;
      let arrived = 0;
      const env = new LocalEnvironment();
      env
        .fromSource(async function* () {
          try {
            for (let n = 0; ; n++) {
              await new Promise((resolve) => setImmediate(resolve));
              yield n;
            }
          } finally {
            left++;
          }
        })
        .sink(() => {
          arrived++;
          if (end === 'fail' && arrived === 20) throw new Error('enough');
        });
      const job = await env.submit();
      const completion = job.completion.catch((error: unknown) => error);
      await expect.poll(() => arrived, { interval: 1 }).toBeGreaterThanOrEqual(20);
      if (end !== 'fail') await job[end]();
      await completion;
      expect({ end, left, status: job.status }).toEqual({ end, left: 1, status: { cancel: 'canceled', stop: 'stopped', fail: 'failed' }[end] });
    }
  });

  it('an iterator that was read to its end is not told to return', async () => {
    let returned = 0;
    const iterator = { n: 0, next() { return this.n < 3 ? { done: false as const, value: this.n++ } : { done: true as const, value: undefined }; }, return() { returned++; return { done: true as const, value: undefined }; }, [Symbol.iterator]() { return this; } };
    expect(await recordsOf((env) => env.fromSource(iterator))).toEqual([0, 1, 2]);
    expect(returned).toBe(0);
  });

  it('the same environment cannot read one iterator in two jobs without saying so', async () => {
    const env = new LocalEnvironment();
    const records: number[] = [];
    env.fromSource(numbers(3).values()).sink(records);
    await env.submit({ autostop: true });
    await expect(env.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_USER_SOURCE' });
    expect(records).toEqual([0, 1, 2]);
  });

  it('a pipeline can be submitted again: sources begin anew, functions are new', async () => {
    const env = new LocalEnvironment();
    const records: unknown[] = [];
    class Count extends SinkFunction<number> {
      #n = 0;
      execute(): void {
        records.push(++this.#n);
      }
    }
    env.fromCollection([5, 6]).sink(Count);
    for (let n = 0; n < 3; n++) await env.submit({ autostop: true });
    expect(records).toEqual([1, 2, 1, 2, 1, 2]);
  });
});

describe('sinks', () => {
  it('open once, close once, on every path', async () => {
    for (const path of ['end', 'fail', 'cancel', 'stop'] as const) {
      const log: string[] = [];
      let arrived = 0;
      class Logged extends SinkFunction<number> {
        override async open(): Promise<void> {
          log.push(await afterTurns('open'));
        }
        execute(): void {
          arrived++;
          if (path === 'fail') throw new Error('no');
        }
        override async close(): Promise<void> {
          log.push(await afterTurns('close'));
        }
      }
      const env = new LocalEnvironment();
      const source = path === 'end' || path === 'fail' ? env.fromCollection(numbers(10)) : env.fromSource(() => 1, { unbounded: true });
      source.sink(Logged);
      const job = await env.submit();
      const completion = job.completion.catch(() => undefined);
      if (path === 'cancel' || path === 'stop') {
        await expect.poll(() => arrived, { interval: 1 }).toBeGreaterThan(0);
        await job[path]();
      }
      await completion;
      expect({ path, log }).toEqual({ path, log: ['open', 'close'] });
    }
  });

  it('a function and an object', async () => {
    const calls: number[] = [];
    const object = { calls: [] as number[], execute(n: number) { this.calls.push(n); } };
    const env = new LocalEnvironment();
    env.fromCollection([1, 2]).sink((n) => calls.push(n)).sink(object);
    await env.submit({ autostop: true });
    expect([calls, object.calls]).toEqual([[1, 2], [1, 2]]);
  });

  it('autostop drains a slow sink: nothing in flight is lost', async () => {
    const arrived: number[] = [];
    const { result } = await runToArray((env) => {
      const stream = env.fromCollection(numbers(300));
      stream.sink(async (n) => {
        await new Promise((resolve) => setImmediate(resolve));
        arrived.push(n);
      });
      return stream;
    });
    expect(arrived).toEqual(numbers(300));
    expect(result.recordsOut).toBe(600);
  });

  it('print writes each record with its prefix', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    try {
      const env = new LocalEnvironment();
      env.fromCollection<unknown>([1, null, { a: 1 }]).print('got').print();
      await env.submit({ autostop: true });
      expect(log.mock.calls).toEqual([['got', 1], [1], ['got', null], [null], ['got', { a: 1 }], [{ a: 1 }]]);
    } finally {
      log.mockRestore();
    }
  });
});

describe('what JSON cannot hold', () => {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  const thrown = new RangeError('not as JSON');
  const refuses = { toJSON: () => { throw thrown; } };

  it.each([
    ['a bigint', 1n, 'BigInt'],
    ['a bigint in an object', { n: 1, big: 1n }, 'BigInt'],
    ['a cycle', cycle, 'circular'],
    ['an object that refuses', refuses, 'not as JSON'],
  ])('%s is an error of that record, said in words, and no file appears', async (_, record, words) => {
    const folder = mkdtempSync(join(tmpdir(), 'sage-json-'));
    const path = join(folder, 'out.jsonl');
    const env = new LocalEnvironment();
    env.fromCollection<unknown>([{ n: 0 }, record]).sink(new JsonLinesSink(path));
    await expect(env.submit({ autostop: true })).rejects.toMatchObject({
      code: 'SAGE_CODEC_UNCLONEABLE',
      domain: 'user',
      record,
      message: expect.stringMatching(new RegExp(`cannot be written as JSON: .*${words}`)) as string,
      cause: record === refuses ? thrown : (expect.any(TypeError) as TypeError),
    });
    expect(readdirSync(folder)).toEqual([]);
    rmSync(folder, { recursive: true });
  });
});

describe('collect()', () => {
  it('gives all records and ends', async () => {
    const env = new LocalEnvironment();
    const records: number[] = [];
    for await (const n of env.fromCollection(numbers(10_000)).map((n) => n + 1).collect()) records.push(n);
    expect(records).toEqual(numbers(10_000).map((n) => n + 1));
  });

  it('leaving the loop cancels the job', async () => {
    const env = new LocalEnvironment();
    let made = 0;
    const stream = env.fromSource(function* () {
      for (;;) yield made++;
    });
    for await (const n of stream.collect()) if (n === 100) break;
    expect(env.activeJob).toBeUndefined();
    const before = made;
    await new Promise((resolve) => setImmediate(resolve));
    expect(made).toBe(before);
  });

  it('pulls with backpressure: a slow reader slows the source', async () => {
    const env = new LocalEnvironment();
    let made = 0;
    const stream = env.fromSource(function* () {
      for (;;) yield made++;
    });
    let read = 0;
    for await (const _ of stream.collect()) {
      if (++read % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
      expect(made - read).toBeLessThan(4096);
      if (read === 5000) break;
    }
  });

  it('two readers of one job, the falsy values among the records', async () => {
    const env = new LocalEnvironment();
    const source = env.fromCollection<unknown>([0, null, undefined, '', false]);
    const [one, two] = [source.collect(), source.map((x) => [x]).collect()];
    const read = async (records: AsyncIterable<unknown>): Promise<unknown[]> => {
      const all: unknown[] = [];
      for await (const record of records) all.push(record);
      return all;
    };
    expect(await Promise.all([read(one), read(two)])).toEqual([[0, null, undefined, '', false], [[0], [null], [undefined], [''], [false]]]);
  });

  it('throws the error of the job, after the records before it', async () => {
    const env = new LocalEnvironment();
    const records: number[] = [];
    const reading = (async () => {
      for await (const n of env.fromCollection(numbers(10)).map((n) => {
        if (n === 3) throw new RangeError('three');
        return n;
      }).collect()) records.push(n);
    })();
    await expect(reading).rejects.toMatchObject({ code: 'SAGE_USER_THREW', record: 3 });
    expect(records).toEqual([0, 1, 2]);
  });
});
