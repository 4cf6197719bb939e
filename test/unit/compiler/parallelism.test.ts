import { describe, expect, test } from 'vitest';
import { compile } from '../../../ts/compiler/compile.ts';
import type { CompileOptions, PlanConfig } from '../../../ts/compiler/compile-options.ts';
import { classFunction } from '../../../ts/functions/user-function.ts';
import { PipelineBuilder } from './pipeline-builder.ts';

const here: CompileOptions = { importable: true, cores: 2 };

/** Parallelism of each operator as the plan says it; of a keyBy that of its region. */
function parallelisms(build: PipelineBuilder, config: PlanConfig = {}, options: Partial<CompileOptions> = {}): Record<string, number> {
  const { operators } = compile(build.pipeline, config, { ...here, ...options }).logical;
  return Object.fromEntries(operators.map((operator) => [operator.name, (operator.region ?? operator).parallelism]));
}

class Consumer {
  execute(): void {}
}
const classSink = { form: 'function', fn: classFunction(Consumer) } as const;

describe('the parallelism of an operator', () => {
  test('is 1 by default', () => {
    const build = new PipelineBuilder();
    build.sink(build.reduce(build.keyBy(build.map(build.collection()))), {}, classSink);

    expect(parallelisms(build)).toStrictEqual({ source: 1, map: 1, keyBy: 1, reduce: 1, sink: 1 });
  });

  test("is the environment's where the operator can have it", () => {
    const build = new PipelineBuilder();
    const total = build.reduce(build.map(build.generator()), { name: 'total' });
    build.sink(build.map(total, { name: 'after' }), { name: 'array' });
    build.sink(build.collection([1], { name: 'array source' }), { name: 'class' }, classSink);

    expect(parallelisms(build, { parallelism: 3 })).toStrictEqual({
      source: 1, // a generator cannot be split
      map: 3,
      total: 1, // global
      after: 3,
      array: 1, // main isolate
      'array source': 3,
      class: 3,
    });
  });

  test('is what was set on it, and not on the operators behind it', () => {
    const build = new PipelineBuilder();
    build.sink(build.map(build.map(build.collection(), { name: 'wide', parallelism: 4 }), { name: 'next' }), {}, classSink);

    expect(parallelisms(build)).toStrictEqual({ source: 1, wide: 4, next: 1, sink: 1 });
  });

  test('set on a keyBy is that of its region: until the key ends', () => {
    const build = new PipelineBuilder();
    const keyed = build.filter(build.map(build.keyBy(build.collection(), { parallelism: 4 })));
    build.sink(build.map(build.reduce(keyed), { name: 'behind' }), {}, classSink);

    expect(parallelisms(build)).toStrictEqual({ source: 1, keyBy: 4, map: 4, filter: 4, reduce: 4, behind: 1, sink: 1 });
  });

  test('set on an operator inside a keyed region is for that operator', () => {
    const build = new PipelineBuilder();
    build.sink(build.reduce(build.map(build.keyBy(build.collection(), { parallelism: 2 }), { parallelism: 3 })));

    expect(parallelisms(build)).toMatchObject({ keyBy: 2, map: 3, reduce: 2 });
  });

  test('of the evaluation of a key is that of the records it is evaluated on', () => {
    const build = new PipelineBuilder();
    build.sink(build.reduce(build.keyBy(build.collection([1], { parallelism: 3 }), { parallelism: 2 })));

    const keyBy = compile(build.pipeline, {}, here).logical.operators[1]!;

    expect([keyBy.parallelism, keyBy.region]).toStrictEqual([3, { parallelism: 2, reason: "set on the keyBy 'keyBy'" }]);
  });
});

describe("'auto'", () => {
  const pipelineOver = (records: number): PipelineBuilder => {
    const build = new PipelineBuilder();
    build.sink(build.map(build.collection(new Array<number>(records).fill(0))));
    return build;
  };

  test('is one instance for little input', () => {
    expect(parallelisms(pipelineOver(1000), { parallelism: 'auto' }, { cores: 8 })).toMatchObject({ source: 1, map: 1 });
  });

  test('is one for each processor for input that is known to be large', () => {
    expect(parallelisms(pipelineOver(200_000), { parallelism: 'auto' }, { cores: 8 })).toMatchObject({ source: 8, map: 8, sink: 1 });
  });

  test('is one instance where no worker could take a second', () => {
    expect(parallelisms(pipelineOver(200_000), { parallelism: 'auto' }, { importable: false })).toMatchObject({ map: 1 });
  });
});
