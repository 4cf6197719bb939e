/** What becomes of a record in the end when its operator has failed. */
export type FailureOutcome = 'fail' | 'skip' | 'deadLetter';

/** Runs the failing operator again with the same record before the outcome is decided. */
export interface RetryPolicy {
  /** How many times at most, behind the first attempt. */
  readonly retry: number;
  /** Wait before the first retry, in milliseconds; it doubles with each further one up to a minute. A random part of up to a half is left away. */
  readonly backoffMs: number;
  /** When the last attempt has failed too. */
  readonly then: FailureOutcome;
}

/**
 * What happens with a record whose operator failed: the job fails (`'fail'`, when nothing is set), the record is left out
 * and counted (`'skip'`), it goes to `deadLetters()` with its error (`'deadLetter'`), or the operator tries again.
 */
export type ErrorPolicy = FailureOutcome | RetryPolicy;

/** The outcome of a policy when no attempt is left. */
export function outcomeOf(policy: ErrorPolicy | undefined): FailureOutcome {
  if (policy === undefined) return 'fail';
  return typeof policy === 'string' ? policy : policy.then;
}

/** How often a policy tries again. */
export function retriesOf(policy: ErrorPolicy | undefined): number {
  return typeof policy === 'object' ? policy.retry : 0;
}

/** Whether the policy is anything else than failing at once. */
export function isTolerant(policy: ErrorPolicy | undefined): boolean {
  return policy !== undefined && policy !== 'fail' && !(typeof policy === 'object' && policy.retry === 0 && policy.then === 'fail');
}
