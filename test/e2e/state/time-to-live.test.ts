import { describe, expect, it } from 'vitest';

import { type FunctionContext, KeyedProcessFunction } from '../../../ts/index.ts';
import { TestEnvironment } from '../../../ts/testing/index.ts';
import { numbers } from '../support/run-to-array.ts';

/** What each kind of state keeps of a record, and whether it held something before. */
const kinds = {
  value: ({ state }) => {
    const kept = state.value<number>('kept', { ttlMs: 1000 });
    const had = kept.get() !== undefined;
    kept.set(1);
    return had;
  },
  list: ({ state }) => {
    const kept = state.list<number>('kept', { ttlMs: 1000 });
    const had = kept.length > 0;
    kept.add(1);
    return had;
  },
  map: ({ state }) => {
    const kept = state.map<string, number>('kept', { ttlMs: 1000 });
    const had = kept.size > 0;
    kept.set('one', 1);
    return had;
  },
  reducing: ({ state }) => {
    const kept = state.reducing<number>('kept', (a, b) => a + b, { ttlMs: 1000 });
    const had = kept.get() !== undefined;
    kept.add(1);
    return had;
  },
} satisfies Readonly<Record<string, (ctx: FunctionContext) => boolean>>;

class Keeps extends KeyedProcessFunction<number, number, boolean> {
  readonly #kind: keyof typeof kinds;
  constructor(kind: keyof typeof kinds) {
    super();
    this.#kind = kind;
  }
  execute(): void {
    this.collect(kinds[this.#kind](this.ctx));
  }
}

describe('what has expired', () => {
  it.each(Object.keys(kinds) as (keyof typeof kinds)[])('gives its memory back while records of other keys come (%s)', async (kind) => {
    // given 3,000 keys that hold something
    await using env = new TestEnvironment();
    const source = env.testSource<number>('keys');
    const found = env.collectSink<boolean>();
    env.fromSource(source).keyBy((n) => n).process(Keeps, kind).named('keeps').sink(found);
    const job = await env.start();
    const held = (): number => job.metrics().operators.find(({ name }) => name === 'keeps')!.metrics!.gauges['keys held']![0]!;
    for (const n of numbers(3000)) source.push(n);
    await env.settle();
    expect(held()).toBe(3000);
    // when their time is over, and enough others come
    await env.advanceTime(1001);
    for (const n of numbers(6000)) source.push(-1 - (n % 2));
    await env.settle();
    // then only these are held
    expect(held()).toBe(2);
    await env.finish();
    expect(found.records.filter(Boolean)).toHaveLength(5998);
  });
});
