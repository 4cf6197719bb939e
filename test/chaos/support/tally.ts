/** How many records sources have given and each sink has taken, and how far a sink was ever behind; shared by all threads. */
export class Tally {
  readonly #counts: Int32Array;

  constructor(buffer: SharedArrayBuffer) {
    this.#counts = new Int32Array(buffer);
  }

  /** Memory for so many sinks. */
  static buffer(sinks: number): SharedArrayBuffer {
    return new SharedArrayBuffer((1 + 2 * sinks) * Int32Array.BYTES_PER_ELEMENT);
  }

  /** A source gives a record. */
  gives(): void {
    Atomics.add(this.#counts, 0, 1);
  }

  /** A sink takes a record. */
  takes(sink: number): void {
    const taken = Atomics.add(this.#counts, 1 + 2 * sink, 1);
    const behind = Atomics.load(this.#counts, 0) - taken;
    if (behind > this.mostBehind(sink)) Atomics.store(this.#counts, 2 + 2 * sink, behind);
  }

  /** Records that sources have given. */
  get given(): number {
    return Atomics.load(this.#counts, 0);
  }

  /** Records that a sink has taken. */
  taken(sink: number): number {
    return Atomics.load(this.#counts, 1 + 2 * sink);
  }

  /** The largest number of records that had been given and not yet taken by a sink. */
  mostBehind(sink: number): number {
    return Atomics.load(this.#counts, 2 + 2 * sink);
  }
}
