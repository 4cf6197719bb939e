import { planError } from '../../common/errors.ts';
import type { TransformationKind } from '../../transformations/base-transformation.ts';
import type { Transformation } from '../../transformations/transformation.ts';
import type { Pipeline } from '../logical-plan.ts';

/** What keeps something for each key. */
const KEYED_STATE: ReadonlySet<TransformationKind> = new Set(['reduce', 'aggregate', 'dedup', 'limit']);

/**
 * State for each key needs all records of a key at one instance, which only the strategy hash gives.
 *
 * @throws SageError SAGE_PLAN_KEY_STRATEGY.
 */
export function checkKeys(pipeline: Pipeline): void {
  for (const transformation of pipeline as readonly Transformation[]) {
    if (!KEYED_STATE.has(transformation.kind)) continue;
    const keyBy = transformation.inputs[0]?.keyedBy;
    if (keyBy === undefined || keyBy.strategy === 'hash') continue;
    const what = keyBy.strategy === 'broadcast' ? 'gives every instance every record' : 'spreads the records of a key';
    throw planError('SAGE_PLAN_KEY_STRATEGY', {
      message: `'${transformation.name}' keeps state for each key, but '${keyBy.name}' has the strategy '${keyBy.strategy}', which ${what}`,
      expected: "a keyBy with the strategy 'hash' before it",
      found: `the strategy '${keyBy.strategy}'`,
      fix: `Leave the strategy of '${keyBy.name}' away, or call keyBy again before '${transformation.name}'.`,
      declaredAt: transformation.declaredAt,
      related: [{ what: `the keyBy '${keyBy.name}'`, declaredAt: keyBy.declaredAt }],
      operator: transformation.name,
    });
  }
}
