const WANTED = 0;
const ARMED = 1;
const BEGUN = 2;
const LEFT = 3;
const INTS = 4;

/** When the threads of a job are to die, known to all of them and to every attempt: shared memory. */
export class Deaths {
  readonly #ints: Int32Array<SharedArrayBuffer>;
  readonly #begunAtMs: Float64Array<SharedArrayBuffer>;

  constructor(buffer: SharedArrayBuffer) {
    this.#ints = new Int32Array(buffer, 0, INTS);
    this.#begunAtMs = new Float64Array(buffer, INTS * Int32Array.BYTES_PER_ELEMENT, 1);
  }

  /** Memory for so many deaths of one run. */
  static buffer(wanted: number): SharedArrayBuffer {
    const buffer = new SharedArrayBuffer(INTS * Int32Array.BYTES_PER_ELEMENT + Float64Array.BYTES_PER_ELEMENT);
    new Int32Array(buffer)[WANTED] = wanted;
    return buffer;
  }

  /** The next death comes with the `records`-th record from now on, in whatever instance that is. */
  arm(records: number): void {
    Atomics.store(this.#ints, LEFT, records);
    Atomics.add(this.#ints, ARMED, 1);
    Atomics.notify(this.#ints, ARMED);
  }

  /** How many have begun. */
  get begun(): number {
    return Atomics.load(this.#ints, BEGUN);
  }

  /** When the last one did, or gave its last sign of life, in epoch milliseconds. */
  get begunAtMs(): number {
    return this.#begunAtMs[0]!;
  }

  /** For a function, once a record: whether it is to die now. */
  isDue(): boolean {
    if (Atomics.load(this.#ints, LEFT) === 0 || Atomics.sub(this.#ints, LEFT, 1) !== 1) return false;
    this.#begunAtMs[0] = performance.timeOrigin + performance.now();
    Atomics.add(this.#ints, BEGUN, 1);
    return true;
  }

  /** For a thread that dies slowly: it has still been there now. */
  signOfLife(): void {
    this.#begunAtMs[0] = performance.timeOrigin + performance.now();
  }

  /** For a source that has given this share of its records: what it waits for, so that no death is left over at its end. */
  rest(share: number): Promise<unknown> | undefined {
    const begun = this.begun;
    if (share < (begun + 1) / (Atomics.load(this.#ints, WANTED) + 1) || Atomics.load(this.#ints, ARMED) > begun || begun === Atomics.load(this.#ints, WANTED)) return undefined;
    const waiting = Atomics.waitAsync(this.#ints, ARMED, begun);
    return Promise.resolve(waiting.value);
  }
}
