import { planError, SageError } from '../../common/errors.ts';
import { MAX_PARALLELISM, type BaseTransformation, type Parallelism } from '../../transformations/base-transformation.ts';
import type { Transformation } from '../../transformations/transformation.ts';
import { KEY_GROUPS, type PlanConfig } from '../compile-options.ts';
import type { Pipeline } from '../logical-plan.ts';
import { regionKey } from '../logical/region-key.ts';
import { singleInstanceReason } from '../logical/single-instance-reason.ts';

/**
 * Parallelisms must be whole numbers, and a number that the user wrote must be one that the operator can have.
 *
 * @throws SageError SAGE_PLAN_CONFIG, SAGE_PLAN_PARALLELISM or SAGE_PLAN_OUTPUT_PATH.
 */
export function checkParallelism(pipeline: Pipeline, config: PlanConfig): void {
  const wanted = config.parallelism as unknown;
  if (wanted !== undefined && !isParallelism(wanted)) {
    throw new SageError('SAGE_PLAN_CONFIG', `the parallelism of the environment is ${show(wanted)}`, {
      help: `Give a whole number from 1 to ${MAX_PARALLELISM}, or 'auto'.`,
    });
  }
  if (wanted !== undefined && wanted !== 'auto' && wanted > KEY_GROUPS) {
    const keyed = pipeline.find((transformation) => transformation.kind === 'keyBy' && transformation.parallelism === undefined);
    if (keyed !== undefined) throw tooManyForKeys(keyed, wanted);
  }
  for (const transformation of pipeline) checkOperator(transformation as Transformation);
}

function checkOperator(transformation: Transformation): void {
  const wanted = transformation.parallelism as unknown;
  if (wanted === undefined || wanted === 'auto') return;
  if (!isParallelism(wanted)) {
    throw planError('SAGE_PLAN_PARALLELISM', {
      message: `'${transformation.name}' has the parallelism ${show(wanted)}`,
      expected: `a whole number from 1 to ${MAX_PARALLELISM}, or 'auto'`,
      found: show(wanted),
      fix: 'Correct the number.',
      declaredAt: transformation.declaredAt,
      operator: transformation.name,
    });
  }
  const instances = wanted as number;
  const keyed = transformation.kind === 'keyBy' || regionKey(transformation) !== undefined;
  if (instances > KEY_GROUPS && keyed) throw tooManyForKeys(transformation, instances);
  const single = instances > 1 ? singleInstanceReason(transformation) : undefined;
  if (single === undefined) return;
  throw planError(single.code, {
    message: `'${transformation.name}' has the parallelism ${instances}, but ${single.reason}`,
    expected: 'parallelism 1',
    found: `parallelism ${instances}`,
    fix: single.fix,
    declaredAt: transformation.declaredAt,
    operator: transformation.name,
  });
}

function tooManyForKeys(transformation: BaseTransformation, instances: number): SageError {
  return planError('SAGE_PLAN_PARALLELISM', {
    message: `'${transformation.name}' has the parallelism ${instances}, but keys are shared out in ${KEY_GROUPS} groups`,
    expected: `at most ${KEY_GROUPS} instances behind a keyBy`,
    found: `${instances}`,
    fix: `Call .parallelism(${KEY_GROUPS}) on it, or less.`,
    declaredAt: transformation.declaredAt,
    operator: transformation.name,
  });
}

function isParallelism(value: unknown): value is Parallelism {
  return value === 'auto' || (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_PARALLELISM);
}

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
