import type { OperatorId } from '../../common/ids.ts';
import { isBuiltinAggregator } from '../../functions/aggregator.ts';
import { Expression } from '../../functions/expressions/expression.ts';
import { columnsOf, type ExpressionNode } from '../../functions/expressions/expression-node.ts';
import { isFieldPath } from '../../functions/field-path.ts';
import type { AggregateTransformation } from '../../transformations/aggregate-transformation.ts';
import type { BaseTransformation } from '../../transformations/base-transformation.ts';
import { isTolerant } from '../../transformations/error-policy.ts';
import type { KeyByTransformation } from '../../transformations/key-by-transformation.ts';
import type { Transformation } from '../../transformations/transformation.ts';
import type { AssignTimestampsTransformation } from '../../transformations/assign-timestamps-transformation.ts';
import type { WindowTransformation } from '../../transformations/window-transformation.ts';
import type { PlanConfig } from '../compile-options.ts';
import { runsInCore } from '../native-aggregates.ts';
import { windowKeeper } from '../windows.ts';
import { timedOperators } from './event-time.ts';
import type { Pipeline } from '../logical-plan.ts';
import type { AggregatorSpec } from '../physical-plan.ts';

/** Where an operator runs that names what it does by fields and expressions. */
export interface CorePlace {
  /** Whether the core runs it, on the thread of the reader or aggregate before it or, an aggregate, on one of its own. */
  readonly inCore: boolean;
  /** Why not, in words that go on behind its name: `has an error policy`. */
  readonly why: string | undefined;
}

/** A name that something without fields has too: the core and JavaScript would not read the same. */
const UNUSUAL_NAME = /^(?:length|__proto__|\d+)$/;

/**
 * The operators behind readers of the core that could run there, by id: those that do without JavaScript, from the reader on as long as there
 * is nothing else. Operators that are functions are not in the list.
 */
export function findCoreOperators(pipeline: Pipeline, config: PlanConfig): ReadonlyMap<OperatorId, CorePlace> {
  const places = new Map<OperatorId, CorePlace>();
  const timed = timedOperators(pipeline);
  const consumers = Map.groupBy(
    pipeline.flatMap((to) => to.inputs.map((from) => ({ from, to }))),
    ({ from }) => from,
  );
  const consumersOf = (of: BaseTransformation): readonly Transformation[] => (consumers.get(of) ?? []).map(({ to }) => to as Transformation);
  const isInCore = (of: BaseTransformation): boolean => isReader(of as Transformation) || places.get(of.id)?.inCore === true;
  for (const transformation of pipeline as readonly Transformation[]) {
    const [input] = transformation.inputs;
    if (input === undefined || !isInCore(input) || !namesWhatItDoes(transformation)) continue;
    const why = consumersOf(input).length > 1 ? `is one of several behind '${input.name}'` : whyNot(transformation, { consumers: consumersOf(transformation), takesTime: timed[input.id]!, hasOwnClock: config.clock !== undefined });
    places.set(transformation.id, { inCore: why === undefined, why });
  }
  return places;
}

function isReader(transformation: Transformation): boolean {
  return transformation.kind === 'source' && transformation.source.form === 'native' && transformation.source.spec.type !== 'textLines';
}

/** Whether it says what it does by fields and expressions alone. */
function namesWhatItDoes(transformation: Transformation): boolean {
  switch (transformation.kind) {
    case 'filter':
      return Expression.is(transformation.fn);
    case 'select':
      return true;
    case 'keyBy':
      return Expression.is(transformation.selector) || isFieldPath(transformation.selector);
    case 'assignTimestamps':
      return isFieldPath(transformation.selector);
    case 'window':
      return transformation.result.kind === 'aggregate' && namesInputs(transformation.result.spec);
    case 'aggregate':
      return namesInputs(transformation.spec);
    default:
      return false;
  }
}

function namesInputs(spec: AggregatorSpec): boolean {
  return Object.values(spec).every((one) => isBuiltinAggregator(one) && typeof one.input !== 'function');
}

/** What is around an operator. */
interface Surroundings {
  readonly consumers: readonly Transformation[];
  /** Whether the records that it takes have an event time. */
  readonly takesTime: boolean;
  /** The core goes by the machine's clock. */
  readonly hasOwnClock: boolean;
}

function whyNot(transformation: Transformation, around: Surroundings): string | undefined {
  if (isTolerant(transformation.errorPolicy)) return 'has an error policy';
  if (transformation.inMain === true) return 'has to run in the main isolate';
  switch (transformation.kind) {
    case 'filter':
      return whyNotMoved(transformation) ?? whyNotExpression(Expression.nodeOf(transformation.fn as Expression<never, unknown, string>));
    case 'select':
      return whyNotMoved(transformation) ?? transformation.columns.map(([name, one]) => whyNotName(name) ?? whyNotExpression(Expression.nodeOf(one))).find((why) => why !== undefined);
    case 'keyBy':
      return whyNotKey(transformation, around);
    case 'assignTimestamps':
      return whyNotMoved(transformation) ?? whyNotTimestamps(transformation, around);
    case 'window':
      return whyNotWindows(transformation, around) ?? (transformation.keyed ? undefined : whyNotInputs(transformation.result.kind === 'aggregate' ? transformation.result.spec : {}));
    case 'aggregate':
      // A keyed one is where its keyBy has sent everything that it needs.
      return whyNotEmitted(transformation) ?? (transformation.keyed ? undefined : whyNotInputs(transformation.spec));
    default:
      return 'is a function';
  }
}

/** It runs on the thread of what is before it, and so in as many instances. */
function whyNotMoved({ parallelism }: Transformation): string | undefined {
  return parallelism === undefined ? undefined : 'has a parallelism of its own';
}

function whyNotTimestamps({ selector, settings }: AssignTimestampsTransformation, { hasOwnClock }: Surroundings): string | undefined {
  if (settings.idleMs !== undefined) return 'has idleMs';
  if (hasOwnClock && settings.maxAheadMs !== Number.POSITIVE_INFINITY) return 'goes by the clock of the environment';
  return isFieldPath(selector) ? whyNotPath(selector.segments) : 'is a function';
}

function whyNotWindows({ result, settings, errorPolicy }: WindowTransformation, { takesTime }: Surroundings): string | undefined {
  if (windowKeeper(result, settings) !== 'core') return 'has windows that need JavaScript';
  if (settings.lateTag !== undefined) return 'gives late records to a side output';
  if (isTolerant(errorPolicy)) return 'has windows with an error policy';
  const { trigger, assigner } = settings;
  const usesClock = trigger.kind === 'processingTime' || (trigger.kind === 'early' && trigger.early.kind === 'processingTime');
  if (usesClock || (!takesTime && assigner.kind !== 'count' && assigner.kind !== 'global')) return 'has windows that go by the clock';
  return undefined;
}

function whyNotKey(keyBy: KeyByTransformation, around: Surroundings): string | undefined {
  if (keyBy.strategy !== 'hash') return `has the strategy '${keyBy.strategy}'`;
  const [behind, ...others] = around.consumers;
  if (others.length > 0 || (behind?.kind !== 'aggregate' && behind?.kind !== 'window')) return 'has something else than one aggregate behind it';
  const why = behind.kind === 'window' ? whyNotWindows(behind, around) : whyNotAggregate(behind);
  if (why !== undefined) return why;
  const { selector } = keyBy;
  const own = Expression.is(selector) ? whyNotExpression(Expression.nodeOf(selector)) : isFieldPath(selector) ? whyNotPath(selector.segments) : 'is a function';
  return own ?? whyNotInputs(behind.kind === 'aggregate' ? behind.spec : behind.result.kind === 'aggregate' ? behind.result.spec : {});
}

function whyNotAggregate({ spec, emit, errorPolicy }: AggregateTransformation): string | undefined {
  if (!runsInCore(spec, emit)) return `has an aggregate behind it that needs JavaScript`;
  return isTolerant(errorPolicy) ? 'has an aggregate with an error policy behind it' : undefined;
}

function whyNotInputs(spec: AggregatorSpec): string | undefined {
  for (const aggregator of Object.values(spec)) {
    if (!isBuiltinAggregator(aggregator)) return 'has an aggregator of your own behind it';
    const { input } = aggregator;
    const why = typeof input === 'function' ? 'has a function in its aggregate' : Expression.is(input) ? whyNotExpression(Expression.nodeOf(input)) : input === undefined ? undefined : whyNotPath(input.segments);
    if (why !== undefined) return why;
  }
  return undefined;
}

function whyNotEmitted({ spec, emit }: AggregateTransformation): string | undefined {
  if (!runsInCore(spec, emit)) return 'needs JavaScript';
  return emit === 'final' ? undefined : 'gives running results';
}

/** A path may lead through arrays and texts, an expression may not: only where both are the same the core reads it. */
function whyNotPath(segments: readonly string[]): string | undefined {
  return segments.length === 1 && !UNUSUAL_NAME.test(segments[0]!) ? whyNotName(segments[0]!) : `reads the path ${segments.join('.')}: write it as an expression, col(...)`;
}

function whyNotExpression(node: ExpressionNode): string | undefined {
  return columnsOf(node).flatMap(({ path }) => path.segments.map(whyNotName)).find((why) => why !== undefined);
}

function whyNotName(name: string): string | undefined {
  return name.isWellFormed() ? undefined : 'names a field with half a surrogate pair';
}
