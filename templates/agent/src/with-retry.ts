import { setTimeout as wait } from 'node:timers/promises';

/** How often and how soon something is tried again. */
export interface RetryOptions {
  readonly attempts: number;
  /** Wait before the second attempt; doubled for each that follows. */
  readonly firstWaitMs: number;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
}

/** Tries until it works. @throws the error of the last attempt, or the signal's reason. */
export async function withRetry<T>(attempt: () => Promise<T>, { attempts, firstWaitMs, signal }: RetryOptions): Promise<T> {
  for (let n = 1; ; n++) {
    try {
      return await attempt();
    } catch (error) {
      if (n >= attempts || signal.aborted) throw error;
    }
    await wait(firstWaitMs * 2 ** (n - 1), undefined, { signal });
  }
}
