import { planError, type SageError } from '../common/errors.ts';
import type { SourceLocation } from '../common/source-location.ts';
import { describeValue } from '../functions/check-user-function.ts';

/** The error for a setting of an environment that cannot be. */
export function wrongSetting(name: string, value: unknown, expected: string, declaredAt: SourceLocation, fix = `Correct ${name} or leave it away.`): SageError {
  return planError('SAGE_PLAN_CONFIG', {
    message: `the setting ${name} is ${describeValue(value)}`,
    expected,
    fix,
    found: describeValue(value),
    declaredAt,
  });
}
