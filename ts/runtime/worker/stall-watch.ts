import type { Clock } from '../../common/clock.ts';

/** A timeout is divided into so many looks at least, so that it is not overstepped by much. */
const LEAST_LOOKS = 10;
const LONGEST_LOOK_MS = 1_000;
/** Between two looks counts at most so many times the time that there should be: a thread does not hang because the one that watches it did, or the machine slept. */
const MOST_LOOKS_AT_ONCE = 2;

export interface StallWatchOptions {
  /** A silence that is so long is a stall. */
  readonly timeoutMs: number;
  /** As `timeoutMs`, while that holds; a silence that goes on behind it begins anew. */
  readonly atFirst?: { readonly timeoutMs: number; readonly holds: () => boolean };
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Whether threads may be silent for long without harm, as at a breakpoint. */
  readonly mayBeSilent: () => boolean;
  /** Asks the thread for a sign of life, which its event loop answers. */
  readonly ask: () => void;
  /** Called once, with the length of the silence. */
  readonly onStall: (silentMs: number) => void;
}

/**
 * Notices that the event loop of a thread does not turn any more. The thread is asked now and then, and pays one message for that; nothing is done
 * for a record.
 */
export class StallWatch {
  readonly #options: StallWatchOptions;
  readonly #lookEveryMs: number;
  #timer: NodeJS.Timeout | undefined;
  #lastLookMs = 0;
  /** Since it was asked and has not answered. */
  #silentMs = 0;
  #isAsked = false;
  #wasFirst = false;

  constructor(options: StallWatchOptions) {
    this.#options = options;
    this.#lookEveryMs = Math.max(1, Math.min(LONGEST_LOOK_MS, options.timeoutMs / LEAST_LOOKS));
  }

  /** A sign of life: the first one begins the watch, as a thread that is still being started cannot answer. */
  heard(): void {
    this.#isAsked = false;
    this.#silentMs = 0;
    if (this.#timer !== undefined || this.#options.timeoutMs === Number.POSITIVE_INFINITY) return;
    this.#lastLookMs = this.#options.clock.monotonicMs();
    this.#timer = setInterval(() => this.#look(), this.#lookEveryMs).unref();
  }

  /** The watch ends, for good. */
  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const nowMs = this.#options.clock.monotonicMs();
    const passedMs = Math.min(nowMs - this.#lastLookMs, MOST_LOOKS_AT_ONCE * this.#lookEveryMs);
    this.#lastLookMs = nowMs;
    if (this.#options.mayBeSilent()) {
      this.#silentMs = 0;
      return;
    }
    if (!this.#isAsked) {
      this.#isAsked = true;
      this.#options.ask();
      return;
    }
    this.#silentMs += passedMs;
    const { timeoutMs, atFirst } = this.#options;
    const isFirst = atFirst?.holds() === true;
    if (this.#wasFirst && !isFirst) this.#silentMs = 0;
    this.#wasFirst = isFirst;
    if (this.#silentMs < (isFirst ? atFirst.timeoutMs : timeoutMs)) return;
    this.stop();
    this.#options.onStall(this.#silentMs);
  }
}
