import type { SourceTransformation } from '../../transformations/source-transformation.ts';
import type { Transformation } from '../../transformations/transformation.ts';
import type { Pipeline } from '../logical-plan.ts';
import { findEarlyEnds } from './early-ends.ts';

/**
 * For each operator, by id, the sources above it because of which its output never ends by itself. Behind a limit that ends
 * its source, that source counts no longer.
 */
export function endlessSources(pipeline: Pipeline): readonly (readonly SourceTransformation[])[] {
  const transformations = pipeline as readonly Transformation[];
  const early = findEarlyEnds(transformations.map((transformation) => ({ id: transformation.id, transformation, inputs: transformation.inputs.map(({ id }) => id) })));
  const endsEarly = new Set(early.map(({ operator }) => operator));
  let above: (readonly SourceTransformation[])[] = transformations.map(() => []);
  // Records that come back have come from the sources before the loop.
  for (let rounds = 0, grown = true; grown; rounds++) {
    const before = above;
    above = [];
    for (const transformation of transformations) above[transformation.id] = sourcesAbove(transformation, above, before, endsEarly);
    grown = transformations.some(({ id }) => above[id]!.length !== before[id]!.length) && rounds <= transformations.length;
  }
  return above;
}

function sourcesAbove(
  transformation: Transformation,
  above: readonly (readonly SourceTransformation[])[],
  before: readonly (readonly SourceTransformation[])[],
  endsEarly: ReadonlySet<number>,
): readonly SourceTransformation[] {
  if (transformation.kind === 'source') return transformation.source.bounded ? [] : [transformation];
  if (transformation.kind === 'fromFuture') return transformation.filledBy === undefined ? [] : before[transformation.filledBy.id]!;
  const sources = [...new Set(transformation.inputs.flatMap((input) => above[input.id]!))];
  const isEnd = transformation.kind === 'limit' && !transformation.keyed;
  return isEnd ? sources.filter((source) => !endsEarly.has(source.id)) : sources;
}
