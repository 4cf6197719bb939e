/** A record of the windows rows: a reading of one of 10,000 sensors. */
export interface Reading {
  readonly sensor: string;
  readonly at: number;
  /** How many readings it stands for: one. */
  readonly n: number;
}

/** How many sensors there are, numbered from 0. */
export const SENSORS = 10_000;
/** Readings a second of event time. */
export const A_SECOND = 20_000;
/** What event time begins with, about. */
export const EPOCH_MS = 1_700_000_000_000;
/** Readings come out of order by so much at most. */
export const DISORDER_MS = 1_000;

/** Readings out of order; none of them is late. */
export function makeReadings(count: number): Reading[] {
  return Array.from({ length: count }, (_, n) => makeReading(n));
}

/** One of them. */
export function makeReading(n: number): Reading {
  const dice = Math.imul(n, 2_654_435_761) >>> 0;
  return { sensor: `sensor-${dice % SENSORS}`, at: EPOCH_MS + Math.floor((n * 1000) / A_SECOND) - (dice % DISORDER_MS), n: 1 };
}

/** Of counts per sensor and window, whatever their order; each reading in `windows` windows. */
export class WindowsChecksum {
  #sum = 0;
  readonly #windows: number;

  constructor(windows: number) {
    this.#windows = windows;
  }

  add(sensor: string, n: number): void {
    this.#sum += (Number(sensor.slice(7)) + 1) * n;
  }

  get value(): number {
    return this.#sum / this.#windows;
  }
}
