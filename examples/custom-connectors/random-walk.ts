import { END, SourceFunction } from 'sage-kernel';

/** One measurement of a sensor. */
export interface Reading {
  readonly sensor: number;
  readonly tick: number;
  readonly value: number;
}

/** Sensors whose values walk up and down by chance; the same seed walks the same way. Each parallel instance has sensors of its own. */
export class RandomWalk extends SourceFunction<Reading> {
  readonly #sensors: number;
  readonly #ticks: number;
  readonly #values = new Map<number, number>();
  #state: number;
  #n = 0;

  constructor(sensors: number, ticks: number, seed: number) {
    super();
    this.#sensors = sensors;
    this.#ticks = ticks;
    this.#state = seed >>> 0;
  }

  execute(): Reading | typeof END {
    const tick = Math.floor(this.#n / this.#sensors);
    if (tick === this.#ticks) return END;
    const sensor = this.#n++ % this.#sensors;
    // A linear congruential generator: poor chance, but the same in every run.
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    const value = (this.#values.get(sensor) ?? 0) + (this.#state >= 2 ** 31 ? 1 : -1);
    this.#values.set(sensor, value);
    return { sensor, tick, value };
  }
}
