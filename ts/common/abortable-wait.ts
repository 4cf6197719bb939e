import { SageError } from './errors.ts';

/** Options of calls that wait for something which goes on without them. */
export interface WaitOptions {
  /** Gives up the wait, with SAGE_WAIT_ABORTED and the signal's reason as its cause; what was asked for goes on. */
  readonly signal?: AbortSignal;
}

/**
 * What the promise gives, unless the signal is aborted first.
 *
 * @param call what the user wrote, such as `stop`.
 * @param outcome what becomes of it without the wait, for the message: `the job goes on stopping`.
 * @throws SageError SAGE_WAIT_ABORTED; SAGE_PLAN_ARGUMENT for something else than a signal.
 */
export async function abortableWait<T>(promise: Promise<T>, { signal }: WaitOptions, call: string, outcome: string): Promise<T> {
  if (signal === undefined) return promise;
  promise.catch(() => undefined); // whoever gives up the wait does not hear how it went
  if (!(signal instanceof AbortSignal)) {
    throw new SageError('SAGE_PLAN_ARGUMENT', `signal of ${call} is no AbortSignal`, { help: `Write ${call}({ signal: AbortSignal.timeout(10_000) }).` });
  }
  const aborted = Promise.withResolvers<never>();
  const abort = (): void =>
    aborted.reject(new SageError('SAGE_WAIT_ABORTED', `the wait for ${call}() was given up by its signal; ${outcome}`, { cause: signal.reason }));
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
