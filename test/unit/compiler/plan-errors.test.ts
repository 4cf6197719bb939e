import { expect, test } from 'vitest';
import { isSageError, type ErrorCode, type SageError } from '../../../ts/common/errors.ts';
import { classFunction, lambdaFunction } from '../../../ts/functions/user-function.ts';
import { count } from '../../../ts/functions/builtin-aggregators.ts';
import { compile } from '../../../ts/compiler/compile.ts';
import type { CompileOptions, PlanConfig } from '../../../ts/compiler/compile-options.ts';
import type { BaseTransformation } from '../../../ts/transformations/base-transformation.ts';
import { PipelineBuilder } from './pipeline-builder.ts';

const here: CompileOptions = { importable: true, cores: 2 };

function errorOf(pipeline: readonly BaseTransformation[], config: PlanConfig = {}, options: Partial<CompileOptions> = {}): SageError {
  try {
    compile(pipeline, config, { ...here, ...options });
  } catch (error) {
    if (isSageError(error)) return error;
    throw error;
  }
  throw new Error('the pipeline compiled');
}

/** What every plan error owes the user: a code, the operator's own line, and one fix. */
function expectPlanError(error: SageError, code: ErrorCode, culprit: BaseTransformation, ...words: readonly string[]): void {
  expect(error.code).toBe(code);
  expect(error.domain).toBe('user');
  expect(error.declaredAt).toStrictEqual(culprit.declaredAt);
  expect(error.operator).toBe(culprit.name);
  expect(error.message).toContain(`at pipeline.ts:${culprit.declaredAt.line}:1`);
  expect(error.message).toContain('expected:');
  expect(error.message).toContain(`fix: ${error.help}`);
  for (const word of words) expect(error.message).toContain(word);
}

test('an empty pipeline has nothing to run; the error shows where it was submitted', () => {
  const declaredAt = { file: 'main.ts', line: 7, column: 11 };

  const error = errorOf([], {}, { declaredAt });

  expect(error.code).toBe('SAGE_PLAN_EMPTY');
  expect(error.message).toContain('main.ts:7:11');
});

test('a pipeline without any sink is an error at its last operator', () => {
  const build = new PipelineBuilder();
  const last = build.map(build.collection());

  expectPlanError(errorOf(build.pipeline), 'SAGE_PLAN_NO_SINK', last, ".sink(...)");
});

test('a stream of another environment is foreign, also where its id fits', () => {
  const other = new PipelineBuilder();
  const foreign = other.collection([1], { name: 'elsewhere' });
  const build = new PipelineBuilder();
  const own = build.collection();
  const union = build.union([own, foreign]);
  build.sink(union);

  expectPlanError(errorOf(build.pipeline), 'SAGE_PLAN_FOREIGN_STREAM', union, "'elsewhere'");
});

test('two operators with one uid: the second is shown, and the first is named', () => {
  const build = new PipelineBuilder();
  const first = build.map(build.collection(), { name: 'one', uid: 'same' });
  const second = build.map(first, { name: 'two', uid: 'same' });
  build.sink(second);

  expectPlanError(errorOf(build.pipeline), 'SAGE_PLAN_DUPLICATE_UID', second, "'one', which has it too: pipeline.ts:2:1");
});

test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2048, '2', true])('%s is no parallelism', (parallelism) => {
  const build = new PipelineBuilder();
  const map = build.map(build.collection(), { parallelism: parallelism as number });
  build.sink(map);

  expectPlanError(errorOf(build.pipeline), 'SAGE_PLAN_PARALLELISM', map);
  map.parallelism = undefined;
  expect(errorOf(build.pipeline, { parallelism: parallelism as number }).code).toBe('SAGE_PLAN_CONFIG');
});

test('a generator cannot be split, so that more than one instance is refused', () => {
  const build = new PipelineBuilder();
  const source = build.generator({ parallelism: 2 });
  build.sink(source);

  expectPlanError(errorOf(build.pipeline), 'SAGE_PLAN_PARALLELISM', source, 'cannot be split', 'generator numbers');
});

test('a source function has one instance; a source class may have several where that is asked for', () => {
  const lambda = new PipelineBuilder();
  const source = lambda.source({ form: 'function', fn: lambdaFunction(() => 1), bounded: true }, { parallelism: 2 });
  lambda.sink(source);
  class Numbers {
    execute(): number {
      return 1;
    }
  }
  const classes = new PipelineBuilder();
  classes.sink(classes.source({ form: 'function', fn: classFunction(Numbers), bounded: true }, { parallelism: 2 }));

  expectPlanError(errorOf(lambda.pipeline), 'SAGE_PLAN_PARALLELISM', source);
  expect(compile(classes.pipeline, {}, here).logical.operators[0]!.parallelism).toBe(2);
});

test('a reduce or aggregate without a key is global', () => {
  const build = new PipelineBuilder();
  const reduce = build.reduce(build.collection(), { parallelism: 4 });
  build.sink(reduce);
  const other = new PipelineBuilder();
  const aggregate = other.aggregate(other.collection(), { n: count() }, { parallelism: 2 });
  other.sink(aggregate);

  expectPlanError(errorOf(build.pipeline), 'SAGE_PLAN_PARALLELISM', reduce, 'keyBy');
  expectPlanError(errorOf(other.pipeline), 'SAGE_PLAN_PARALLELISM', aggregate, 'keyBy');
});

test('an array or a lambda takes records as one instance', () => {
  const build = new PipelineBuilder();
  const sink = build.sink(build.collection(), { parallelism: 2 });

  expectPlanError(errorOf(build.pipeline), 'SAGE_PLAN_PARALLELISM', sink, 'main isolate');
});

test('one file is written by one instance; {part} or a directory lifts that', () => {
  const at = (path: string): PipelineBuilder => {
    const build = new PipelineBuilder();
    build.sink(build.collection(), { parallelism: 2 }, { form: 'native', spec: { type: 'jsonLines', path } });
    return build;
  };
  const single = at('out.jsonl');

  expectPlanError(errorOf(single.pipeline), 'SAGE_PLAN_OUTPUT_PATH', single.pipeline[1]!, '{part}');
  expect(compile(at('out-{part}.jsonl').pipeline, {}, here).logical.operators[1]!.parallelism).toBe(2);
  expect(compile(at('out/').pipeline, {}, here).logical.operators[1]!.parallelism).toBe(2);
});

test('two sinks must not write one path', () => {
  const build = new PipelineBuilder();
  const source = build.collection();
  const spec = { type: 'jsonLines', path: 'out.jsonl' } as const;
  build.sink(source, {}, { form: 'native', spec });
  const second = build.sink(source, {}, { form: 'native', spec });

  expectPlanError(errorOf(build.pipeline), 'SAGE_PLAN_OUTPUT_PATH', second, "'out.jsonl'");
});

test.each(['broadcast', 'roundRobin'] as const)('keyed state behind %s would be wrong', (strategy) => {
  const build = new PipelineBuilder();
  const keyed = build.map(build.keyBy(build.collection(), { strategy }));
  const reduce = build.reduce(keyed);
  build.sink(reduce);

  expectPlanError(errorOf(build.pipeline), 'SAGE_PLAN_KEY_STRATEGY', reduce, strategy);
});

test('a result at the end of unbounded input would never come; the error names both ways out', () => {
  const build = new PipelineBuilder();
  const endless = build.union([build.collection(), build.generator({ name: 'ticks' }, false)]);
  const aggregate = build.aggregate(build.keyBy(endless), { n: count() });
  build.sink(aggregate);

  expectPlanError(errorOf(build.pipeline), 'SAGE_PLAN_UNBOUNDED', aggregate, "'ticks' never ends", 'window', "{ emit: 'update' }");
});

test.each(['update', { everyMs: 100 }] as const)('unbounded input is fine with emit %o', (emit) => {
  const build = new PipelineBuilder();
  build.sink(build.reduce(build.keyBy(build.generator({}, false)), { emit }));

  expect(() => compile(build.pipeline, {}, here)).not.toThrow();
});

test('collect() that nobody reads is an error of a submit with autostop, and of no other', () => {
  const withReader = (reading: boolean): PipelineBuilder => {
    const build = new PipelineBuilder();
    build.sink(build.collection(), { name: 'collect' }, { form: 'collect', collector: { reading, submitted: () => undefined, checkNotAborted: () => undefined, write: () => undefined } });
    return build;
  };
  const unread = withReader(false);

  expectPlanError(errorOf(unread.pipeline, {}, { autostop: true }), 'SAGE_PLAN_COLLECT', unread.pipeline[1]!);
  expect(() => compile(unread.pipeline, {}, here)).not.toThrow();
  expect(() => compile(withReader(true).pipeline, {}, { ...here, autostop: true })).not.toThrow();
});

test('keys are shared out in 128 groups, so that more instances would stay empty', () => {
  const build = new PipelineBuilder();
  const keyBy = build.keyBy(build.collection(), { parallelism: 129 });
  build.sink(build.reduce(keyBy));

  expectPlanError(errorOf(build.pipeline), 'SAGE_PLAN_PARALLELISM', keyBy, '128');
  keyBy.parallelism = undefined;
  expectPlanError(errorOf(build.pipeline, { parallelism: 129 }), 'SAGE_PLAN_PARALLELISM', keyBy, '128');
  const reduce = build.pipeline[2]!;
  reduce.parallelism = 129;
  expectPlanError(errorOf(build.pipeline), 'SAGE_PLAN_PARALLELISM', reduce, '128');
});

test('the standard input has one reader', () => {
  const build = new PipelineBuilder();
  const first = build.file({ type: 'textLines', path: '-' }, { name: 'first' }, false);
  build.sink(build.union([first, build.file({ type: 'textLines', path: 'a' }, { name: 'a file' })]));
  expect(() => compile(build.pipeline, {}, here)).not.toThrow();
  const second = build.file({ type: 'jsonLines', path: '-' }, { name: 'second' }, false);
  build.sink(second);

  expectPlanError(errorOf(build.pipeline), 'SAGE_PLAN_INPUT_PATH', second, "'first' reads already");
});

test('the standard input is not divided', () => {
  const build = new PipelineBuilder();
  const source = build.file({ type: 'textLines', path: '-' }, { parallelism: 2 }, false);
  build.sink(source);

  expectPlanError(errorOf(build.pipeline), 'SAGE_PLAN_PARALLELISM', source, 'but the standard input cannot be split');
});
