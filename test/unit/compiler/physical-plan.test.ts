import { describe, expect, test } from 'vitest';
import { compile } from '../../../ts/compiler/compile.ts';
import type { CompileOptions, PlanConfig } from '../../../ts/compiler/compile-options.ts';
import type { PhysicalPlan } from '../../../ts/compiler/physical-plan.ts';
import { count, sum } from '../../../ts/functions/builtin-aggregators.ts';
import { classFunction } from '../../../ts/functions/user-function.ts';
import { PipelineBuilder } from './pipeline-builder.ts';

function planOf(build: PipelineBuilder, config: PlanConfig = {}, options: Partial<CompileOptions> = {}): PhysicalPlan {
  return compile(build.pipeline, config, { importable: true, cores: 2, ...options }).physical;
}

/** Stages as `placement xparallelism: operators`. */
const stages = (plan: PhysicalPlan): string[] =>
  plan.stages.map(({ placement, parallelism, name }) => `${placement} x${parallelism}: ${name}`);

/** Exchanges as `from -> to: partition`, with what is special about them. */
const exchanges = (plan: PhysicalPlan): string[] =>
  plan.exchanges.map(({ from, to, partition, keyed, encoding }) =>
    [`${from.stage} -> ${to.stage}: ${partition}`, keyed ? 'keyed' : '', encoding === 'json' ? 'json' : ''].filter(Boolean).join(' '),
  );

class Identity {
  execute(record: unknown): unknown {
    return record;
  }
}
const classSink = { form: 'function', fn: classFunction(Identity) } as const;

describe('fusion', () => {
  test('a pipeline of parallelism 1 is one stage in the main isolate, with its keys, unions and sinks', () => {
    const build = new PipelineBuilder();
    const source = build.collection();
    const left = build.map(source, { name: 'left' });
    const right = build.filter(source, { name: 'right' });
    const both = build.union([left, right]);
    build.sink(both, { name: 'all' });
    build.sink(build.reduce(build.keyBy(both)), { name: 'reduced' });

    const plan = planOf(build);

    expect(plan.stages).toHaveLength(1);
    expect(plan.exchanges).toStrictEqual([]);
    expect(plan.isolates).toMatchObject({ workers: 0, main: true });
    // The nodes are the operators with their consumers: nothing else was put in between.
    expect(plan.stages[0]!.nodes.map(({ operator, op, children }) => [operator.name, op.kind, children])).toStrictEqual([
      ['source', 'source', [1, 2]],
      ['left', 'map', [3]],
      ['right', 'filter', [3]],
      ['union', 'union', [4, 5]],
      ['all', 'sink', []],
      ['keyBy', 'keyBy', [6]],
      ['reduce', 'reduce', [7]],
      ['reduced', 'sink', []],
    ]);
  });

  test('a union of the same stream twice is fed twice by one producer', () => {
    const build = new PipelineBuilder();
    const source = build.collection();
    build.sink(build.union([source, source]));

    expect(planOf(build).stages[0]!.nodes[0]!.children).toStrictEqual([1, 1]);
  });

  test('sources that never wait share a stage: their task pulls them in turns', () => {
    const build = new PipelineBuilder();
    const one = build.map(build.generator({ name: 'one' }), { name: 'double' });
    const two = build.collection([1], { name: 'two' });
    build.sink(build.union([one, two]));

    expect(stages(planOf(build))).toStrictEqual(['main x1: one -> double -> two -> union -> sink']);
  });

  test('sources that may wait are stages of their own, so that none holds up another; their union is a third', () => {
    const build = new PipelineBuilder();
    const one = build.map(build.asyncGenerator({ name: 'one' }), { name: 'double' });
    const two = build.generator({ name: 'two' });
    build.sink(build.union([one, two]));

    const plan = planOf(build);

    expect(stages(plan)).toStrictEqual(['main x1: one -> double', 'main x1: two', 'main x1: union -> sink']);
    expect(exchanges(plan)).toStrictEqual(['0 -> 2: forward', '1 -> 2: forward']);
    expect(plan.exchanges[0]!.reason).toBe('a stage with a source takes no other records');
  });

  test('a stage is never above and below another one: its end would wait for itself', () => {
    // Given a diamond with one side at another parallelism
    const build = new PipelineBuilder();
    const source = build.map(build.collection());
    const wide = build.map(source, { name: 'wide', parallelism: 3 });
    build.sink(build.map(build.union([source, wide]), { name: 'joined' }));

    const plan = planOf(build);

    // Then the two ends are two stages, although both are in the main isolate with parallelism 1
    expect(stages(plan)).toStrictEqual(['main x1: source -> map', 'workers x3: wide', 'main x1: union -> joined -> sink']);
    expect(exchanges(plan)).toStrictEqual(['0 -> 1: rebalance', '0 -> 2: forward', '1 -> 2: forward']);
  });

  test('a stage never sends to itself: a redistribution separates, also where another way round it would join', () => {
    const build = new PipelineBuilder();
    const source = build.collection([1, 2]);
    const perKey = build.reduce(build.keyBy(source));
    build.sink(build.union([source, perKey]), {}, classSink);

    const plan = planOf(build, { parallelism: 2 });

    expect(stages(plan)).toStrictEqual(['workers x2: source -> keyBy', 'workers x2: reduce -> union -> sink']);
    expect(exchanges(plan)).toStrictEqual(['0 -> 1: forward', '0 -> 1: hash keyed']);
  });

  test('consumers of the same records behind an exchange share the stage and the exchange', () => {
    const build = new PipelineBuilder();
    const keyBy = build.keyBy(build.collection([1, 2]));
    build.sink(build.reduce(keyBy), { name: 'a' }, classSink);
    build.sink(build.map(keyBy), { name: 'b' }, classSink);

    const plan = planOf(build, { parallelism: 2 });

    expect(stages(plan)).toStrictEqual(['workers x2: source -> keyBy', 'workers x2: reduce -> a -> map -> b']);
    expect(exchanges(plan)).toStrictEqual(['0 -> 1: hash keyed']);
    expect(plan.stages[1]!.nodes[0]).toMatchObject({ op: { kind: 'input', gate: 0, exchange: 0 }, children: [1, 3] });
  });
});

describe('exchanges', () => {
  test('a keyBy into a region of parallelism 1 behind parallelism 1 needs none', () => {
    const build = new PipelineBuilder();
    build.sink(build.reduce(build.keyBy(build.map(build.collection(), { name: 'wide', parallelism: 2 }), { parallelism: 1 })));
    const single = new PipelineBuilder();
    single.sink(single.reduce(single.keyBy(single.collection())));

    expect(exchanges(planOf(single))).toStrictEqual([]);
    expect(exchanges(planOf(build))).toStrictEqual(['0 -> 1: rebalance', '1 -> 2: forward keyed']);
  });

  test('the key travels on as long as somebody needs it', () => {
    const build = new PipelineBuilder();
    const keyed = build.map(build.keyBy(build.collection()), { name: 'lambda', parallelism: 2 });
    build.sink(build.map(keyed, { name: 'with ctx.key', parallelism: 3 }, classFunction(Identity)), { name: 'x' });
    build.sink(keyed, { name: 'array' });

    // 0 source -> keyBy, 1 lambda, 2 with ctx.key, 3 and 4 the array sinks
    const plan = planOf(build);

    expect(exchanges(plan)).toStrictEqual(['0 -> 1: hash keyed', '1 -> 2: hash keyed', '1 -> 4: forward', '2 -> 3: forward']);
  });

  test('a keyed operator at another parallelism still gets each key at one instance', () => {
    const build = new PipelineBuilder();
    const keyed = build.map(build.keyBy(build.collection(), { parallelism: 4 }));
    build.sink(build.reduce(keyed, { parallelism: 2 }), {}, classSink);

    expect(exchanges(planOf(build))).toStrictEqual(['0 -> 1: hash keyed', '1 -> 2: hash keyed', '2 -> 3: forward']);
  });

  test.each([
    ['broadcast', 'broadcast'],
    ['roundRobin', 'rebalance'],
  ] as const)('the strategy %s is the partition %s, and nothing at parallelism 1', (strategy, partition) => {
    const build = new PipelineBuilder();
    const keyed = build.keyBy(build.collection(), { strategy });
    build.sink(build.map(keyed), {}, classSink);

    expect(exchanges(planOf(build))).toStrictEqual([]);
    keyed.parallelism = 2;
    expect(exchanges(planOf(build))).toStrictEqual([`0 -> 1: ${partition} keyed`]);
  });

  test('an unkeyed change of parallelism deals records out, and a single target takes them all', () => {
    const build = new PipelineBuilder();
    const wide = build.map(build.generator(), { parallelism: 2 });
    build.sink(build.map(wide, { name: 'wider', parallelism: 3 }));

    expect(exchanges(planOf(build))).toStrictEqual(['0 -> 1: rebalance', '1 -> 2: rebalance', '2 -> 3: forward']);
  });

  test('between instances of one number records stay with theirs', () => {
    const build = new PipelineBuilder();
    const pinned = build.map(build.map(build.collection()), { name: 'pinned', inMain: true });
    build.sink(pinned, {}, classSink);

    const plan = planOf(build, { parallelism: 2 });

    expect(stages(plan)).toStrictEqual(['workers x2: source -> map', 'main x2: pinned', 'workers x2: sink']);
    expect(exchanges(plan)).toStrictEqual(['0 -> 1: forward', '1 -> 2: forward']);
  });

  test('the inputs of an aggregate are taken where its keyBy is, pinned or not', () => {
    const build = new PipelineBuilder();
    const keyed = build.keyBy(build.map(build.collection(), { parallelism: 'auto' }), { inMain: true });
    build.sink(build.aggregate(keyed, { n: sum('x') }));

    const plan = planOf(build);

    expect(stages(plan)).toStrictEqual(['main x1: source', 'elastic x2: map', 'main x2: keyBy -> aggregate (inputs)', 'main x1: aggregate -> sink']);
    expect(exchanges(plan)).toStrictEqual(['0 -> 1: rebalance', '1 -> 2: forward', '2 -> 3: forward keyed']);
  });

  test('what travels as keys and numbers loses nothing; records of user code lose prototypes', () => {
    const build = new PipelineBuilder();
    build.sink(build.aggregate(build.keyBy(build.map(build.generator())), { n: count(), total: sum('x') }));

    const plan = planOf(build, { parallelism: 2 });

    expect(plan.exchanges.map(({ losesPrototypes }) => losesPrototypes)).toStrictEqual([true, false, false]);
  });
});

describe('native readers and writers', () => {
  test('are stages of their own, and writers that know JSON are given what has no column as JSON', () => {
    const build = new PipelineBuilder();
    const file = build.file({ type: 'jsonLines', path: 'in.jsonl' });
    const kept = build.filter(file);
    build.sink(kept, { name: 'json' }, { form: 'native', spec: { type: 'jsonLines', path: 'out.jsonl' } });
    build.sink(kept, { name: 'parquet' }, { form: 'native', spec: { type: 'parquet', path: 'out.parquet' } });
    build.sink(kept, { name: 'text' }, { form: 'native', spec: { type: 'textLines', path: 'out.txt' } });

    const plan = planOf(build);

    expect(stages(plan)).toStrictEqual(['native x1: source', 'main x1: filter', 'native x1: json', 'native x1: parquet', 'native x1: text']);
    expect(exchanges(plan)).toStrictEqual(['0 -> 1: forward', '1 -> 2: forward json', '1 -> 3: forward json', '1 -> 4: forward']);
    expect(plan.stages[0]!.nodes.map(({ op }) => op.kind)).toStrictEqual(['native']);
    expect(plan.exchanges[0]!.from).toStrictEqual({ stage: 0, node: 0 });
  });

  test('a reader that can be split has the instances of the environment; another one has one', () => {
    const at = (splittable: boolean): string[] => {
      const build = new PipelineBuilder();
      build.sink(build.map(build.file({ type: 'textLines', path: 'in.txt' }, {}, splittable)), {}, classSink);
      return stages(planOf(build, { parallelism: 2 }));
    };

    expect(at(true)).toStrictEqual(['native x2: source', 'workers x2: map -> sink']);
    expect(at(false)).toStrictEqual(['native x1: source', 'workers x2: map -> sink']);
  });
});

describe('isolates', () => {
  const wide = (parallelism: number): PipelineBuilder => {
    const build = new PipelineBuilder();
    build.sink(build.map(build.collection([1, 2]), { parallelism }));
    return build;
  };

  test('as many workers as instances, but not more than processors, and two in any case', () => {
    expect(planOf(wide(2), {}, { cores: 8 }).isolates.workers).toBe(2);
    expect(planOf(wide(6), {}, { cores: 4 }).isolates.workers).toBe(4);
    expect(planOf(wide(6), {}, { cores: 1 }).isolates.workers).toBe(2);
  });

  test('a pipeline that no worker can import keeps its instances, in the main isolate, and says so', () => {
    const plan = planOf(wide(3), {}, { importable: false, notImportableReason: 'it was built in a test body' });

    expect(stages(plan)).toStrictEqual(['main x1: source', 'main x3: map', 'main x1: sink']);
    expect(plan.isolates).toMatchObject({ workers: 0, main: true });
    expect(plan.warnings).toStrictEqual([
      'parallel instances run in the main isolate, without worker threads: it was built in a test body',
    ]);
  });

  test('isolated: one worker runs what need not be in the main isolate', () => {
    const plan = planOf(wide(1), { isolated: true });

    expect(stages(plan)).toStrictEqual(['workers x1: source -> map', 'main x1: sink']);
    expect(plan.isolates.workers).toBe(1);
  });
});
