import { SageError } from '../common/errors.ts';
import { describeValue } from './check-user-function.ts';

/** The error for a metric of user code that was given something else than it counts or measures. */
export function wrongMeasurement(what: string, value: unknown, expected: string): SageError {
  return new SageError('SAGE_USER_WRONG_TYPE', `${what} ${describeValue(value)}, and not ${expected}`, {
    help: 'Measure numbers only: look at what the value is made of before it is given to a metric.',
  });
}
