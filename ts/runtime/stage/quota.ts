/** A call of a user function's loop should stay near this, whatever a record costs. */
const CALL_TARGET_MS = 0.5;
/** Small, because nothing is known yet: the first records may take a millisecond each. */
const FIRST_ROWS = 4;
/** Records may suddenly cost more than those before: with so many, 40 us each still stay within the patience of a timer. */
const MAX_ROWS = 512;

/** How many records one loop takes at a time, learnt from what its records cost. */
export class Quota {
  #rows = FIRST_ROWS;

  get rows(): number {
    return this.#rows;
  }

  /** Learns from a call that took `rows` records. */
  measured(elapsedMs: number, rows: number): void {
    if (elapsedMs > CALL_TARGET_MS * 2) this.#rows = Math.max(1, Math.floor((rows * CALL_TARGET_MS) / elapsedMs));
    else if (rows >= this.#rows && elapsedMs < CALL_TARGET_MS / 2) this.#rows = Math.min(MAX_ROWS, this.#rows * 2);
  }
}
