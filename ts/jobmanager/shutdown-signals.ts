/** What ends by a signal. */
export interface Stoppable {
  stop(): Promise<unknown>;
  cancel(): Promise<unknown>;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
type ShutdownSignal = (typeof SIGNALS)[number];

/** After a second signal the process is gone by then, whatever user code still does. */
const CANCEL_DEADLINE_MS = 100;
/** In-flight records have this long to reach their sinks after the first signal. */
const DRAIN_DEADLINE_MS = 10_000;

/**
 * While jobs run, Ctrl-C and SIGTERM stop them: sources end, records in flight reach their sinks, and the process then
 * ends by the signal as it would have. A second signal, or the deadline, cancels. Programs with listeners of their own for
 * the signal keep the last word: the jobs are stopped, the process is left to the program.
 */
export class ShutdownSignals {
  readonly #jobs: () => readonly Stoppable[];
  readonly #listener = (signal: ShutdownSignal): void => void this.#onSignal(signal);
  #installed = false;
  #received = 0;

  constructor(jobs: () => readonly Stoppable[]) {
    this.#jobs = jobs;
  }

  /** Listens while there are jobs, and only then. */
  update(): void {
    const wanted = this.#jobs().length > 0;
    if (wanted === this.#installed) return;
    this.#installed = wanted;
    for (const signal of SIGNALS) {
      if (wanted) process.on(signal, this.#listener);
      else process.off(signal, this.#listener);
    }
  }

  async #onSignal(signal: ShutdownSignal): Promise<void> {
    const jobs = this.#jobs();
    const foreign = process.listeners(signal).some((listener) => listener !== this.#listener);
    if (++this.#received > 1) {
      const canceled = Promise.allSettled(jobs.map((job) => job.cancel()));
      await Promise.race([canceled, new Promise((resolve) => setTimeout(resolve, CANCEL_DEADLINE_MS))]);
    } else {
      const deadline = setTimeout(() => {
        for (const job of jobs) void job.cancel();
      }, DRAIN_DEADLINE_MS);
      await Promise.allSettled(jobs.map((job) => job.stop()));
      clearTimeout(deadline);
    }
    this.#received = 0;
    if (foreign) return;
    // What waits for the result gets its turn first; then the process ends as the signal asks.
    setImmediate(() => {
      this.#installed = false;
      for (const name of SIGNALS) process.off(name, this.#listener);
      process.kill(process.pid, signal);
    });
  }
}
