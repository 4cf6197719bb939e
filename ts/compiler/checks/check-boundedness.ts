import { planError } from '../../common/errors.ts';
import type { Transformation } from '../../transformations/transformation.ts';
import { endlessSources } from '../logical/endless-sources.ts';
import type { Pipeline } from '../logical-plan.ts';

/**
 * A result at the end of the input needs an input that ends.
 *
 * @throws SageError SAGE_PLAN_UNBOUNDED, which names both ways out.
 */
export function checkBoundedness(pipeline: Pipeline): void {
  const endless = endlessSources(pipeline);
  for (const transformation of pipeline as readonly Transformation[]) {
    const [source] = endless[transformation.id]!;
    if (source === undefined || (transformation.kind !== 'reduce' && transformation.kind !== 'aggregate')) continue;
    if (transformation.emit !== 'final') continue;
    throw planError('SAGE_PLAN_UNBOUNDED', {
      message: `'${transformation.name}' emits at the end of its input, but '${source.name}' never ends`,
      expected: 'bounded input, a window (which this version does not have yet), or an aggregate that emits as it goes',
      found: 'unbounded input and the results at its end',
      fix: "Give { emit: 'update' } or { emit: { everyMs: 1000 } }.",
      declaredAt: transformation.declaredAt,
      related: [{ what: `'${source.name}', which never ends`, declaredAt: source.declaredAt }],
      operator: transformation.name,
    });
  }
}
