import { isMainSink } from '../../transformations/sink-descriptor.ts';
import { sourceInstances } from '../../transformations/source-descriptor.ts';
import { SourceTimestampsTransformation } from '../../transformations/source-timestamps-transformation.ts';
import type { Transformation } from '../../transformations/transformation.ts';
import { hasCheckpoints } from '../../transformations/checkpoint-settings.ts';
import { type CompileOptions, KEY_GROUPS, type PlanConfig } from '../compile-options.ts';
import type { KeyedRegion, Pipeline } from '../logical-plan.ts';
import type { OperatorId } from '../../common/ids.ts';
import type { CorePlace } from './core-operators.ts';
import { type AutoChoice, choiceByInput, isReader, mayBeElastic, plannedChoice, type ResolvedInput, sourceChoice } from './auto-parallelism.ts';
import { timedOperators } from './event-time.ts';
import { findLoops } from './loops.ts';
import { regionKey } from './region-key.ts';
import { singleInstanceReason } from './single-instance-reason.ts';

/** A parallelism with its reason, and the region's on a keyBy. */
export interface ResolvedParallelism extends AutoChoice {
  readonly region: KeyedRegion | undefined;
}

/** What `'auto'` means in one pipeline. */
interface AutoRules {
  readonly options: CompileOptions;
  /** For keys. */
  readonly planned: AutoChoice;
  /** For what can get instances while it runs; `undefined` when `planned` is for all. */
  readonly growing: AutoChoice | undefined;
  /** Operators of the core. */
  readonly places: ReadonlyMap<OperatorId, CorePlace>;
}

const DEFAULT: AutoChoice = { parallelism: 1, reason: 'the default', elastic: false };

/**
 * How many instances each operator has, by operator id. The first of these that there is: the only number that the
 * operator can have, what the user set on it, that of its keyed region, that of the environment, 1.
 */
export function resolveParallelism(
  pipeline: Pipeline,
  config: PlanConfig,
  options: CompileOptions,
  places: ReadonlyMap<OperatorId, CorePlace>,
): readonly ResolvedParallelism[] {
  const planned = plannedChoice(pipeline, options);
  if (!mayBeElastic(config, options)) return resolveAll(pipeline, config, { options, planned, growing: undefined, places });
  if (hasCheckpoints(config)) {
    const fromTheStart: AutoChoice = {
      parallelism: options.cores,
      reason: "'auto': one for each processor from the start, as none come later in a job with checkpoints",
      elastic: false,
    };
    return resolveAll(pipeline, config, { options, planned, growing: fromTheStart, places });
  }
  const elastic: AutoChoice = {
    parallelism: options.cores,
    reason: "'auto': one at first, and another whenever it stays the bottleneck",
    elastic: true,
  };
  const resolved = resolveAll(pipeline, config, { options, planned, growing: elastic, places });
  const inWorkers = firstInWorkers(pipeline, resolved, places);
  if (inWorkers === undefined) return resolved;
  // Threads that run anyway are used from the start.
  const atOnce: AutoChoice = {
    parallelism: options.cores,
    reason: `'auto': one for each processor, as '${inWorkers.name}' needs worker threads anyway`,
    elastic: false,
  };
  return resolveAll(pipeline, config, { options, planned, growing: atOnce, places });
}

/** The first operator that is in worker threads whatever the elastic ones do. */
function firstInWorkers(pipeline: Pipeline, resolved: readonly ResolvedParallelism[], places: AutoRules['places']): Transformation | undefined {
  return (pipeline as readonly Transformation[]).find((transformation) => {
    const { parallelism, elastic } = resolved[transformation.id]!;
    if (places.get(transformation.id)?.inCore === true || elastic || parallelism === 1 || transformation.inMain === true || isReader(transformation)) return false;
    return transformation.kind !== 'sink' || (transformation.sink.form !== 'native' && !isMainSink(transformation.sink));
  });
}

function resolveAll(pipeline: Pipeline, config: PlanConfig, rules: AutoRules): readonly ResolvedParallelism[] {
  const resolved: ResolvedParallelism[] = [];
  const timed = timedOperators(pipeline);
  const loops = findLoops(pipeline);
  for (const transformation of pipeline as readonly Transformation[]) {
    const inputs = transformation.inputs.map((input): ResolvedInput => ({
      transformation: input as Transformation,
      inCore: rules.places.get(input.id)?.inCore === true,
      ...resolved[input.id]!,
      timed: timed[input.id]!,
    }));
    if (transformation.kind === 'sideOutput') {
      const [input] = inputs as [ResolvedInput];
      const { parallelism, elastic } = input;
      resolved.push({ parallelism, elastic, reason: `as '${input.transformation.name}', beside whose results it is`, region: undefined });
      continue;
    }
    if (transformation instanceof SourceTimestampsTransformation && transformation.readsGiven) {
      const [{ parallelism, transformation: source }] = inputs as [ResolvedInput];
      resolved.push({ parallelism, elastic: false, reason: `as '${source.name}', which gives the timestamps`, region: undefined });
      continue;
    }
    if (transformation.kind === 'fillFuture' && transformation.parallelism === undefined) {
      const [{ parallelism, transformation: before }] = inputs as [ResolvedInput];
      resolved.push({ parallelism, elastic: false, reason: `as '${before.name}', whose records it sends back`, region: undefined });
      continue;
    }
    const isFused = rules.places.get(transformation.id)?.inCore === true && (transformation.kind === 'filter' || transformation.kind === 'select');
    if (isFused) {
      const [{ parallelism, transformation: before }] = inputs as [ResolvedInput];
      resolved.push({ parallelism, elastic: false, reason: `as '${before.name}', on whose threads it runs`, region: undefined });
      continue;
    }
    const keyBy = regionKey(transformation);
    // Who comes later to a loop would have to take part in finding its end from the start.
    const own = resolveOne(transformation, keyBy === undefined ? undefined : resolved[keyBy.id]?.region, config, loops.of[transformation.id] === undefined ? rules : { ...rules, growing: undefined }, inputs);
    resolved.push(transformation.kind === 'keyBy' ? atItsProducer(transformation, own, inputs[0]!, resolved, config, rules) : { ...own, region: undefined });
  }
  return resolved;
}

function resolveOne(
  transformation: Transformation,
  region: KeyedRegion | undefined,
  config: PlanConfig,
  rules: AutoRules,
  inputs: readonly ResolvedInput[],
): AutoChoice {
  const single = singleInstanceReason(transformation);
  if (single !== undefined) return { parallelism: 1, reason: single.reason, elastic: false };
  if (transformation.parallelism === 'auto') return autoChoice(transformation, rules, inputs);
  if (transformation.parallelism !== undefined) {
    return { parallelism: transformation.parallelism, reason: 'set on the operator', elastic: false };
  }
  // A class that is a source gives its records once in each instance: only its user can know that several are right.
  if (transformation.kind === 'source' && sourceInstances(transformation.source) === 'onRequest') {
    return { parallelism: 1, reason: 'a source class has more than one instance only where that is set on it', elastic: false };
  }
  if (region !== undefined) return { parallelism: region.parallelism, reason: region.reason, elastic: false };
  if (config.parallelism === 'auto') return autoChoice(transformation, rules, inputs);
  if (config.parallelism === undefined) return DEFAULT;
  return { parallelism: config.parallelism, reason: "the environment's", elastic: false };
}

function autoChoice(transformation: Transformation, { options, planned, growing }: AutoRules, inputs: readonly ResolvedInput[]): AutoChoice {
  if (transformation.kind === 'source') return sourceChoice(transformation, options);
  const isKeyed = transformation.kind === 'keyBy' || regionKey(transformation) !== undefined;
  if (growing === undefined || isKeyed) return planned;
  return choiceByInput(transformation, inputs, growing, planned);
}

/** The key is evaluated where the records are; the parallelism of a keyBy is that of what is behind it. */
function atItsProducer(
  transformation: Extract<Transformation, { kind: 'keyBy' }>,
  own: KeyedRegion,
  producer: ResolvedInput,
  resolved: readonly ResolvedParallelism[],
  config: PlanConfig,
  { growing, places }: AutoRules,
): ResolvedParallelism {
  const { region, elastic } = resolved[producer.transformation.id]!;
  const set = own.reason === 'set on the operator';
  const wanted = producer.transformation.parallelism ?? config.parallelism;
  // Readers are in the core: that there are several of them is no reason to start as many workers for their keys.
  const grows = places.get(transformation.id)?.inCore !== true && growing?.elastic === true && isReader(producer.transformation) && producer.parallelism > 1 && wanted === 'auto';
  return {
    ...(grows
      ? growing
      : { parallelism: region?.parallelism ?? producer.parallelism, elastic, reason: 'the key is evaluated where the records are' }),
    region: {
      parallelism: Math.min(own.parallelism, KEY_GROUPS),
      reason: set ? `set on the keyBy '${transformation.name}'` : own.reason,
    },
  };
}
