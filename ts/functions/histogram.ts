import { wrongMeasurement } from './wrong-measurement.ts';

/** A distribution: what was recorded, within 1 %. */
export interface Histogram {
  /**
   * Counts a value.
   *
   * @throws SageError SAGE_USER_WRONG_TYPE unless it is a number, and not `NaN`.
   */
  record(value: number): void;
  /** Values counted in this instance. */
  readonly count: number;
  /** Of the values counted in this instance. */
  readonly sum: number;
  /** `NaN` while nothing was recorded. */
  readonly min: number;
  /** `NaN` while nothing was recorded. */
  readonly max: number;
  /**
   * The value below which this part of the records lies, within 1 %; `NaN` while nothing was recorded.
   *
   * @param fraction from 0 to 1: 0.99 for the 99th percentile.
   */
  quantile(fraction: number): number;
}

/** A histogram as plain data, so that those of several threads can be put together. */
export interface HistogramSnapshot {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  /** Pairs of bucket and count; negative values have buckets of their own. */
  readonly positive: readonly (readonly [number, number])[];
  readonly negative: readonly (readonly [number, number])[];
  readonly zeros: number;
}

/** A bucket ends at this times its beginning, so that its middle is within 1 % of all that is in it. */
const GROWTH = 1.02;
const LOG_GROWTH = Math.log(GROWTH);
/** Smaller values count as 0: their logarithms would need buckets without end. */
const SMALLEST = 1e-12;

/** Counts values in buckets that grow by 2 %. */
export class LogHistogram implements Histogram {
  count = 0;
  sum = 0;
  min: number = Number.NaN;
  max: number = Number.NaN;
  readonly #positive = new Map<number, number>();
  readonly #negative = new Map<number, number>();
  readonly #name: string;
  #zeros = 0;

  constructor(name = 'histogram') {
    this.#name = name;
  }

  record(value: number): void {
    // It would stay in the sum for good, and lie nowhere in the distribution.
    if (typeof value !== 'number' || Number.isNaN(value)) throw wrongMeasurement(`the histogram '${this.#name}' was given`, value, 'a number');
    this.min = this.count === 0 || value < this.min ? value : this.min;
    this.max = this.count === 0 || value > this.max ? value : this.max;
    this.count++;
    this.sum += value;
    const size = Math.abs(value);
    if (!(size > SMALLEST)) {
      this.#zeros++;
      return;
    }
    const buckets = value > 0 ? this.#positive : this.#negative;
    const bucket = Math.ceil(Math.log(size) / LOG_GROWTH);
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
  }

  quantile(fraction: number): number {
    if (this.count === 0) return Number.NaN;
    const rank = Math.min(this.count - 1, Math.max(0, Math.ceil(fraction * this.count) - 1));
    let below = 0;
    for (const [value, count] of this.#ascending()) {
      below += count;
      if (below > rank) return Math.min(this.max, Math.max(this.min, value));
    }
    return this.max;
  }

  snapshot(): HistogramSnapshot {
    const { count, sum, min, max } = this;
    return { count, sum, min, max, positive: [...this.#positive], negative: [...this.#negative], zeros: this.#zeros };
  }

  /** Adds what another one has counted. */
  merge(other: HistogramSnapshot): void {
    if (other.count === 0) return;
    this.min = this.count === 0 ? other.min : Math.min(this.min, other.min);
    this.max = this.count === 0 ? other.max : Math.max(this.max, other.max);
    this.count += other.count;
    this.sum += other.sum;
    this.#zeros += other.zeros;
    for (const [bucket, count] of other.positive) this.#positive.set(bucket, (this.#positive.get(bucket) ?? 0) + count);
    for (const [bucket, count] of other.negative) this.#negative.set(bucket, (this.#negative.get(bucket) ?? 0) + count);
  }

  /** The middle of each bucket, smallest first. */
  *#ascending(): Generator<readonly [number, number]> {
    const middle = (bucket: number): number => (2 * GROWTH ** bucket) / (1 + GROWTH);
    for (const [bucket, count] of [...this.#negative].toSorted((a, b) => b[0] - a[0])) yield [-middle(bucket), count];
    if (this.#zeros > 0) yield [0, this.#zeros];
    for (const [bucket, count] of [...this.#positive].toSorted((a, b) => a[0] - b[0])) yield [middle(bucket), count];
  }
}
