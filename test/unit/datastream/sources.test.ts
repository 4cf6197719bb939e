import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { FileSource } from '../../../ts/connectors/file-source.ts';
import { LocalEnvironment } from '../../../ts/environment/local-environment.ts';
import { BatchFunction } from '../../../ts/functions/batch-function.ts';
import { END, SourceFunction } from '../../../ts/functions/source-function.ts';
import { sourceInstances, type IterableSource, type SourceDescriptor } from '../../../ts/transformations/source-descriptor.ts';
import type { SourceTransformation } from '../../../ts/transformations/source-transformation.ts';

class Countdown extends BatchFunction<number> {
  #next: number;
  constructor(from = 3, _options?: object) {
    super();
    this.#next = from;
  }
  execute() {
    return this.#next > 0 ? this.#next-- : null;
  }
}
class Ticks extends SourceFunction<number> {
  execute() {
    return this.ctx.parallelIndex > 0 ? END : 1;
  }
}
class Plain {
  execute() {
    return 1;
  }
}

/** The descriptor that a call gives. */
function describe(build: (env: LocalEnvironment) => { readonly transformation: unknown }): SourceDescriptor {
  return (build(new LocalEnvironment('sources')).transformation as SourceTransformation).source;
}

test('an array is a collection, held as it is and with its nulls', () => {
  const items = [1, null, undefined];
  for (const source of [
    describe((env) => env.fromBatch(items)),
    describe((env) => env.fromCollection(items)),
    describe((env) => env.fromSource(items)),
  ]) {
    expect(source).toEqual({ form: 'collection', items, bounded: true });
    expect((source as { items: unknown }).items).toBe(items);
  }
});

test('generator functions are opened anew for each job, with the arguments that were given', () => {
  const source = describe((env) =>
    env.fromSource(function* numbers(from: number, to: number) {
      for (let n = from; n <= to; n += 1) yield n;
    }, 2, 4),
  ) as IterableSource;
  expect(source).toMatchObject({ form: 'iterable', name: 'generator numbers', async: 'no', bounded: true });
  for (let job = 0; job < 2; job += 1) {
    expect([...({ [Symbol.iterator]: source.open } as Iterable<number>)]).toEqual([2, 3, 4]);
  }
});

test('async generator functions, async iterables, Readables and ReadableStreams are known to be async', async () => {
  const make = [
    describe((env) => env.fromSource(async function* () { yield 1; })),
    describe((env) => env.fromBatch((async function* () { yield 1; })())),
    describe((env) => env.fromSource(Readable.from([1]))),
    describe((env) => env.fromSource(new ReadableStream({ start(c) { c.enqueue(1); c.close(); } }))),
  ];
  for (const source of make) {
    expect(source).toMatchObject({ form: 'iterable', async: expect.stringMatching(/yes|unknown/) as string });
    const seen: unknown[] = [];
    for await (const record of { [Symbol.asyncIterator]: (source as IterableSource).open as () => AsyncIterator<unknown> }) seen.push(record);
    expect(seen).toEqual([1]);
  }
});

test('sets, maps, typed arrays and iterator objects are iterables', () => {
  expect(describe((env) => env.fromBatch(new Set([1])))).toMatchObject({ form: 'iterable', name: 'Set', async: 'no' });
  expect(describe((env) => env.fromBatch(new Map([[1, 2]])))).toMatchObject({ form: 'iterable', name: 'Map', async: 'no' });
  expect(describe((env) => env.fromBatch(new Float64Array(2)))).toMatchObject({ form: 'iterable', name: 'Float64Array' });
  expect(describe((env) => env.fromSource({ next: () => ({ done: true, value: 1 }) } as never))).toMatchObject({ form: 'iterable', async: 'unknown' });
});

test('an iterator that was read by one job is an error for the next, not an empty input', () => {
  const once = [1, 2].values();
  const source = describe((env) => env.fromBatch(once)) as IterableSource;
  source.open();
  expect(() => source.open()).toThrow(expect.objectContaining({ code: 'SAGE_USER_SOURCE' }));
  const set = describe((env) => env.fromBatch(new Set([1]))) as IterableSource;
  set.open();
  expect(set.open().next()).toEqual({ done: false, value: 1 });
});

test('the base class says what null means, the call says it where there is none', () => {
  const forms = [
    describe((env) => env.fromBatch(Countdown, 5)),
    describe((env) => env.fromSource(Countdown)),
    describe((env) => env.fromSource(Ticks)),
    describe((env) => env.fromBatch(Ticks as never)),
    describe((env) => env.fromSource(new Ticks())),
    describe((env) => env.fromSource(Plain)),
    describe((env) => env.fromBatch(Plain)),
    describe((env) => env.fromSource(() => 1)),
    describe((env) => env.fromBatch(() => null)),
  ].map(({ form }) => form);
  expect(forms).toEqual(['batch', 'batch', 'function', 'function', 'function', 'function', 'batch', 'function', 'batch']);
});

test('fromStream is fromSource by another name, which its errors say', () => {
  const generator = function* () { yield 1; };
  for (const value of [new Set([1]), generator, () => 1, Ticks, new Ticks(), FileSource.textLines('x')]) {
    const [one, other] = [describe((env) => env.fromStream(value as never)), describe((env) => env.fromSource(value as never))];
    expect({ ...one, open: undefined }).toEqual({ ...other, open: undefined });
  }
  expect(describe((env) => env.fromStream(generator, { unbounded: true })).bounded).toBe(false);
  expect(() => new LocalEnvironment().fromStream('text' as never)).toThrow('fromStream was given the string "text"');
});

test('sources are bounded unless they say otherwise; connectors say it themselves', () => {
  const unbounded = { unbounded: true };
  const all = [
    describe((env) => env.fromBatch([1], unbounded)),
    describe((env) => env.fromCollection([1], unbounded)),
    describe((env) => env.fromSource(function* () { yield 1; }, unbounded)),
    describe((env) => env.fromSource(new Set([1]), unbounded)),
    describe((env) => env.fromSource(() => 1, unbounded)),
    describe((env) => env.fromSource(Ticks, unbounded)),
    describe((env) => env.fromSource(Countdown, 3, unbounded)),
  ];
  expect(all.map(({ bounded }) => bounded)).toEqual([false, false, false, false, false, false, false]);
  expect(all.at(-1)).toMatchObject({ fn: { args: [3] } });
  expect(describe((env) => env.fromSource(() => 1, { unbounded: false })).bounded).toBe(true);
  expect(describe((env) => env.fromSource(FileSource.textLines('x'))).bounded).toBe(true);
});

test('an object that only looks a little like options is a constructor argument', () => {
  expect(describe((env) => env.fromBatch(Countdown, 3, {}))).toMatchObject({ fn: { args: [3, {}] }, bounded: true });
  expect(describe((env) => env.fromBatch(Countdown, 3, { unbounded: true, rate: 1 } as never))).toMatchObject({
    fn: { args: [3, { unbounded: true, rate: 1 }] },
    bounded: true,
  });
});

test('so it is for a generator function', () => {
  function* settings(options: object) {
    yield options;
  }
  const given = (options: object): unknown[] => {
    const source = describe((env) => env.fromBatch(settings, options)) as IterableSource;
    return [...(source.open() as Iterator<unknown> as IterableIterator<unknown>)];
  };
  expect(given({})).toEqual([{}]);
  expect(given({ rate: 1 })).toEqual([{ rate: 1 }]);
});

test('only what can be split may have instances by default', () => {
  expect(sourceInstances(describe((env) => env.fromBatch([1])))).toBe('any');
  expect(sourceInstances(describe((env) => env.fromSource(FileSource.textLines('x'))))).toBe('any');
  expect(sourceInstances(describe((env) => env.fromSource(Ticks)))).toBe('onRequest');
  expect(sourceInstances(describe((env) => env.fromSource(() => 1)))).toBe('one');
  expect(sourceInstances(describe((env) => env.fromSource(new Ticks())))).toBe('one');
  expect(sourceInstances(describe((env) => env.fromSource(function* () { yield 1; })))).toBe('one');
});
