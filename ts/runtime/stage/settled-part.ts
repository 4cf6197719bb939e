import { SageError } from '../../common/errors.ts';
import { isThenable } from './is-thenable.ts';

/**
 * What `init` or `result` of a user's aggregator gave.
 *
 * @throws SageError SAGE_USER_WRONG_TYPE for a promise: only `add` has a record that can wait for it.
 */
export function settledPart(value: unknown, part: 'init' | 'result', aggregator: string): unknown {
  if (!isThenable(value)) return value;
  Promise.resolve(value).catch(() => undefined); // the job fails for another reason
  throw new SageError('SAGE_USER_WRONG_TYPE', `${part} of the aggregator '${aggregator}' returned a promise`, {
    help: `Only add may be asynchronous: give ${part} what it needs at hand, and await in a map before or behind the aggregate.`,
  });
}
