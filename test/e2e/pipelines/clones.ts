import { threadId } from 'node:worker_threads';
import { inspect } from 'node:util';

import { type LocalEnvironment, MapFunction, definePipeline } from '../../../ts/index.ts';

/** A class of the user's own: its prototype does not cross an exchange. */
export class Point {
  readonly x: number;
  readonly y: number;

  constructor(x: number, y: number) {
    this.x = x;
    this.y = y;
  }

  get length(): number {
    return Math.hypot(this.x, this.y);
  }
}

/** Values that structured clone knows, one by one and all in one. */
export function values(): unknown[] {
  const cycle: { self?: unknown; list: unknown[] } = { list: [1] };
  cycle.self = cycle;
  cycle.list.push(cycle);
  const shared = { shared: true };
  const single: unknown[] = [
    null, undefined, true, false, 0, -0, 1.5, Number.NaN, Infinity, 2 ** 53, '', 'é', '\ud800 alone', 'x'.repeat(100_000), 0n, -(2n ** 90n),
    new Date(0), new Date(Number.NaN), /a+/giu, new Map<unknown, unknown>([[{ k: 1 }, new Set([1, 'two', null])], [Number.NaN, undefined]]),
    new Set([new Map([[1, 2]])]), new Uint8Array([1, 2, 255]), new Float64Array([0.5, -0]), new ArrayBuffer(3), new Error('a cause', { cause: 1 }), new TypeError('typed'),
    [], [[]], [undefined, null], {}, { a: undefined }, { '': 1, ' ': 2, __proto__: null }, { constructor: 1, toString: 2 }, JSON.parse('{"then":3}') as object, Object.fromEntries([['__proto__', 5]]),
    cycle, [shared, shared], { deep: { deeper: { deepest: [{ x: 1n }] } } }, new Point(3, 4), Object.assign([1, 2], { 5: 6 }),
    // eslint-disable-next-line no-sparse-arrays -- holes survive
    [1, , 3],
  ];
  return [...single, single];
}

/** Pairs of which the second has the fields of the first and is something else all the same. */
export function lookAlikes(): unknown[] {
  const named = { name: 'n', code: 1 };
  return [
    { 0: 1 }, [1], { 0: 1 }, new Uint8Array([1]), { 0: 'a' }, new String('a'),
    { code: 1 }, Object.assign(new Error('an error'), { code: 1 }), { size: 1 }, new Map([[1, 2]]),
    { a: 1 }, new Map([['a', 1]]), { x: 1, y: 2 }, new Point(1, 2), { x: 1 }, { x: new Date(1) }, { at: [1] }, { at: { 0: 1 } }, { at: { 0: 1, 1: 2 } }, { at: [1, 2] },
    named, { ...named, more: undefined }, { code: 1, name: 'n' }, Object.create(null, { name: { value: 'n', enumerable: true }, code: { value: 1, enumerable: true } }),
  ];
}

/** What came out of them. */
export const alike: unknown[] = [];

/** What a worker saw of a value, and the value itself. */
export interface Seen {
  readonly text: string;
  readonly thread: number;
  readonly isPoint: boolean;
  readonly value: unknown;
}

class Look extends MapFunction<{ value: unknown }, Seen> {
  execute({ value }: { value: unknown }): Seen {
    return { text: inspect(value, { depth: 10 }), thread: threadId, isPoint: value instanceof Point, value };
  }
}

/** What came out, in the main thread. */
export const seen: Seen[] = [];
/** The values as records of their own, behind an exchange. */
export const bare: unknown[] = [];

export const clones = definePipeline(import.meta.url, (env: LocalEnvironment, args: { parallelism: number }) => {
  const source = env.fromSource(function* () {
    yield* values().map((value) => ({ value }));
  });
  source.map(Look).parallelism(args.parallelism).sink(seen);
  source.map(({ value }) => value).parallelism(args.parallelism).sink(bare);
});

export const alikes = definePipeline(import.meta.url, (env: LocalEnvironment, args: { from: number; step: number }) => {
  // In an order of their own each time: which of two layouts came first must not matter.
  const records = lookAlikes();
  env
    .fromSource(function* () {
      for (let n = 0; n < records.length * 2; n++) yield records[(args.from + n * args.step) % records.length];
    })
    .flatMap((record) => [record])
    .parallelism(2)
    .sink(alike);
});
