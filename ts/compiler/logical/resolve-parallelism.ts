import { sourceInstances } from '../../transformations/source-descriptor.ts';
import type { Transformation } from '../../transformations/transformation.ts';
import { type CompileOptions, KEY_GROUPS, type PlanConfig } from '../compile-options.ts';
import type { KeyedRegion, Pipeline } from '../logical-plan.ts';
import { regionKey } from './region-key.ts';
import { singleInstanceReason } from './single-instance-reason.ts';

/** A parallelism with its reason, and the region's on a keyBy. */
export interface ResolvedParallelism extends KeyedRegion {
  readonly region: KeyedRegion | undefined;
}

/** Records from which on `'auto'` takes an array for more work than starting threads costs. */
const AUTO_MIN_RECORDS = 100_000;

/**
 * How many instances each operator has, by operator id. The first of these that there is: the only number that the
 * operator can have, what the user set on it, that of its keyed region, that of the environment, 1.
 */
export function resolveParallelism(
  pipeline: Pipeline,
  config: PlanConfig,
  options: CompileOptions,
): readonly ResolvedParallelism[] {
  const auto = chooseAuto(pipeline, options);
  const fallback = environmentDefault(config, auto);
  const resolved: ResolvedParallelism[] = [];
  for (const transformation of pipeline as readonly Transformation[]) {
    if (transformation.kind === 'sideOutput') {
      const [input] = transformation.inputs;
      resolved.push({ parallelism: resolved[input!.id]!.parallelism, reason: `as '${input!.name}', beside whose results it is`, region: undefined });
      continue;
    }
    const keyBy = regionKey(transformation);
    const own = resolveOne(transformation, keyBy === undefined ? undefined : resolved[keyBy.id]?.region, auto, fallback);
    resolved.push(transformation.kind === 'keyBy' ? atItsProducer(transformation, own, resolved) : { ...own, region: undefined });
  }
  return resolved;
}

function resolveOne(
  transformation: Transformation,
  region: KeyedRegion | undefined,
  auto: KeyedRegion,
  fallback: KeyedRegion,
): KeyedRegion {
  const single = singleInstanceReason(transformation);
  if (single !== undefined) return { parallelism: 1, reason: single.reason };
  if (transformation.parallelism === 'auto') return auto;
  if (transformation.parallelism !== undefined) {
    return { parallelism: transformation.parallelism, reason: 'set on the operator' };
  }
  // A class that is a source gives its records once in each instance: only its user can know that several are right.
  if (transformation.kind === 'source' && sourceInstances(transformation.source) === 'onRequest') {
    return { parallelism: 1, reason: 'a source class has more than one instance only where that is set on it' };
  }
  if (region !== undefined) return { parallelism: region.parallelism, reason: region.reason };
  return fallback;
}

/** The key is evaluated where the records are; the parallelism of a keyBy is that of what is behind it. */
function atItsProducer(
  transformation: Extract<Transformation, { kind: 'keyBy' }>,
  own: KeyedRegion,
  resolved: readonly ResolvedParallelism[],
): ResolvedParallelism {
  const producer = resolved[transformation.inputs[0]!.id]!;
  const parallelism = producer.region?.parallelism ?? producer.parallelism;
  const set = own.reason === 'set on the operator';
  return {
    parallelism,
    reason: 'the key is evaluated where the records are',
    region: {
      parallelism: Math.min(own.parallelism, KEY_GROUPS),
      reason: set ? `set on the keyBy '${transformation.name}'` : own.reason,
    },
  };
}

function environmentDefault(config: PlanConfig, auto: KeyedRegion): KeyedRegion {
  if (config.parallelism === 'auto') return auto;
  if (config.parallelism === undefined) return { parallelism: 1, reason: 'the default' };
  return { parallelism: config.parallelism, reason: "the environment's" };
}

/** `'auto'`: all processors for input that is large as far as can be told without reading it, else one instance. */
function chooseAuto(pipeline: Pipeline, options: CompileOptions): KeyedRegion {
  if (!options.importable) return { parallelism: 1, reason: "'auto': without worker threads more instances would gain nothing" };
  const large = (pipeline as readonly Transformation[]).find((transformation) => {
    if (transformation.kind !== 'source') return false;
    const { source } = transformation;
    return source.form === 'collection' ? source.items.length >= AUTO_MIN_RECORDS : source.form === 'native' && source.splittable;
  });
  if (large === undefined) return { parallelism: 1, reason: "'auto': no source is known to be large" };
  return { parallelism: Math.max(1, options.cores), reason: `'auto': one for each processor, as '${large.name}' may be large` };
}
