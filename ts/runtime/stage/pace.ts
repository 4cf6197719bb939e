/** Longest time in which one record may keep the event loop from its turn. */
const TURN_EVERY_MS = 4;
/** Looking at the clock costs more than most functions. */
const LOOK_EVERY = 32;

/** Says when whoever walks through the many results of one record should give the event loop a turn. */
export class Pace {
  #calls = 0;
  #sinceMs = 0;

  /** Called once a result. */
  isTurnDue(): boolean {
    if (this.#calls++ % LOOK_EVERY !== 0) return false;
    const nowMs = performance.now();
    if (this.#sinceMs === 0) {
      this.#sinceMs = nowMs;
      return false;
    }
    if (nowMs - this.#sinceMs < TURN_EVERY_MS) return false;
    this.#sinceMs = nowMs;
    return true;
  }
}
