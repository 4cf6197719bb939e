/** Longest time in which one record may keep the event loop from its turn. */
const TURN_EVERY_MS = 4;
/** Looking at the clock costs more than most functions: it is looked at about so often ... */
const LOOK_EVERY_MS = 0.25;
/** ... and at least after so many results, as they may suddenly cost more. */
const MAX_LOOK_EVERY = 32;

/** Says when whoever walks through the many results of one record should give the event loop a turn. */
export class Pace {
  readonly #nowMs: () => number;
  #sinceMs: number;
  #lookedMs: number;
  #every = 1;
  #left = 1;

  /** @param nowMs what the isolate cuts its work by */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#sinceMs = this.#lookedMs = nowMs();
  }

  /** Called once a result. */
  isTurnDue(): boolean {
    if (--this.#left > 0) return false;
    const nowMs = this.#nowMs();
    this.#every = nowMs - this.#lookedMs < LOOK_EVERY_MS ? Math.min(MAX_LOOK_EVERY, this.#every * 2) : Math.max(1, this.#every >> 1);
    this.#left = this.#every;
    this.#lookedMs = nowMs;
    if (nowMs - this.#sinceMs < TURN_EVERY_MS) return false;
    this.#sinceMs = nowMs;
    return true;
  }
}
