/** Given a count: a key of a window that is over. */
export type GiveCount = (key: string, start: number, n: number) => void;

/** Tumbling windows that count each key, by hand: a map for each window, with that of the record before at hand, as most records are in the same one. */
export class TumblingMaps {
  readonly #windows = new Map<number, Map<string, number>>();
  readonly #sizeMs: number;
  readonly #disorderMs: number;
  readonly #give: GiveCount;
  #lastStart = Number.NaN;
  #last = new Map<string, number>();
  #watermark = Number.NEGATIVE_INFINITY;
  #nextEnd = Number.POSITIVE_INFINITY;
  #late = 0;

  constructor(sizeMs: number, disorderMs: number, give: GiveCount) {
    this.#sizeMs = sizeMs;
    this.#disorderMs = disorderMs;
    this.#give = give;
  }

  /** Records that came when their window was over; they change nothing. */
  get late(): number {
    return this.#late;
  }

  add(key: string, at: number): void {
    const start = at - (at % this.#sizeMs);
    if (start !== this.#lastStart) {
      if (start + this.#sizeMs <= this.#watermark) {
        this.#late++;
        return;
      }
      this.#changeTo(start);
    }
    this.#last.set(key, (this.#last.get(key) ?? 0) + 1);
    if (at - this.#disorderMs > this.#watermark) {
      this.#watermark = at - this.#disorderMs;
      if (this.#watermark >= this.#nextEnd) this.#fire(this.#watermark);
    }
  }

  /** Gives what is still open. */
  finish(): void {
    this.#fire(Number.POSITIVE_INFINITY);
  }

  #changeTo(start: number): void {
    let found = this.#windows.get(start);
    if (found === undefined) {
      found = new Map();
      this.#windows.set(start, found);
      this.#nextEnd = Math.min(this.#nextEnd, start + this.#sizeMs);
    }
    this.#lastStart = start;
    this.#last = found;
  }

  #fire(watermark: number): void {
    for (const start of [...this.#windows.keys()].toSorted((a, b) => a - b)) {
      if (start + this.#sizeMs > watermark) break;
      for (const [key, n] of this.#windows.get(start)!) this.#give(key, start, n);
      this.#windows.delete(start);
      this.#lastStart = Number.NaN;
    }
    this.#nextEnd = Math.min(...this.#windows.keys()) + this.#sizeMs;
  }
}
