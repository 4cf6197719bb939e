import { SageError } from '../../common/errors.ts';

/** What a call of `mapAsync` is told beside its record; one for each attempt. */
export class AsyncCallContext {
  readonly attempt: number;
  readonly key: unknown;
  readonly #calls: Set<AsyncCallContext>;
  #controller: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isExpired = false;
  #reason: { readonly error: unknown } | undefined;

  /** @param calls those whose signal somebody holds, or whose time is limited, so that the end of the job reaches them. */
  constructor(attempt: number, key: unknown, calls: Set<AsyncCallContext>) {
    this.attempt = attempt;
    this.key = key;
    this.#calls = calls;
  }

  /** Made when it is asked for: most calls never do. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason.error);
      else this.#calls.add(this);
    }
    return this.#controller.signal;
  }

  /** Whether the attempt has run out of time, so that nobody waits for it any more. */
  get isExpired(): boolean {
    return this.#isExpired;
  }

  /** Gives the attempt up when it has not settled in time. */
  expireAfter(timeoutMs: number, expired: (error: SageError) => void): void {
    this.#calls.add(this);
    this.#timer = setTimeout(() => {
      this.#isExpired = true;
      const error = new SageError('SAGE_USER_TIMEOUT', `a call did not settle within ${timeoutMs} ms`);
      this.abort(error);
      expired(error);
    }, timeoutMs);
  }

  /** The attempt is given up. */
  abort(error: unknown): void {
    this.done();
    this.#reason = { error };
    this.#controller?.abort(error);
  }

  /** The attempt has settled. */
  done(): void {
    if (this.#controller === undefined && this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#calls.delete(this);
  }
}
