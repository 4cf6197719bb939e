/** Values of one piece: small enough that filling a new one goes unnoticed. */
const PIECE_LOG2 = 13;
const PIECE_SLOTS = 1 << PIECE_LOG2;

/**
 * A value for each slot, in pieces: an array that grows is copied as a whole, which holds everything up for 25 ms at a million
 * slots and ten times as long at ten million.
 */
export class SlotColumn<T> {
  readonly #pieces: (T | undefined)[][] = [];
  #length = 0;

  /** One more than the highest slot that was ever set. */
  get length(): number {
    return this.#length;
  }

  get(slot: number): T | undefined {
    return slot < this.#length ? this.#pieces[slot >>> PIECE_LOG2]![slot & (PIECE_SLOTS - 1)] : undefined;
  }

  set(slot: number, value: T): void {
    if (slot >= this.#length) {
      for (let piece = this.#pieces.length; piece <= slot >>> PIECE_LOG2; piece++) this.#pieces.push([]);
      this.#length = slot + 1;
    }
    this.#pieces[slot >>> PIECE_LOG2]![slot & (PIECE_SLOTS - 1)] = value;
  }

  push(value: T): void {
    this.set(this.#length, value);
  }
}
