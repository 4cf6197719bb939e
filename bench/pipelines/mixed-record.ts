/** Four numbers and two short strings. */
export interface Mixed {
  readonly id: number;
  readonly time: number;
  readonly amount: number;
  readonly ratio: number;
  readonly name: string;
  readonly city: string;
}

const POOL = 65_536;
const CITIES = ['Lisbon', 'Oslo', 'Nairobi', 'Lima', 'Kyoto', 'Tunis', 'Quito'];

/** An array of so many records, of 65,536 objects again and again. */
export function makeMixed(count: number): readonly Mixed[] {
  const pool: Mixed[] = [];
  for (let n = 0; n < Math.min(POOL, count); n++) {
    pool.push({ id: n, time: 1.7e12 + n * 1000, amount: ((n * 31) % 10_000) / 100, ratio: n / POOL, name: `customer-${n % 9973}`, city: CITIES[n % CITIES.length]! });
  }
  const records = new Array<Mixed>(count);
  for (let n = 0; n < count; n++) records[n] = pool[n % POOL]!;
  return records;
}

/** Takes records one by one, and times them from the first quarter on: threads are warm then. */
export class MixedReceiver {
  readonly #expected: number;
  #count = 0;
  #sum = 0;
  #startMs = 0;
  #endMs = 0;

  constructor(expected: number) {
    this.#expected = expected;
  }

  take(record: Mixed): void {
    this.#sum = (this.#sum + record.id + record.amount + record.name.length * 3 + record.city.length) % 1_000_000_007;
    this.#count++;
    if (this.#count === this.#expected >> 2) this.#startMs = performance.now();
    else if (this.#count === this.#expected) this.#endMs = performance.now();
  }

  /** Whether all are there. */
  get complete(): boolean {
    return this.#count === this.#expected;
  }

  /** For all records, as if the first quarter had taken as long as each other one. */
  outcome(): { checksum: number; elapsedMs: number } {
    if (!this.complete) throw new Error(`${this.#count} of ${this.#expected} records came`);
    return { checksum: Math.round(this.#sum * 100), elapsedMs: ((this.#endMs - this.#startMs) * 4) / 3 };
  }
}
