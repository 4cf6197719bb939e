/** Entries of one map; V8 does not make larger ones than about twice this. */
const MAX_MAP_ENTRIES = 8_000_000;

/** Keys that were met, each with the time until which it counts. All have the same time to live, so that the oldest end first. */
export class SeenKeys {
  readonly #ttlMs: number | undefined;
  readonly #forgotten: ((key: unknown) => void) | undefined;
  /** Oldest first. */
  readonly #maps: Map<unknown, number>[] = [new Map()];

  /**
   * @param ttlMs keys are forgotten after so long; never when undefined
   * @param forgotten is told each key that is
   */
  constructor(ttlMs: number | undefined, forgotten?: (key: unknown) => void) {
    this.#ttlMs = ttlMs;
    this.#forgotten = forgotten;
  }

  get size(): number {
    return this.#maps.reduce((sum, { size }) => sum + size, 0);
  }

  /** Notes a key; whether it is one that was not known at this time. */
  add(key: unknown, nowMs: number): boolean {
    if (this.#ttlMs !== undefined) this.#forget(nowMs);
    for (const map of this.#maps) if (map.has(key)) return false;
    this.restore(key, this.#ttlMs === undefined ? 0 : nowMs + this.#ttlMs);
    return true;
  }

  /** Until when a key counts; undefined when it is not known. */
  untilMs(key: unknown): number | undefined {
    for (const map of this.#maps) {
      const untilMs = map.get(key);
      if (untilMs !== undefined) return untilMs;
    }
    return undefined;
  }

  /** All of them, those that are forgotten first in front. */
  *entries(): Generator<readonly [key: unknown, untilMs: number]> {
    for (const map of this.#maps) yield* map;
  }

  /** Notes a key that was not known, until a time that is not before that of any other. */
  restore(key: unknown, untilMs: number): void {
    let last = this.#maps.at(-1)!;
    if (last.size >= MAX_MAP_ENTRIES) {
      last = new Map();
      this.#maps.push(last);
    }
    last.set(key, untilMs);
  }

  #forget(nowMs: number): void {
    for (;;) {
      const [oldest] = this.#maps as [Map<unknown, number>];
      for (const [key, untilMs] of oldest) {
        if (untilMs > nowMs) return;
        oldest.delete(key);
        this.#forgotten?.(key);
      }
      if (this.#maps.length === 1) return;
      this.#maps.shift();
    }
  }
}
