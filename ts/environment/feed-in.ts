import { planError } from '../common/errors.ts';
import type { SageError } from '../common/errors.ts';
import { lambdaFunction } from '../functions/user-function.ts';
import { setPipelineOrigin } from '../runtime/worker/pipeline-origin.ts';
import { AssignTimestampsTransformation } from '../transformations/assign-timestamps-transformation.ts';
import { BaseTransformation } from '../transformations/base-transformation.ts';
import type { DeadLetter } from '../transformations/dead-letter.ts';
import { FillFutureTransformation } from '../transformations/fill-future-transformation.ts';
import { KeyByTransformation } from '../transformations/key-by-transformation.ts';
import { MapTransformation } from '../transformations/map-transformation.ts';
import { SourceTransformation } from '../transformations/source-transformation.ts';
import type { StreamEnvironment } from '../transformations/stream-environment.ts';
import { UnionTransformation } from '../transformations/union-transformation.ts';
import { LocalEnvironment } from './local-environment.ts';

/** Dead letters of one operator that are to go through it again. */
export interface Feed {
  /** Name of the operator that failed at them. */
  readonly operator: string;
  /** The letters from the first one on; called once a job. */
  readonly letters: () => AsyncIterable<DeadLetter<unknown>>;
  /** How far apart the event times of the letters are, in milliseconds; undefined when one of them has none. */
  readonly spanMs: number | undefined;
}

/**
 * The part of a pipeline that is behind the operators which failed at the letters, in an environment of its own: its sources
 * are the records of the letters, with their keys and event times, in place of those of the pipeline. The environment that is
 * given must not be used any more.
 *
 * @throws SageError SAGE_PLAN_ARGUMENT for an operator that the pipeline does not have, or that cannot be fed.
 */
export function feedIn(environment: StreamEnvironment, feeds: readonly Feed[]): LocalEnvironment {
  const { pipeline } = environment;
  const feedOf = new Map(feeds.map((feed) => [findOperator(environment, feed.operator), feed]));
  const kept = behind(pipeline, [...feedOf.keys()]);
  const part = new LocalEnvironment(environment.name, environment.config);
  setPipelineOrigin(part, { kind: 'none', reason: 'it is a part of a pipeline, fed with dead letters', isWanted: true });
  for (const operator of pipeline) {
    if (!kept.has(operator)) continue;
    const feed = feedOf.get(operator);
    const inputs = operator.inputs.filter((input) => kept.has(input));
    if (feed !== undefined) BaseTransformation.reconnect(operator, fedInputs(part, operator, feed, inputs));
    else if (inputs.length < operator.inputs.length) BaseTransformation.reconnect(operator, unionOf(operator, inputs));
    part.add(operator);
  }
  return part;
}

function findOperator({ name, pipeline }: StreamEnvironment, operator: string): BaseTransformation {
  const found = pipeline.find((candidate) => candidate.name === operator);
  if (found !== undefined) return found;
  const names = pipeline.filter(({ errorPolicy }) => errorPolicy !== undefined).map((candidate) => `'${candidate.name}'`);
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: `there are dead letters of '${operator}', an operator that the pipeline '${name}' does not have`,
    expected: names.length === 0 ? 'an operator of the pipeline' : `one of ${names.join(', ')}`,
    fix: 'Give the program that has written the letters, with the names it had then.',
    found: `'${operator}'`,
    declaredAt: (pipeline[0] ?? { declaredAt: { file: name, line: 1, column: 1 } }).declaredAt,
  });
}

/** Everything that records of these operators can reach, and the operators themselves. */
function behind(pipeline: readonly BaseTransformation[], operators: readonly BaseTransformation[]): ReadonlySet<BaseTransformation> {
  const reached = new Set(operators);
  for (let size = -1; size < reached.size; ) {
    size = reached.size;
    for (const operator of pipeline) {
      if (operator.inputs.some((input) => reached.has(input))) reached.add(operator);
      if (operator instanceof FillFutureTransformation && reached.has(operator)) reached.add(operator.future);
    }
  }
  return reached;
}

/** Inputs of an operator of which some are not fed: only a union can do without. */
function unionOf(operator: BaseTransformation, inputs: readonly BaseTransformation[]): readonly BaseTransformation[] {
  if (operator instanceof UnionTransformation) return inputs;
  throw cannotFeed(operator, `takes records of several streams, of which the letters reach only ${inputs.length}`, 'operators behind the one that failed with no other input, or a union');
}

/** The records of the letters, and what comes from other operators that are fed. */
function fedInputs(part: LocalEnvironment, operator: BaseTransformation, feed: Feed, own: readonly BaseTransformation[]): readonly BaseTransformation[] {
  if (operator.inputs.length !== 1) throw cannotFeed(operator, `has ${operator.inputs.length} inputs, and a letter does not say from which its record came`, 'an operator with one input');
  const [input] = operator.inputs;
  const isKeyed = input!.keyedBy !== undefined;
  if (own.length > 0 && isKeyed) throw cannotFeed(operator, 'is keyed and behind another operator whose letters are fed in', `letters of one of the two at a time: --operator '${feed.operator}'`);
  const name = `dead letters of ${feed.operator}`;
  const { declaredAt } = operator;
  const named = <X extends BaseTransformation>(transformation: X, suffix = ''): X => {
    transformation.name = `${name}${suffix}`;
    return part.add(transformation);
  };
  let letters: BaseTransformation = named(
    new SourceTransformation({ form: 'iterable', name, open: () => feed.letters()[Symbol.asyncIterator](), async: 'yes', replay: 'again', bounded: true }, declaredAt),
  );
  if (isTimed(input!)) {
    if (feed.spanMs === undefined) throw cannotFeed(operator, 'works by event time, and not all of its letters say theirs', 'letters with a timestamp');
    const settings = { outOfOrdernessMs: feed.spanMs, idleMs: undefined, maxAheadMs: Number.MAX_SAFE_INTEGER };
    letters = named(new AssignTimestampsTransformation(letters, ({ timestamp }: DeadLetter<unknown>) => timestamp, settings, declaredAt), ', by time');
  }
  if (isKeyed) letters = named(new KeyByTransformation(letters, lambdaFunction(({ key }: DeadLetter<unknown>) => key), 'hash', declaredAt), ', by key');
  const records = named(new MapTransformation(letters, lambdaFunction(({ record }: DeadLetter<unknown>) => record), declaredAt), ', records');
  return own.length === 0 ? [records] : [named(new UnionTransformation([records, ...own], declaredAt), ', and others')];
}

/** Whether records that come from here were given event time somewhere above. */
function isTimed(operator: BaseTransformation): boolean {
  return operator instanceof AssignTimestampsTransformation || operator.inputs.some(isTimed);
}

function cannotFeed(operator: BaseTransformation, why: string, expected: string): SageError {
  return planError('SAGE_PLAN_ARGUMENT', {
    message: `dead letters cannot go through this part of the pipeline again: '${operator.name}' ${why}`,
    expected,
    fix: 'Read the letters with FileSource.jsonLines in a program of your own.',
    declaredAt: operator.declaredAt,
    operator: operator.name,
  });
}
