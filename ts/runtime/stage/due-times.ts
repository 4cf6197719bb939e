/** Values with the time at which each is due, least first. What no longer holds is for the taker to skip: nothing is removed early. */
export class DueTimes<T> {
  /** A binary heap. */
  readonly #entries: { readonly time: number; readonly value: T }[] = [];

  get size(): number {
    return this.#entries.length;
  }

  /** When the first entry is due; infinity when there is none. */
  get firstTime(): number {
    return this.#entries[0]?.time ?? Number.POSITIVE_INFINITY;
  }

  /** Adds a value; it may be there already, at another time. */
  add(time: number, value: T): void {
    const entries = this.#entries;
    let place = entries.length;
    const entry = { time, value };
    entries.push(entry);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (entries[parent]!.time <= time) break;
      entries[place] = entries[parent]!;
      place = parent;
    }
    entries[place] = entry;
  }

  /** Takes the entry that is due first, when that is before `time`. */
  takeBefore(time: number): { readonly time: number; readonly value: T } | undefined {
    return this.firstTime < time ? this.#takeFirst() : undefined;
  }

  /** Takes the entry that is due first, when that is not behind `time`. */
  takeUntil(time: number): { readonly time: number; readonly value: T } | undefined {
    return this.firstTime <= time ? this.#takeFirst() : undefined;
  }

  #takeFirst(): { readonly time: number; readonly value: T } | undefined {
    const entries = this.#entries;
    const [first] = entries;
    const last = entries.pop()!;
    if (entries.length > 0) this.#sink(last);
    return first;
  }

  /** Puts an entry in the place of the first one, and down to where it belongs. */
  #sink(entry: { readonly time: number; readonly value: T }): void {
    const entries = this.#entries;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= entries.length) break;
      if (child + 1 < entries.length && entries[child + 1]!.time < entries[child]!.time) child++;
      if (entries[child]!.time >= entry.time) break;
      entries[place] = entries[child]!;
      place = child;
    }
    entries[place] = entry;
  }
}
