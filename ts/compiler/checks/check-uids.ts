import { planError } from '../../common/errors.ts';
import type { BaseTransformation } from '../../transformations/base-transformation.ts';
import type { Pipeline } from '../logical-plan.ts';

/**
 * State is found again by uid, so that no two operators may have the same.
 *
 * @throws SageError SAGE_PLAN_DUPLICATE_UID.
 */
export function checkUids(pipeline: Pipeline): void {
  const owners = new Map<string, BaseTransformation>();
  for (const transformation of pipeline) {
    const { uid } = transformation;
    if (uid === undefined) continue;
    const owner = owners.get(uid);
    if (owner !== undefined) {
      throw planError('SAGE_PLAN_DUPLICATE_UID', {
        message: `'${transformation.name}' has the uid '${uid}' of '${owner.name}'`,
        expected: 'a uid that no other operator has',
        found: `'${uid}' a second time`,
      fix: `Give '${transformation.name}' another uid.`,
        declaredAt: transformation.declaredAt,
      related: [{ what: `'${owner.name}', which has it too`, declaredAt: owner.declaredAt }],
        operator: transformation.name,
      });
    }
    owners.set(uid, transformation);
  }
}
