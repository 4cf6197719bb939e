import type { SageError } from '../../common/errors.ts';
import { DEFAULT_JITTER, DEFAULT_MULTIPLIER, type ExponentialRestart, type FailureRateRestart, type FixedRestart, type RestartSettings } from '../../transformations/checkpoint-settings.ts';

/** Decides whether a job that has failed is started again, and after how long. */
export interface Restarts {
  /** Told of each failure, at the time of a clock that never goes back. The delay before the next attempt; nothing when there is to be none. */
  failed(nowMs: number): number | undefined;
  /** Told of the beginning of each attempt. */
  started(nowMs: number): void;
}

const NEVER: Restarts = { failed: () => undefined, started: () => undefined };

/** A job that has run so many times the longest delay is well again. */
const RESET_AFTER_DELAYS = 10;

/** @param random from 0 up to 1 */
export function makeRestarts(settings: RestartSettings, random: () => number): Restarts {
  if (settings === 'none') return NEVER;
  switch (settings.kind) {
    case 'fixed':
      return new FixedRestarts(settings);
    case 'exponential':
      return new ExponentialRestarts(settings, random);
    case 'failureRate':
      return new FailureRateRestarts(settings);
  }
}

class FixedRestarts implements Restarts {
  readonly #settings: FixedRestart;
  #attempts = 0;

  constructor(settings: FixedRestart) {
    this.#settings = settings;
  }

  failed(): number | undefined {
    return this.#attempts++ < this.#settings.attempts ? this.#settings.delayMs : undefined;
  }

  started(): void {}
}

class ExponentialRestarts implements Restarts {
  readonly #settings: ExponentialRestart;
  readonly #random: () => number;
  #delayMs: number;
  #startedMs = Number.POSITIVE_INFINITY;

  constructor(settings: ExponentialRestart, random: () => number) {
    this.#settings = settings;
    this.#random = random;
    this.#delayMs = settings.initialMs;
  }

  failed(nowMs: number): number {
    const { initialMs, maxMs, multiplier = DEFAULT_MULTIPLIER, jitter = DEFAULT_JITTER, resetAfterMs = maxMs * RESET_AFTER_DELAYS } = this.#settings;
    if (nowMs - this.#startedMs >= resetAfterMs) this.#delayMs = initialMs;
    const delayMs = this.#delayMs;
    this.#delayMs = Math.min(maxMs, delayMs * multiplier);
    return Math.min(maxMs, delayMs * (1 + jitter * (2 * this.#random() - 1)));
  }

  started(nowMs: number): void {
    this.#startedMs = nowMs;
  }
}

class FailureRateRestarts implements Restarts {
  readonly #settings: FailureRateRestart;
  /** When the failures were that still count, oldest first. */
  #failedMs: number[] = [];

  constructor(settings: FailureRateRestart) {
    this.#settings = settings;
  }

  failed(nowMs: number): number | undefined {
    const { failures, perMs, delayMs } = this.#settings;
    this.#failedMs = this.#failedMs.filter((ms) => nowMs - ms < perMs);
    this.#failedMs.push(nowMs);
    return this.#failedMs.length > failures ? undefined : delayMs;
  }

  started(): void {}
}

/** Errors that would come again, whatever is tried: of the program, or of what the job is to go on from. */
const LASTING = /^SAGE_(PLAN|CHECKPOINT)_|^SAGE_(GRAPH_MISMATCH|WORKER_IMPORT|ENV_CLOSED|ENV_CONTEXT|JOB_CANCELED|STATE_DECLARATION)$/;

/** Whether another attempt may end otherwise. */
export function mayEndOtherwise({ code }: Pick<SageError, 'code'>): boolean {
  return !LASTING.test(code);
}
