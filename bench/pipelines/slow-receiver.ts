const RECORDS_A_WAIT = 1000;
const WAIT_MS = 1;
const MIB = 1024 * 1024;

/** A sink that takes 1 ms for every 1,000 records, and watches the memory of the process. */
export class SlowReceiver {
  readonly #expected: number;
  readonly #startMs = performance.now();
  #count = 0;
  #sum = 0;
  #rssMiBAtTenth = 0;
  #rssMiBMost = 0;

  constructor(expected: number) {
    this.#expected = expected;
  }

  take(record: { readonly id: number; readonly twice: number; readonly text: string }): Promise<void> | undefined {
    this.#sum = (this.#sum + record.id + record.twice + record.text.length) % 1_000_000_007;
    this.#count++;
    if (this.#count % RECORDS_A_WAIT !== 0) return undefined;
    this.#watch();
    // Timers of Node are late by up to a millisecond: what was slept too long is not slept again.
    const dueMs = this.#startMs + (this.#count / RECORDS_A_WAIT) * WAIT_MS;
    const waitMs = dueMs - performance.now();
    return waitMs <= 0 ? undefined : new Promise((resolve) => setTimeout(resolve, waitMs));
  }

  #watch(): void {
    if (this.#count % (RECORDS_A_WAIT * 100) !== 0) return;
    const rssMiB = process.memoryUsage.rss() / MIB;
    if (this.#count * 10 <= this.#expected) this.#rssMiBAtTenth = Math.max(this.#rssMiBAtTenth, rssMiB);
    else this.#rssMiBMost = Math.max(this.#rssMiBMost, rssMiB);
  }

  outcome(): { checksum: number; figures: Readonly<Record<string, number>> } {
    if (this.#count !== this.#expected) throw new Error(`${this.#count} of ${this.#expected} records came`);
    return {
      checksum: this.#sum,
      figures: {
        'MiB in the first tenth': this.#rssMiBAtTenth,
        'MiB later': this.#rssMiBMost,
        'growth in MiB': Math.max(0, this.#rssMiBMost - this.#rssMiBAtTenth),
      },
    };
  }
}
