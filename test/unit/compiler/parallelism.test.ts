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

/** The same, as `explain` says it: `1+` for an operator that may become as many as there are processors. */
function autos(build: PipelineBuilder, config: PlanConfig = { parallelism: 'auto' }, options: Partial<CompileOptions> = {}): Record<string, number | string> {
  const { operators } = compile(build.pipeline, config, { ...here, cores: 8, ...options }).logical;
  return Object.fromEntries(operators.map(({ name, region, parallelism, elastic }) => [name, elastic ? `1 to ${parallelism}` : (region ?? { parallelism }).parallelism]));
}

/** Why an operator has its parallelism. */
function reasonFor(name: string, build: PipelineBuilder, config: PlanConfig = { parallelism: 'auto' }, options: Partial<CompileOptions> = {}): string {
  const { operators } = compile(build.pipeline, config, { ...here, cores: 8, ...options }).logical;
  return operators.find((operator) => operator.name === name)!.parallelismReason;
}

const lines = { type: 'textLines', path: 'in.txt' } as const;
const parts = { form: 'native', spec: { type: 'textLines', path: 'out/' } } as const;

describe("'auto' for an array", () => {
  const pipelineOver = (records: number): PipelineBuilder => {
    const build = new PipelineBuilder();
    build.sink(build.map(build.collection(new Array<number>(records).fill(0))));
    return build;
  };

  test('is one instance for few records, also behind it, as an exchange may cost more than it gains', () => {
    expect(autos(pipelineOver(1000))).toStrictEqual({ source: 1, map: 1, sink: 1 });
    expect(reasonFor('map', pipelineOver(1000))).toMatch(/^'auto': it stays with its input, .* call \.parallelism\('auto'\) on it to let it grow$/);
  });

  test('is one for each processor for many', () => {
    expect(autos(pipelineOver(200_000))).toStrictEqual({ source: 8, map: 8, sink: 1 });
  });

  test('is one instance where no worker could take a second', () => {
    expect(autos(pipelineOver(200_000), undefined, { importable: false })).toStrictEqual({ source: 1, map: 1, sink: 1 });
  });
});

describe("'auto' for a file", () => {
  const counted = (): PipelineBuilder => {
    const build = new PipelineBuilder();
    build.sink(build.reduce(build.keyBy(build.file(lines))));
    return build;
  };

  test('is one reader for each processor where nothing is known of it', () => {
    expect(autos(counted())).toStrictEqual({ source: 8, keyBy: 8, reduce: 8, sink: 1 });
  });

  test('is as many readers as its size is worth, and so are the keyed instances behind it', () => {
    expect(autos(counted(), undefined, { splits: new Map([[0, 3]]) })).toStrictEqual({ source: 3, keyBy: 3, reduce: 3, sink: 1 });
    expect(autos(counted(), undefined, { splits: new Map([[0, 100]]) })).toStrictEqual({ source: 8, keyBy: 8, reduce: 8, sink: 1 });
    expect(reasonFor('source', counted(), undefined, { splits: new Map([[0, 3]]) })).toBe("'auto': 3, which the size of 'source' is worth");
  });

  test('is one instance of everything that has state for a small file, and no worker', () => {
    const { physical } = compile(counted().pipeline, { parallelism: 'auto' }, { ...here, cores: 8, splits: new Map([[0, 1]]) });

    expect(autos(counted(), undefined, { splits: new Map([[0, 1]]) })).toMatchObject({ source: 1, keyBy: 1, reduce: 1 });
    expect(physical.isolates).toMatchObject({ workers: 0, main: true });
  });

  test('of several, the one that is worth most decides for keys', () => {
    const build = new PipelineBuilder();
    build.sink(build.reduce(build.keyBy(build.union([build.file(lines, { name: 'small' }), build.file(lines, { name: 'large' })]))));

    expect(autos(build, undefined, { splits: new Map([[0, 1], [1, 5]]) })).toMatchObject({ small: 1, large: 5, keyBy: 5, reduce: 5 });
  });
});

describe("'auto' for an operator without state", () => {
  test('behind a reader is one instance that may become one for each processor', () => {
    const build = new PipelineBuilder();
    const mapped = build.filter(build.map(build.file(lines)));
    build.sink(mapped, { name: 'array' });
    build.sink(mapped, { name: 'class' }, classSink);

    expect(autos(build)).toStrictEqual({ source: 8, map: '1 to 8', filter: '1 to 8', array: 1, class: '1 to 8' });
    expect(reasonFor('map', build)).toBe("'auto': one at first, and another whenever it stays the bottleneck");
  });

  test('does so also behind a reader of a file that cannot be split', () => {
    const build = new PipelineBuilder();
    build.sink(build.map(build.file(lines, {}, false)));

    expect(autos(build)).toStrictEqual({ source: 1, map: '1 to 8', sink: 1 });
  });

  test('set on it, lets it grow wherever it is, and not the operators behind it', () => {
    const build = new PipelineBuilder();
    build.sink(build.map(build.map(build.generator(), { name: 'heavy', parallelism: 'auto' }), { name: 'next' }));

    expect(autos(build, {})).toStrictEqual({ source: 1, heavy: '1 to 8', next: 1, sink: 1 });
  });

  test('in a union grows when one of its inputs comes from elsewhere: then the others do too', () => {
    const build = new PipelineBuilder();
    const [one, two] = [build.file(lines, { name: 'one' }), build.file(lines, { name: 'two' })];
    const generator = build.generator({ name: 'three' });
    build.sink(build.union([build.map(one), two], { name: 'readers' }));
    build.sink(build.union([one, generator], { name: 'mixed' }), { name: 'sink-2' });

    build.sink(build.union([build.map(generator, { name: 'same' }), generator], { name: 'one stage' }), { name: 'sink-3' });

    expect(autos(build)).toMatchObject({ map: '1 to 8', readers: '1 to 8', mixed: '1 to 8', same: 1, 'one stage': 1 });
  });

  test.each<[string, Partial<CompileOptions>, PlanConfig, string]>([
    ['no worker can import it', { importable: false }, {}, 'without worker threads'],
    ['there is one processor', { cores: 1 }, {}, 'there is one processor'],
    ['the environment is isolated', {}, { isolated: true }, 'may be large'],
  ])('does not grow where %s', (_, options, config, reason) => {
    const build = new PipelineBuilder();
    build.sink(build.map(build.file(lines)));

    const { logical, physical } = compile(build.pipeline, { parallelism: 'auto', ...config }, { ...here, cores: 8, ...options });

    expect(logical.operators.some(({ elastic }) => elastic)).toBe(false);
    expect(physical.isolates.lateWorkers).toBe(0);
    expect(reasonFor('map', build, { parallelism: 'auto', ...config }, options)).toContain(reason);
  });

  test('is one for each processor from the start where another operator needs worker threads anyway', () => {
    const build = new PipelineBuilder();
    build.sink(build.map(build.file(lines)));
    build.sink(build.map(build.generator(), { name: 'wide', parallelism: 3 }), { name: 'other' }, classSink);

    expect(autos(build)).toMatchObject({ map: 8, wide: 3 });
    expect(reasonFor('map', build)).toBe("'auto': one for each processor, as 'wide' needs worker threads anyway");
  });

  test('in the main isolate, by inMain(), is one', () => {
    const build = new PipelineBuilder();
    build.sink(build.map(build.file(lines), { inMain: true }));

    expect([autos(build)['map'], reasonFor('map', build)]).toStrictEqual([1, "'auto': inMain() was called"]);
  });
});

describe("'auto' for what has state, and for files", () => {
  test('is decided before the job runs: keys cannot move to an instance that comes later', () => {
    const build = new PipelineBuilder();
    build.sink(build.map(build.reduce(build.map(build.keyBy(build.file(lines)), { name: 'keyed' })), { name: 'behind' }), {}, classSink);

    expect(autos(build)).toStrictEqual({ source: 8, keyBy: 8, keyed: 8, reduce: 8, behind: 8, sink: 8 });
    const small = new PipelineBuilder();
    small.sink(small.reduce(small.map(small.keyBy(small.generator()), { name: 'keyed', parallelism: 'auto' })));
    expect(autos(small)).toStrictEqual({ source: 1, keyBy: 1, keyed: 1, reduce: 1, sink: 1 });
  });

  test('leaves what is global at one, and lets the evaluation of a key grow before one instance of state', () => {
    const build = new PipelineBuilder();
    build.sink(build.reduce(build.map(build.file(lines)), { name: 'total' }));
    build.sink(build.reduce(build.keyBy(build.file(lines, { name: 'more' }), { parallelism: 1 })), { name: 'sink-2' });

    expect(autos(build)).toMatchObject({ map: '1 to 8', total: 1, keyBy: '1 to 8', 'reduce-2': 1 });
  });

  test('is at most the number of key groups behind a key', () => {
    const build = new PipelineBuilder();
    build.sink(build.reduce(build.keyBy(build.file(lines))));

    expect(autos(build, undefined, { cores: 500 })).toMatchObject({ keyBy: 128, reduce: 128 });
  });

  test('writes as many parts as there are, or may be, instances before', () => {
    const build = new PipelineBuilder();
    build.sink(build.map(build.file(lines)), {}, parts);
    build.sink(build.generator({ name: 'one' }), { name: 'sink-2' }, { form: 'native', spec: { type: 'textLines', path: 'other/' } });

    expect(autos(build)).toMatchObject({ map: '1 to 8', sink: 8, 'sink-2': 1 });
    expect(reasonFor('sink', build)).toBe("'auto': as many as 'map' has");
  });
});
