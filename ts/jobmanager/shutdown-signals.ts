import { setTimeout as sleep } from 'node:timers/promises';

import { flushOutput } from '../common/flush-output.ts';

/** What ends by a signal. */
export interface Stoppable {
  stop(): Promise<unknown>;
  cancel(): Promise<unknown>;
}

/** `SIGHUP`: the terminal was closed. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type ShutdownSignal = (typeof SIGNALS)[number];

/** After a second signal the process is gone by then, whatever user code still does. */
const CANCEL_DEADLINE_MS = 100;
/** In-flight records have this long to reach their sinks after the first signal, and what was printed as long again to reach its reader. */
const DRAIN_DEADLINE_MS = 10_000;

/**
 * While jobs run, Ctrl-C, SIGTERM and SIGHUP stop them: sources end, records in flight reach their sinks, a last checkpoint is
 * written where there are any, and the process then ends: by SIGTERM with 0 (or the exit code that the program has set), as an
 * orderly end is what was asked for; by the others as it would have. A second signal, or the deadline, cancels, and the process ends by the signal. Programs with listeners of their own for
 * the signal keep the last word: the jobs are stopped, the process is left to the program. One that listens to SIGHUP means something
 * else by it, such as reading its settings again: its jobs go on.
 */
export class ShutdownSignals {
  readonly #jobs: () => readonly Stoppable[];
  readonly #listener = (signal: ShutdownSignal): void => void this.#onSignal(signal);
  #installed = false;
  #received = 0;
  /** The last signal was not the first one. */
  #isForced = false;

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
    if (foreign && signal === 'SIGHUP') return;
    const isFirst = ++this.#received === 1;
    this.#isForced = !isFirst;
    const receivedMs = performance.now();
    let isOrderly = false;
    if (isFirst) isOrderly = await this.#stop(jobs);
    else await Promise.race([Promise.allSettled(jobs.map((job) => job.cancel())), sleep(CANCEL_DEADLINE_MS)]);
    // A second signal has come meanwhile, and says how it ends.
    if (isFirst && this.#isForced) return;
    this.#received = 0;
    if (foreign) return;
    // What waits for the result gets its turn first, and what it prints arrives; then the process ends as the signal asks.
    await new Promise((resolve) => setImmediate(resolve));
    await flushOutput(isFirst ? DRAIN_DEADLINE_MS : Math.max(0, CANCEL_DEADLINE_MS - (performance.now() - receivedMs)));
    this.#installed = false;
    for (const name of SIGNALS) process.off(name, this.#listener);
    if (isOrderly && signal === 'SIGTERM') process.exit();
    process.kill(process.pid, signal);
  }

  /** Whether all jobs have come to the end of a stop, and in time. */
  async #stop(jobs: readonly Stoppable[]): Promise<boolean> {
    let isInTime = true;
    const deadline = setTimeout(() => {
      isInTime = false;
      for (const job of jobs) void job.cancel();
    }, DRAIN_DEADLINE_MS);
    const ends = await Promise.allSettled(jobs.map((job) => job.stop()));
    clearTimeout(deadline);
    return isInTime && ends.every(({ status }) => status === 'fulfilled');
  }
}
