import { sourceInstances } from '../../transformations/source-descriptor.ts';
import type { SourceTransformation } from '../../transformations/source-transformation.ts';
import type { Transformation } from '../../transformations/transformation.ts';
import type { CompileOptions, PlanConfig } from '../compile-options.ts';
import type { KeyedRegion, Pipeline } from '../logical-plan.ts';

/** What `'auto'` comes to for one operator. */
export interface AutoChoice extends KeyedRegion {
  /** Begins with one instance; `parallelism` is how many it may become while it runs. */
  readonly elastic: boolean;
}

/** What is known of an operator's input when its own turn comes. */
export interface ResolvedInput {
  readonly transformation: Transformation;
  readonly parallelism: number;
  readonly elastic: boolean;
  /** Whether its records have an event time. */
  readonly timed: boolean;
  /** The core runs it, on threads of its own. */
  readonly inCore: boolean;
}

/** Records from which on `'auto'` takes an array for more work than starting threads costs. */
const AUTO_MIN_RECORDS = 100_000;

/** Whether stages of a pipeline may be elastic. In an isolated environment all of it is in worker threads from the start. */
export function mayBeElastic({ isolated }: PlanConfig, options: CompileOptions): boolean {
  return isolated !== true && noGain(options) === undefined;
}

/**
 * For what is decided before the job runs, as keys cannot move to an instance that comes later: as many as the source that
 * can be split most is worth, at most one for each processor.
 */
export function plannedChoice(pipeline: Pipeline, options: CompileOptions): AutoChoice {
  const never = noGain(options);
  if (never !== undefined) return one(never);
  const sources = (pipeline as readonly Transformation[]).filter((transformation) => transformation.kind === 'source');
  const choices = sources.map((source) => sourceChoice(source, options));
  const most = Math.max(1, ...choices.map(({ parallelism }) => parallelism));
  return choices.find(({ parallelism }) => parallelism === most && most > 1) ?? one("'auto': no source is known to be large");
}

/** For a source: as many instances as its input is worth, as far as can be told without reading it. */
export function sourceChoice({ source, id, name }: SourceTransformation, options: CompileOptions): AutoChoice {
  const never = noGain(options);
  if (never !== undefined) return one(never);
  const { cores, splits } = options;
  const worth = source.form === 'native' ? (splits?.get(id) ?? Infinity) : source.form === 'collection' && source.items.length >= AUTO_MIN_RECORDS ? Infinity : 1;
  if (sourceInstances(source) !== 'any' || worth <= 1) return one(`'auto': '${name}' is not known to be large`);
  if (worth < cores) return { parallelism: worth, reason: `'auto': ${worth}, which the size of '${name}' is worth`, elastic: false };
  return { parallelism: cores, reason: `'auto': one for each processor, as '${name}' may be large`, elastic: false };
}

/**
 * For an operator outside of keyed regions. What holds no state that belongs to an instance, and gets its records over an
 * exchange anyway, is `growing`; all else has as many instances as its input has.
 */
export function choiceByInput(
  transformation: Transformation,
  inputs: readonly ResolvedInput[],
  growing: AutoChoice,
  planned: AutoChoice,
): AutoChoice {
  if (transformation.inMain === true) return one("'auto': inMain() was called");
  const isSink = transformation.kind === 'sink' && transformation.sink.form === 'native';
  if (isSink) {
    const most = inputs.reduce((widest, input) => (input.parallelism > widest.parallelism ? input : widest));
    return { parallelism: most.parallelism, reason: `'auto': as many as '${most.transformation.name}' has`, elastic: false };
  }
  const isTimed = transformation.kind === 'assignTimestamps' || inputs.some((input) => input.timed);
  if (!isTimed && canGrow(transformation, inputs)) return growing;
  if (inputs.some((input) => input.parallelism > 1)) return planned;
  if (isTimed) return one("'auto': records with an event time stay together, as at an instance that comes later they would be behind its watermark");
  return one("'auto': it stays with its input, as an exchange may cost more than it gains; call .parallelism('auto') on it to let it grow");
}

/** Whether records can be dealt to any number of instances, and come over an exchange whatever that number is. */
function canGrow(transformation: Transformation, inputs: readonly ResolvedInput[]): boolean {
  // What handlers of several inputs share belongs to one instance.
  if (transformation.kind === 'comap' || transformation.kind === 'join' || transformation.kind === 'broadcastProcess') return false;
  // A key belongs to one instance; `broadcast` copies for each.
  if (inputs.some((input) => input.transformation.keyedBy !== undefined)) return false;
  if (transformation.parallelism === 'auto' || transformation.kind === 'rebalance') return true;
  // One of several is enough: a stage that takes records of others has no source of its own.
  return inputs.some((input) => input.elastic || input.inCore || isReader(input.transformation));
}

/** Whether the operator is read by the core, on threads of its own. */
export function isReader(transformation: Transformation): boolean {
  return transformation.kind === 'source' && transformation.source.form === 'native';
}

/** Why more than one instance of anything would gain nothing. */
function noGain({ importable, notImportableReason, cores }: CompileOptions): string | undefined {
  if (!importable) {
    const why = notImportableReason === undefined ? '' : `, and there can be none: ${notImportableReason}`;
    return `'auto': without worker threads more instances would gain nothing${why}`;
  }
  return cores <= 1 ? "'auto': there is one processor" : undefined;
}

function one(reason: string): AutoChoice {
  return { parallelism: 1, reason, elastic: false };
}
