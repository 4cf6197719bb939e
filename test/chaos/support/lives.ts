/** What all threads note of the life of functions, by instance. */
export class Lives {
  readonly #counts: Int32Array;

  constructor(buffer: SharedArrayBuffer) {
    this.#counts = new Int32Array(buffer);
  }

  /** Memory for so many instances. */
  static buffer(instances: number): SharedArrayBuffer {
    return new SharedArrayBuffer((1 + 2 * instances) * Int32Array.BYTES_PER_ELEMENT);
  }

  /** An instance was opened. */
  opened(instance: number): void {
    Atomics.add(this.#counts, 1 + 2 * instance, 1);
  }

  /** An instance was closed. */
  closed(instance: number): void {
    Atomics.add(this.#counts, 2 + 2 * instance, 1);
  }

  /** How often an instance was opened and closed. */
  of(instance: number): { opened: number; closed: number } {
    return { opened: Atomics.load(this.#counts, 1 + 2 * instance), closed: Atomics.load(this.#counts, 2 + 2 * instance) };
  }

  /** Some instance does now what it is there for. */
  beginDeath(): void {
    Atomics.store(this.#counts, 0, 1);
  }

  /** Whether that moment has come. */
  get deathHasBegun(): boolean {
    return Atomics.load(this.#counts, 0) === 1;
  }
}
