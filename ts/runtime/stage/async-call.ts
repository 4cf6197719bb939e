/** What a call of `mapAsync` is told beside its record; one for each attempt. */
export class AsyncCallContext {
  readonly attempt: number;
  readonly key: unknown;
  readonly #calls: Set<AsyncCallContext>;
  #controller: AbortController | undefined;
  #reason: { readonly error: unknown } | undefined;

  /** @param calls those whose signal somebody holds, so that the end of the job reaches them. */
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

  /** The attempt is given up. */
  abort(error: unknown): void {
    this.#reason = { error };
    this.#calls.delete(this);
    this.#controller?.abort(error);
  }

  /** The attempt has settled. */
  done(): void {
    if (this.#controller !== undefined) this.#calls.delete(this);
  }
}
