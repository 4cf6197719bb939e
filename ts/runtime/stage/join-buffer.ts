/** A record of one side of a join that waits for partners. */
export interface WaitingRecord {
  readonly time: number;
  readonly record: unknown;
  hasPartner: boolean;
  /** Of a table: it says that there is no row from its time on. */
  readonly isDeletion?: boolean;
}

/** Records of one key and one side, by time; those of the same time in the order in which they came. */
export class JoinBuffer {
  #records: WaitingRecord[] = [];

  get size(): number {
    return this.#records.length;
  }

  /** All of them, in their order. */
  get all(): readonly WaitingRecord[] {
    return this.#records;
  }

  /** The least time, infinity when there is nothing. */
  get firstTime(): number {
    return this.#records[0]?.time ?? Number.POSITIVE_INFINITY;
  }

  /** Whether the first record says that there is no row. */
  get firstIsDeletion(): boolean {
    return this.#records[0]?.isDeletion === true;
  }

  /** The time of the record behind the first one, infinity when there is none. */
  get secondTime(): number {
    return this.#records[1]?.time ?? Number.POSITIVE_INFINITY;
  }

  add(waiting: WaitingRecord): void {
    // Time goes on more or less: the place is near the end.
    this.#records.splice(this.#behind(waiting.time), 0, waiting);
  }

  /** Records from one time to another, both included. */
  *between(from: number, to: number): Generator<WaitingRecord> {
    for (let n = this.#firstFrom(from); n < this.#records.length && this.#records[n]!.time <= to; n++) yield this.#records[n]!;
  }

  /** The last record that is not behind a time. */
  latestUntil(time: number): WaitingRecord | undefined {
    return this.#records[this.#behind(time) - 1];
  }

  /** Takes out the records behind which there is another one before a time. */
  takeReplaced(time: number): readonly WaitingRecord[] {
    return this.#records.splice(0, Math.max(0, this.#firstFrom(time) - 1));
  }

  /** Takes out the first record. */
  takeFirst(): readonly WaitingRecord[] {
    return this.#records.splice(0, 1);
  }

  /** Takes out the records before a time. */
  takeBefore(time: number): readonly WaitingRecord[] {
    return this.#records.splice(0, this.#firstFrom(time));
  }

  /** The number of the first record that is not before `time`. */
  #firstFrom(time: number): number {
    let low = 0;
    let high = this.#records.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#records[middle]!.time < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The number of the first record that is behind `time`; most often there is none. */
  #behind(time: number): number {
    const records = this.#records;
    if (records.length === 0 || records.at(-1)!.time <= time) return records.length;
    let low = 0;
    let high = records.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (records[middle]!.time <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
