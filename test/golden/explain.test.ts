import { expect, test } from 'vitest';
import { compile } from '../../ts/compiler/compile.ts';
import type { CompileOptions, PlanConfig } from '../../ts/compiler/compile-options.ts';
import { explain } from '../../ts/compiler/explain/explain.ts';
import { avg, count, sum } from '../../ts/functions/builtin-aggregators.ts';
import { classFunction, lambdaFunction } from '../../ts/functions/user-function.ts';
import { PipelineBuilder } from '../unit/compiler/pipeline-builder.ts';

// The expected texts are files beside this one. `vitest run test/golden -u` writes them anew: read what changed.

async function expectPlans(build: PipelineBuilder, golden: string, config: PlanConfig = {}, options: Partial<CompileOptions> = {}): Promise<void> {
  const text = explain(compile(build.pipeline, config, { importable: true, cores: 4, ...options }));
  await expect(`${text}\n`).toMatchFileSnapshot(`${golden}.txt`);
}

class Enrich {
  execute(record: unknown): unknown {
    return record;
  }
}

test('the first program: a file, a filter, keyed aggregates and a file, on two worker threads', async () => {
  const build = new PipelineBuilder();
  const bids = build.file({ type: 'jsonLines', path: 'bids.jsonl' });
  const dear = build.filter(bids);
  const perAuction = build.aggregate(build.keyBy(dear), { bids: count(), total: sum('price'), mean: avg('price') });
  build.sink(perAuction, {}, { form: 'native', spec: { type: 'jsonLines', path: 'totals.jsonl' } });

  await expectPlans(build, 'first-program', { parallelism: 2 });
});

test('only paths behind a Parquet file: columns are narrowed, and nothing runs in JavaScript that need not', async () => {
  const build = new PipelineBuilder();
  const flights = build.file({ type: 'parquet', path: 'flights.parquet' });
  build.sink(build.aggregate(build.keyBy(flights, { path: 'origin', name: 'by origin' }), { delay: avg('delay') }, { name: 'per origin' }));
  build.sink(build.aggregate(flights, { flights: count(), distance: sum('distance') }, { name: 'overall' }));

  await expectPlans(build, 'columns-of-a-file', { parallelism: 2 });
});

test('parallelism 1: fan-out, a diamond, keys and two sinks are one function in the main isolate', async () => {
  const build = new PipelineBuilder();
  const numbers = build.collection([1, 2, 3], { name: 'numbers' });
  const even = build.filter(numbers, { name: 'even' }, lambdaFunction(function isEven(n: number) {
    return n % 2 === 0;
  }));
  const doubled = build.map(numbers, { name: 'doubled' });
  const all = build.union([build.union([even, doubled], { name: 'inner' }), numbers], { name: 'all' });
  build.sink(build.reduce(build.keyBy(all), { emit: 'update' }), { name: 'running' });
  build.sink(all, { name: 'raw' });

  await expectPlans(build, 'one-stage');
});

test('several parallelisms: exchanges of every kind, class instances that lose their prototypes, a dead branch', async () => {
  const build = new PipelineBuilder();
  const events = build.generator({ name: 'events' });
  const enriched = build.map(events, { name: 'enrich', parallelism: 3, uid: 'enrich-1' }, classFunction(Enrich, ['eu']));
  const rules = build.keyBy(enriched, { name: 'to all', strategy: 'broadcast', parallelism: 2 });
  build.sink(build.map(rules, { name: 'check' }), { name: 'checked' });
  const perUser = build.keyBy(enriched, { name: 'by user', path: 'user.id', parallelism: 4 });
  build.sink(build.reduce(perUser, { name: 'latest' }), { name: 'latest out' }, { form: 'function', fn: classFunction(Enrich) });
  build.flatMap(enriched, { name: 'forgotten' });

  await expectPlans(build, 'several-parallelisms');
});

test('a pipeline that no worker can import keeps its instances in the main isolate and says so', async () => {
  const build = new PipelineBuilder();
  const records = build.collection([1, 2, 3], { parallelism: 2 });
  build.sink(build.reduce(build.keyBy(records, { parallelism: 2 })));

  await expectPlans(build, 'not-importable', {}, { importable: false, notImportableReason: 'it was built in a test body, which a worker cannot import' });
});

test('files of several kinds: patterns, a list, a watched directory, the standard input', async () => {
  const build = new PipelineBuilder();
  const all = build.union([
    build.file({ type: 'jsonLines', path: 'logs/**/*.{jsonl,gz}' }, { name: 'logs' }),
    build.file({ type: 'jsonLines', path: ['a.jsonl', 'b.jsonl', 'c.jsonl', 'd.jsonl', 'e/'] }, { name: 'list' }),
    build.source({ form: 'native', spec: { type: 'jsonLines', path: 'in/', watch: { everyMs: 500 } }, bounded: false, splittable: true }, { name: 'new' }),
    build.file({ type: 'jsonLines', path: '-' }, { name: 'piped' }, false),
  ]);
  build.sink(all);

  await expectPlans(build, 'kinds-of-files', { parallelism: 2 });
});

test("'auto': stages that grow behind a reader and where it is set, and what has state as it is", async () => {
  const build = new PipelineBuilder();
  const logs = build.file({ type: 'textLines', path: 'app.log' }, { name: 'logs' });
  const parsed = build.filter(build.map(logs, { name: 'parse' }), { name: 'errors' });
  const other = build.map(build.generator({ name: 'live' }), { name: 'enrich', parallelism: 'auto' }, classFunction(Enrich, ['eu']));
  const all = build.union([parsed, other], { name: 'all' });
  build.sink(build.reduce(all, { name: 'worst' }));
  build.sink(all, { name: 'parts' }, { form: 'native', spec: { type: 'jsonLines', path: 'out/' } });

  await expectPlans(build, 'auto', { parallelism: 'auto' });
});

test('one level alone', () => {
  const build = new PipelineBuilder();
  build.sink(build.collection());
  const compiled = compile(build.pipeline, {}, { importable: true, cores: 1 });

  const all = explain(compiled);

  for (const level of ['logical', 'optimised', 'physical', 'execution'] as const) expect(all).toContain(explain(compiled, level));
});
