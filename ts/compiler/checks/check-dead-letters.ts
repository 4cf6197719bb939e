import { planError } from '../../common/errors.ts';
import { outcomeOf } from '../../transformations/error-policy.ts';
import type { Transformation } from '../../transformations/transformation.ts';
import type { Pipeline } from '../logical-plan.ts';

/**
 * Who reads dead letters needs an operator that gives some.
 *
 * @throws SageError SAGE_PLAN_ARGUMENT
 */
export function checkDeadLetters(pipeline: Pipeline): void {
  for (const transformation of pipeline as readonly Transformation[]) {
    if (transformation.kind !== 'sideOutput' || transformation.channel !== 'deadLetters') continue;
    const [culprit] = transformation.inputs;
    const outcome = outcomeOf(culprit!.errorPolicy);
    if (outcome === 'deadLetter') continue;
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: `deadLetters was called behind '${culprit!.name}', whose error policy ${culprit!.errorPolicy === undefined ? 'is not set' : `ends with '${outcome}'`}, so that there would never be one`,
      expected: "an operator with onError('deadLetter')",
      fix: culprit!.canFail ? "Call onError('deadLetter') behind the operator." : 'Call deadLetters right behind the operator that may fail.',
      declaredAt: transformation.declaredAt,
      operator: transformation.name,
    });
  }
}
