import { planError } from '../../common/errors.ts';
import type { Transformation } from '../../transformations/transformation.ts';
import type { Pipeline } from '../logical-plan.ts';

/**
 * A result at the end of the input needs an input that ends.
 *
 * @throws SageError SAGE_PLAN_UNBOUNDED, which names both ways out.
 */
export function checkBoundedness(pipeline: Pipeline): void {
  /** For each operator an unbounded source above it, if there is one. */
  const unbounded: (Transformation | undefined)[] = [];
  (pipeline as readonly Transformation[]).forEach((transformation, id) => {
    if (transformation.kind === 'source') {
      unbounded[id] = transformation.source.bounded ? undefined : transformation;
      return;
    }
    const source = transformation.inputs.map((input) => unbounded[input.id]).find((above) => above !== undefined);
    unbounded[id] = source;
    if (source === undefined || (transformation.kind !== 'reduce' && transformation.kind !== 'aggregate')) return;
    if (transformation.emit !== 'final') return;
    throw planError('SAGE_PLAN_UNBOUNDED', {
      message: `'${transformation.name}' emits at the end of its input, but '${source.name}' never ends`,
      expected: 'bounded input, a window (which this version does not have yet), or an aggregate that emits as it goes',
      found: 'unbounded input and the results at its end',
      fix: "Give { emit: 'update' } or { emit: { everyMs: 1000 } }.",
      declaredAt: transformation.declaredAt,
      related: [{ what: `'${source.name}', which never ends`, declaredAt: source.declaredAt }],
      operator: transformation.name,
    });
  });
}
