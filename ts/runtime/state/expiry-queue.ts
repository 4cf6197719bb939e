import { SlotColumn } from '../stage/slot-column.ts';

/** Entries of one piece of the queue. */
const PIECE_ENTRIES = 1024;

/**
 * Slots that hold something that will expire, each once. As all values of a state live equally long, the order in which slots came is
 * nearly that in which they expire. One that was written meanwhile is added again when its turn comes, so that what has expired is
 * found at most one lifetime late.
 */
export class ExpiryQueue {
  /** Pairs of slot and time. */
  readonly #pieces: number[][] = [];
  #first = 0;
  readonly #isQueued = new SlotColumn<boolean>();

  /** A slot holds something up to this time, or longer if it is in the queue already. */
  add(slot: number, untilMs: number): void {
    if (this.#isQueued.get(slot) === true) return;
    this.#isQueued.set(slot, true);
    let last = this.#pieces.at(-1);
    if (last === undefined || last.length === 2 * PIECE_ENTRIES) {
      last = [];
      this.#pieces.push(last);
    }
    last.push(slot, untilMs);
  }

  /** Takes the next slot out, when its time is not after `nowMs`. */
  takeDue(nowMs: number): number | undefined {
    const [piece] = this.#pieces;
    if (piece === undefined || piece[this.#first + 1]! > nowMs) return undefined;
    const slot = piece[this.#first]!;
    this.#isQueued.set(slot, false);
    this.#first += 2;
    if (this.#first === piece.length) {
      this.#pieces.shift();
      this.#first = 0;
    }
    return slot;
  }
}
