import type { OperatorId } from '../../common/ids.ts';
import type { FillFutureTransformation } from '../../transformations/fill-future-transformation.ts';
import type { Transformation } from '../../transformations/transformation.ts';
import type { Pipeline } from '../logical-plan.ts';

/** What an operator has to do with feedback loops; by operator id. */
export interface Loops {
  /** The loop that it is in; loops that share an operator are one. */
  readonly of: readonly (number | undefined)[];
  /** The other loops that its records may have gone around in. */
  readonly behind: readonly ReadonlySet<number>[];
  /** Whether all of its records come out of a future, so that nobody knows how far event time is there. */
  readonly timeless: readonly boolean[];
}

/** The operators that send records back. */
export function fillersOf(pipeline: Pipeline): readonly FillFutureTransformation[] {
  return (pipeline as readonly Transformation[]).filter((transformation) => transformation.kind === 'fillFuture');
}

/** Finds the feedback loops of a pipeline. */
export function findLoops(pipeline: Pipeline): Loops {
  const of: (number | undefined)[] = pipeline.map(() => undefined);
  const before = pipeline.map(({ inputs }) => inputs.map(({ id }) => id));
  for (const filler of fillersOf(pipeline)) before[filler.future.id]!.push(filler.id);
  const after = pipeline.map((): OperatorId[] => []);
  before.forEach((inputs, id) => inputs.forEach((input) => after[input]!.push(id)));
  for (const filler of fillersOf(pipeline)) {
    if (of[filler.id] !== undefined) continue;
    const ahead = reached(filler.future.id, after);
    const back = reached(filler.id, before);
    if (ahead.has(filler.id)) for (const id of ahead) if (back.has(id)) of[id] = filler.id;
  }
  const behind = pipeline.map((): Set<number> => new Set());
  pipeline.forEach(({ id }) => {
    const own = of[id];
    if (own === undefined) return;
    for (const below of reached(id, after)) if (of[below] !== own) behind[below]!.add(own);
  });
  const timeless: boolean[] = [];
  for (const { id, kind, inputs } of pipeline) timeless[id] = kind === 'fromFuture' || (inputs.length > 0 && inputs.every((input) => timeless[input.id] === true));
  return { of, behind, timeless };
}

function reached(from: OperatorId, next: readonly (readonly OperatorId[])[]): ReadonlySet<OperatorId> {
  const seen = new Set([from]);
  // A set is gone through in the order in which it grows.
  for (const id of seen) for (const other of next[id]!) seen.add(other);
  return seen;
}
