import { describe, expect, test } from 'vitest';
import { buildLogicalPlan } from '../../../ts/compiler/logical/build-logical-plan.ts';
import type { OptimisedPlan } from '../../../ts/compiler/logical-plan.ts';
import { optimise } from '../../../ts/compiler/optimiser/optimise.ts';
import { avg, count, first, sum } from '../../../ts/functions/builtin-aggregators.ts';
import { PipelineBuilder } from './pipeline-builder.ts';

function optimised(build: PipelineBuilder, parallelism = 1): OptimisedPlan {
  return optimise(buildLogicalPlan(build.pipeline, { parallelism }, { importable: true, cores: 2 }));
}

const names = (plan: OptimisedPlan): string[] => plan.operators.map(({ name }) => name);
const rules = (plan: OptimisedPlan): string[] => plan.applied.map(({ rule }) => rule);

describe('dead branches', () => {
  test('are removed with a warning that shows where the stream ends', () => {
    const build = new PipelineBuilder();
    const source = build.collection();
    build.map(build.filter(source, { name: 'dead filter' }), { name: 'dead end' });
    build.sink(source);

    const plan = optimised(build);

    expect(names(plan)).toStrictEqual(['source', 'sink']);
    expect(plan.applied).toStrictEqual([
      { rule: 'dead branches', what: "removed 'dead filter', 'dead end': no sink below", removed: [1, 2] },
    ]);
    expect(plan.warnings).toHaveLength(1);
    expect(plan.warnings[0]).toContain("'dead end' (pipeline.ts:3:1)");
  });

  test('are none where everything has a sink', () => {
    const build = new PipelineBuilder();
    build.sink(build.map(build.collection()));

    expect(optimised(build)).toMatchObject({ applied: [], warnings: [] });
  });
});

describe('union flattening', () => {
  test('gives the inputs of the inner union to the outer one, in order and with repeats', () => {
    const build = new PipelineBuilder();
    const [a, b, c] = ['a', 'b', 'c'].map((name) => build.collection([1], { name }));
    const inner = build.union([a!, b!], { name: 'inner' });
    build.sink(build.union([inner, c!, inner], { name: 'outer' }));

    const plan = optimised(build);

    expect(plan.operators.find(({ name }) => name === 'outer')!.inputs).toStrictEqual([a!.id, b!.id, c!.id, a!.id, b!.id]);
    expect(names(plan)).not.toContain('inner');
  });

  test('goes through several levels', () => {
    const build = new PipelineBuilder();
    let union = build.union([build.collection([], { name: 's0' }), build.collection([], { name: 's1' })]);
    for (let level = 2; level < 6; level++) union = build.union([union, build.collection([], { name: `s${level}` })]);
    build.sink(union);

    const unions = optimised(build).operators.filter(({ kind }) => kind === 'union');

    expect(unions).toHaveLength(1);
    expect(unions[0]!.inputs).toHaveLength(6);
  });

  test.each([{ uid: 'counted' }, { parallelism: 2 }])('keeps an inner union with %o', (properties) => {
    const build = new PipelineBuilder();
    const inner = build.union([build.collection([1], { name: 'a' })], { name: 'inner', ...properties });
    build.sink(build.union([inner], { name: 'outer' }));

    expect(names(optimised(build))).toContain('inner');
  });

  test('keeps an inner union that somebody else reads', () => {
    const build = new PipelineBuilder();
    const inner = build.union([build.collection()], { name: 'inner' });
    build.sink(inner);
    build.sink(build.union([inner], { name: 'outer' }));

    expect(names(optimised(build))).toContain('inner');
  });
});

describe('projection before an exchange', () => {
  const spec = { n: count(), total: sum('price'), mean: avg((record: { price: number }) => record.price) };

  test('puts an extract on the side of the records, so that only keys and numbers travel', () => {
    const build = new PipelineBuilder();
    build.sink(build.aggregate(build.keyBy(build.collection()), spec));

    const plan = optimised(build, 2);

    expect(plan.operators.map(({ kind }) => kind)).toStrictEqual(['source', 'keyBy', 'extract', 'aggregate', 'sink']);
    const [, keyBy, extract, aggregate] = plan.operators;
    expect(extract).toMatchObject({ inputs: [keyBy!.id], keyedBy: keyBy!.id, parallelism: keyBy!.parallelism });
    expect(extract!.id).toBe(build.pipeline.length);
    expect(aggregate).toMatchObject({ inputs: [extract!.id], aggregateInput: 'extracted' });
  });

  const cases: Record<string, (build: PipelineBuilder) => void> = {
    'a user aggregator needs the record': (build) => {
      const longest = { init: () => '', add: (longest: unknown) => longest, result: (longest: unknown) => longest };
      build.sink(build.aggregate(build.keyBy(build.collection()), { n: count(), longest }));
    },
    'first() may give something that is no number': (build) => {
      build.sink(build.aggregate(build.keyBy(build.collection()), { name: first('name') as never }));
    },
    'changed keys every so often are kept in JavaScript': (build) => {
      build.sink(build.aggregate(build.keyBy(build.collection()), spec, { emit: { everyMs: 100 } }));
    },
    'somebody else needs whole records behind the same key': (build) => {
      const keyBy = build.keyBy(build.collection());
      build.sink(build.aggregate(keyBy, spec));
      build.sink(build.reduce(keyBy));
    },
    'a filter behind the key needs the record': (build) => {
      build.sink(build.aggregate(build.filter(build.keyBy(build.collection())), spec));
    },
    'a global aggregate has no exchange by key': (build) => {
      build.sink(build.aggregate(build.collection(), spec));
    },
  };
  test.each(Object.keys(cases))('does nothing: %s', (name) => {
    const build = new PipelineBuilder();
    cases[name]!(build);

    expect(rules(optimised(build, 2))).toStrictEqual([]);
  });

  test('does nothing without an exchange', () => {
    const build = new PipelineBuilder();
    build.sink(build.aggregate(build.keyBy(build.collection()), spec));

    expect(rules(optimised(build, 1))).toStrictEqual([]);
  });
});

describe('projection in the source', () => {
  const columnsOf = (plan: OptimisedPlan): readonly string[] | undefined => {
    const { source } = plan.operators[0]!;
    return source?.form === 'native' ? source.spec.columns : undefined;
  };

  test('reads the columns that paths of keys and aggregators name, of all branches', () => {
    const build = new PipelineBuilder();
    const file = build.file({ type: 'parquet', path: 'flights.parquet' });
    build.sink(build.aggregate(build.keyBy(file, { path: 'origin.code' }), { delay: avg('delay') }));
    build.sink(build.aggregate(build.union([file]), { total: sum('distance'), n: count() }));

    const plan = optimised(build);

    expect(columnsOf(plan)).toStrictEqual(['delay', 'distance', 'origin']);
    expect(rules(plan)).toStrictEqual(['projection in the source']);
  });

  test('knows the fields of an extract', () => {
    const build = new PipelineBuilder();
    const file = build.file({ type: 'jsonLines', path: 'bids.jsonl' });
    build.sink(build.aggregate(build.keyBy(file, { path: 'auction' }), { total: sum('price') }));

    const plan = optimised(build, 2);

    expect(columnsOf(plan)).toStrictEqual(['auction', 'price']);
    expect(rules(plan)).toStrictEqual(['projection in the source', 'projection before an exchange']);
  });

  const cases: Record<string, (build: PipelineBuilder) => void> = {
    'a lambda may read any field': (build) => {
      const file = build.file({ type: 'parquet', path: 'a.parquet' });
      build.sink(build.aggregate(build.filter(file), { total: sum('price') }));
    },
    'a sink takes whole records': (build) => {
      const file = build.file({ type: 'parquet', path: 'a.parquet' });
      build.sink(build.aggregate(file, { total: sum('price') }));
      build.sink(file);
    },
    'an aggregator with a function may read any field': (build) => {
      const file = build.file({ type: 'parquet', path: 'a.parquet' });
      build.sink(build.aggregate(file, { total: sum((record: { a: number }) => record.a) }));
    },
    'rows that are only counted are still rows': (build) => {
      build.sink(build.aggregate(build.file({ type: 'parquet', path: 'a.parquet' }), { n: count() }));
    },
    'lines of text have no fields': (build) => {
      build.sink(build.aggregate(build.file({ type: 'textLines', path: 'a.txt' }), { n: sum('length') }));
    },
    "a list of the user's own is kept": (build) => {
      const file = build.file({ type: 'parquet', path: 'a.parquet', columns: ['a', 'b'] });
      build.sink(build.aggregate(file, { total: sum('a') }));
    },
  };
  test.each(Object.keys(cases))('does nothing: %s', (name) => {
    const build = new PipelineBuilder();
    cases[name]!(build);

    expect(rules(optimised(build))).not.toContain('projection in the source');
  });
});
