import { planError } from '../../common/errors.ts';
import type { Pipeline } from '../logical-plan.ts';

/**
 * All inputs must be earlier operators of the same environment.
 *
 * @throws SageError SAGE_PLAN_FOREIGN_STREAM.
 */
export function checkMembership(pipeline: Pipeline): void {
  pipeline.forEach((transformation, index) => {
    for (const input of transformation.inputs) {
      if (input.id < index && pipeline[input.id] === input) continue;
      throw planError('SAGE_PLAN_FOREIGN_STREAM', {
        message: `'${transformation.name}' takes records of '${input.name}', which belongs to another environment`,
        expected: 'all streams of a pipeline come from one environment',
        found: `'${input.name}' of another one`,
      fix: `Build the stream of '${input.name}' from the environment that '${transformation.name}' belongs to.`,
        declaredAt: transformation.declaredAt,
      related: [{ what: `'${input.name}' of the other environment`, declaredAt: input.declaredAt }],
        operator: transformation.name,
      });
    }
  });
}
