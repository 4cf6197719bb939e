import type { Clock } from '../../common/clock.ts';

/** A row that was found, or that there is none. */
export interface CachedRow {
  readonly row: unknown;
  /** By the job's clock: from then on it is looked up again. */
  readonly endsMs: number;
}

/** Rows by the identity of their key, so many at most: the one that was asked for longest ago goes first. */
export class LookupCache {
  readonly #clock: Clock;
  readonly #max: number;
  readonly #ttlMs: number;
  /** In the order in which they were asked for last. */
  readonly #rows = new Map<unknown, CachedRow>();

  constructor({ max, ttlMs = Number.POSITIVE_INFINITY }: { readonly max: number; readonly ttlMs: number | undefined }, clock: Clock) {
    this.#clock = clock;
    this.#max = max;
    this.#ttlMs = ttlMs;
  }

  get size(): number {
    return this.#rows.size;
  }

  /** What is known of a key; undefined when nothing is, or no longer. */
  get(identity: unknown): CachedRow | undefined {
    const cached = this.#rows.get(identity);
    if (cached === undefined) return undefined;
    this.#rows.delete(identity);
    if (cached.endsMs <= this.#clock.monotonicMs()) return undefined;
    this.#rows.set(identity, cached);
    return cached;
  }

  /** Keeps a row; gives how many others went for it. */
  set(identity: unknown, row: unknown): number {
    this.#rows.delete(identity);
    this.#rows.set(identity, { row, endsMs: this.#clock.monotonicMs() + this.#ttlMs });
    if (this.#rows.size <= this.#max) return 0;
    const [oldest] = this.#rows.keys();
    this.#rows.delete(oldest);
    return 1;
  }
}
