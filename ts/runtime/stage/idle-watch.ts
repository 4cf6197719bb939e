/** Notices when an assigner of timestamps has had no records for a while. */
export class IdleWatch {
  readonly #idleMs: number;
  #records = 0;
  #sinceMs: number;
  isIdle = false;

  constructor(idleMs: number, nowMs: number) {
    this.#idleMs = idleMs;
    this.#sinceMs = nowMs;
  }

  /** Time until it counts as idle, if no record comes; nothing when it does already. */
  dueInMs(nowMs: number): number | undefined {
    return this.isIdle ? undefined : Math.max(0, this.#sinceMs + this.#idleMs - nowMs);
  }

  /**
   * Looks whether it has become idle, or is no longer; whether that has changed.
   *
   * @param records how many have come so far
   * @param mayWait whether records could have come: not so while the job is paused
   */
  look(records: number, nowMs: number, mayWait: () => boolean): boolean {
    const wasIdle = this.isIdle;
    if (records !== this.#records) {
      this.#records = records;
      this.#sinceMs = nowMs;
      this.isIdle = false;
    } else if (!this.isIdle && nowMs - this.#sinceMs >= this.#idleMs) {
      if (mayWait()) this.isIdle = true;
      else this.#sinceMs = nowMs;
    }
    return this.isIdle !== wasIdle;
  }
}
