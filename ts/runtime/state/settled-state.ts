import { SageError } from '../../common/errors.ts';
import { isThenable } from '../stage/is-thenable.ts';

/** What a user's function made for a state. @throws SageError SAGE_USER_WRONG_TYPE for a promise: the next line may read the state already. */
export function settledState<T>(value: T | PromiseLike<T>, what: string): T {
  if (!isThenable(value)) return value as T;
  Promise.resolve(value).catch(() => undefined); // the call has failed already
  throw new SageError('SAGE_USER_WRONG_TYPE', `${what} gave a promise`, { help: 'State takes values: await first what the new one needs, and write it then.' });
}
