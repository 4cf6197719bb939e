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
  const above: (readonly SourceTransformation[])[] = [];
  for (const transformation of transformations) {
    const { id, kind, inputs } = transformation;
    if (kind === 'source') {
      above[id] = transformation.source.bounded ? [] : [transformation];
      continue;
    }
    const sources = inputs.flatMap((input) => above[input.id]!);
    const isEnd = kind === 'limit' && !transformation.keyed;
    above[id] = isEnd ? sources.filter((source) => !endsEarly.has(source.id)) : sources;
  }
  return above;
}
