import { expect, test } from 'vitest';
import { describeDifference, firstDifference } from '../../../ts/compiler/fingerprint/first-difference.ts';
import { fingerprint } from '../../../ts/compiler/fingerprint/fingerprint.ts';
import { systemClock } from '../../../ts/common/clock.ts';
import { count, sum } from '../../../ts/functions/builtin-aggregators.ts';
import { classFunction, instanceFunction, lambdaFunction } from '../../../ts/functions/user-function.ts';
import { PipelineBuilder } from './pipeline-builder.ts';

/** A class as each isolate has its own: same text, another object. */
const scaleClass = (): new (factor: number) => { execute(n: number): number } =>
  class Scale {
    readonly factor: number;
    constructor(factor: number) {
      this.factor = factor;
    }
    execute(n: number): number {
      return n * this.factor;
    }
  };

interface Variant {
  readonly items?: readonly unknown[];
  readonly map?: (n: number) => number;
  readonly factor?: number;
  readonly uid?: string;
  readonly parallelism?: number;
  readonly path?: string;
  readonly field?: string;
  readonly extra?: boolean;
  readonly instanceField?: unknown;
}

/** The same pipeline as another isolate would build it, but for what a variant says. */
function built(variant: Variant = {}): PipelineBuilder {
  const build = new PipelineBuilder();
  const source = build.collection(variant.items ?? [1, 2, 3]);
  const mapped = build.map(source, variant.uid === undefined ? {} : { uid: variant.uid }, lambdaFunction(variant.map ?? ((n: number) => n * 2)));
  const scaled = build.map(mapped, { name: 'scale' }, classFunction(scaleClass(), [variant.factor ?? 10]));
  const object = build.map(scaled, { name: 'object' }, instanceFunction({ seen: variant.instanceField ?? 0, execute: (n: number) => n }));
  const keyed = build.keyBy(object, { path: variant.path ?? 'a.b', ...(variant.parallelism === undefined ? {} : { parallelism: variant.parallelism }) });
  const totals = build.aggregate(keyed, { n: count(), total: sum((variant.field ?? 'price') as never) });
  build.sink(totals);
  if (variant.extra === true) build.sink(totals, { name: 'extra' });
  return build;
}

const of = (build: PipelineBuilder, config: Record<string, unknown> = {}): ReturnType<typeof fingerprint> => fingerprint(build.pipeline, config);

test('the same pipeline built twice has no difference', () => {
  expect(firstDifference(of(built(), { rate: 3 }), of(built(), { rate: 3 }))).toBeUndefined();
});

test('a fingerprint goes from thread to thread by structured clone', () => {
  const own = of(built());

  expect(structuredClone(own)).toStrictEqual(own);
});

test('white space and comments are no difference', () => {
  // As another loader would lay it out.
  const relaid = new Function('return (n) => { /* twice */\n  return n*2;\n }')() as (n: number) => number;
  const original = new Function('return (n) => {return n * 2;}')() as (n: number) => number;

  expect(firstDifference(of(built({ map: original })), of(built({ map: relaid })))).toBeUndefined();
});

test.each<[string, Variant, string, string]>([
  ['a function', { map: (n) => n * 3 }, 'map', 'function source'],
  ['a constructor argument', { factor: 11 }, 'scale', 'constructor arguments'],
  ['a field of an object', { instanceField: 1 }, 'object', 'fields'],
  ['a uid', { uid: 'm' }, 'map', 'uid'],
  ['a parallelism', { parallelism: 2 }, 'keyBy', 'parallelism'],
  ['a key', { path: 'a.c' }, 'keyBy', 'field path'],
  ['an aggregator', { field: 'tax' }, 'aggregate', "aggregator 'total'"],
  ['the number of records', { items: [1, 2] }, 'source', 'items'],
  ['the records', { items: [1, 2, 4] }, 'source', 'items'],
])('a difference in %s names the operator and what differs', (_what, variant, operator, what) => {
  const difference = firstDifference(of(built()), of(built(variant)))!;

  expect(difference).toMatchObject({ operator, what });
  expect(difference.left).not.toBe(difference.right);
  expect(describeDifference(difference)).toContain(`'${operator}'`);
});

test('an operator more or less is named with who has it', () => {
  const more = firstDifference(of(built()), of(built({ extra: true })))!;
  const less = firstDifference(of(built({ extra: true })), of(built()))!;

  expect(describeDifference(more)).toBe("a worker thread built an operator 'extra' that the main thread did not");
  expect(describeDifference(less)).toBe("the main thread built an operator 'extra' that a worker thread did not");
});

test('settings are compared, but not the clock, which each isolate has its own of', () => {
  const left = of(built(), { rate: 3, clock: systemClock, none: undefined });
  const right = of(built(), { rate: 4 });

  expect(firstDifference(left, right)).toStrictEqual({ operator: undefined, index: undefined, what: 'rate', left: '3', right: '4' });
});

test('the stack of an error is no difference, its message is', () => {
  const deeper = (message: string): Error => new RangeError(message, { cause: new Error('why') });
  const items = [{ failed: new RangeError('x', { cause: new Error('why') }) }];

  expect(firstDifference(of(built({ items })), of(built({ items: [{ failed: deeper('x') }] })))).toBeUndefined();
  expect(firstDifference(of(built({ items })), of(built({ items: [{ failed: deeper('y') }] })))).toMatchObject({ operator: 'source', what: 'items' });
});

test('of long texts the part that differs is shown', () => {
  const items = (last: string): string[] => [...Array.from({ length: 15 }, (_, n) => `the same long text ${n}`), last];
  const difference = firstDifference(of(built({ items: items('here') })), of(built({ items: items('there') })));
  const sentence = describeDifference(difference!);

  expect(sentence).toMatch(/'here' in the main thread and \.\.\..*'there' in a worker thread$/);
  expect(sentence.length).toBeLessThan(400);
});
