import fc from 'fast-check';
import { avg, count, sum } from '../../../ts/functions/builtin-aggregators.ts';
import { classFunction } from '../../../ts/functions/user-function.ts';
import type { BaseTransformation, Parallelism } from '../../../ts/transformations/base-transformation.ts';
import { PipelineBuilder } from './pipeline-builder.ts';

class Pass {
  execute(record: unknown): unknown {
    return record;
  }
}

/** One random call; `picks` choose its inputs among the streams that there are. */
interface Step {
  readonly call: 'source' | 'generator' | 'file' | 'map' | 'class' | 'filter' | 'keyBy' | 'reduce' | 'aggregate' | 'union' | 'sink';
  readonly picks: readonly [number, number, number];
  readonly parallelism: Parallelism | undefined;
  readonly strategy: 'hash' | 'broadcast' | 'roundRobin';
  readonly inMain: boolean;
}

/** How far back an input is: mostly the last streams, so that chains become long and diamonds close. */
const pick = fc.oneof(fc.constant(0), fc.nat(2), fc.nat(30));

const step: fc.Arbitrary<Step> = fc.record({
  call: fc.constantFrom('source', 'generator', 'file', 'map', 'map', 'class', 'filter', 'keyBy', 'keyBy', 'reduce', 'aggregate', 'aggregate', 'union', 'sink'),
  picks: fc.tuple(pick, pick, pick),
  parallelism: fc.constantFrom<Parallelism | undefined>(undefined, undefined, undefined, undefined, 1, 2, 2, 4, 'auto', 'auto'),
  strategy: fc.constantFrom('hash', 'hash', 'hash', 'broadcast', 'roundRobin'),
  inMain: fc.nat(4).map((n) => n === 0),
});

/** Random pipelines that have no plan error: DAGs with fan-out, diamonds, dead branches and streams taken twice. */
export const randomPipeline: fc.Arbitrary<PipelineBuilder> = fc
  .tuple(fc.array(step, { minLength: 1, maxLength: 24, size: 'max' }), fc.nat(3))
  .map(([steps, leftOpen]) => {
  const build = new PipelineBuilder();
  const streams: BaseTransformation[] = [build.collection()];
  for (const one of steps) {
    const next = take(build, one, streams);
    if (next !== undefined) streams.push(next);
  }
  // Streams that nobody took get a sink, but for one in some pipelines: a dead branch.
  const taken = new Set(build.pipeline.flatMap(({ inputs }) => inputs));
  const open = streams.filter((stream) => !taken.has(stream));
  (leftOpen === 0 ? open.slice(1) : open).forEach((stream) => build.sink(stream, {}, { form: 'function', fn: classFunction(Pass) }));
  if (!build.pipeline.some(({ kind }) => kind === 'sink')) build.sink(streams.at(-1)!);
  return build;
});

function take(build: PipelineBuilder, one: Step, streams: readonly BaseTransformation[]): BaseTransformation | undefined {
  const inputs = one.picks.map((pick) => streams[streams.length - 1 - (pick % streams.length)]!);
  const [input] = inputs as [BaseTransformation];
  const properties = { ...(one.parallelism === undefined ? {} : { parallelism: one.parallelism }), ...(one.inMain ? { inMain: true } : {}) };
  const keyed = input.keyedBy !== undefined;
  const mayHaveState = input.keyedBy === undefined || input.keyedBy.strategy === 'hash';
  const counted = keyed ? properties : {};
  switch (one.call) {
    case 'source':
      return build.collection([1, 2], properties);
    case 'generator':
      return build.generator();
    case 'file':
      return build.file({ type: 'jsonLines', path: 'in.jsonl' }, one.parallelism === undefined ? {} : { parallelism: one.parallelism });
    case 'map':
      return build.map(input, properties);
    case 'class':
      return build.map(input, properties, classFunction(Pass));
    case 'filter':
      return build.filter(input, properties);
    case 'keyBy':
      return build.keyBy(input, { ...properties, strategy: one.strategy });
    case 'reduce':
      return mayHaveState ? build.reduce(input, counted) : undefined;
    case 'aggregate':
      return mayHaveState ? build.aggregate(input, { n: count(), total: sum('x'), mean: avg('y') }, counted) : undefined;
    case 'union':
      return build.union(inputs.slice(0, 2 + (one.picks[0] % 2)), properties);
    case 'sink': {
      const parts = { form: 'native', spec: { type: 'jsonLines', path: `out-${build.pipeline.length}/` } } as const;
      if (one.picks[2] % 3 === 0) build.sink(input);
      else build.sink(input, properties, one.picks[2] % 3 === 1 ? { form: 'function', fn: classFunction(Pass) } : parts);
      return undefined;
    }
  }
}
