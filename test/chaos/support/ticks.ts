/** How long it took from one tick of an interval to the next, in milliseconds. */
export interface Gap {
  /** By the clock. */
  readonly wallMs: number;
  /** How much of that the thread was at work, not waiting for a processor. */
  readonly busyMs: number;
}

const MOST = 20_000;

/** Where an interval notes when it fires. Its memory is shared: user code in a worker writes it, a test reads it. */
export class Ticks {
  readonly #count: Int32Array;
  readonly #gaps: Float64Array;
  #timer: NodeJS.Timeout | undefined;
  #atMs = 0;
  #cpu = { user: 0, system: 0 };

  constructor(buffer: SharedArrayBuffer) {
    this.#count = new Int32Array(buffer, 0, 1);
    this.#gaps = new Float64Array(buffer, 8);
  }

  static buffer(): SharedArrayBuffer {
    return new SharedArrayBuffer(8 + 2 * MOST * Float64Array.BYTES_PER_ELEMENT);
  }

  /** Begins an interval in this thread. */
  start(): void {
    this.#atMs = performance.now();
    this.#cpu = process.threadCpuUsage();
    this.#timer = setInterval(() => this.#tick(), 5);
  }

  /** Ends it; the time since the last tick counts as well, or an interval that never fires would look fine. */
  stop(): void {
    clearInterval(this.#timer);
    this.#tick();
  }

  get gaps(): Gap[] {
    return Array.from({ length: Atomics.load(this.#count, 0) }, (_, n) => ({ wallMs: this.#gaps[2 * n]!, busyMs: this.#gaps[2 * n + 1]! }));
  }

  #tick(): void {
    const { user, system } = process.threadCpuUsage(this.#cpu);
    const nowMs = performance.now();
    const n = Atomics.load(this.#count, 0);
    if (n === MOST) throw new RangeError('the interval runs for too long');
    this.#gaps[2 * n] = nowMs - this.#atMs;
    this.#gaps[2 * n + 1] = (user + system) / 1000;
    Atomics.store(this.#count, 0, n + 1);
    this.#atMs = nowMs;
    this.#cpu = process.threadCpuUsage();
  }
}
