import type { FunctionMetrics } from '../../functions/function-metrics.ts';
import type { Core } from '../native/core.ts';

/** `KeyedStateCounts` of `sage-state`. */
interface StateCounts {
  readonly residentKeys: number;
  readonly residentBytes: number;
  readonly loaded: number;
  readonly written: number;
  readonly givenUp: number;
  readonly expired: number;
}

/** How often the size on disk is asked for at most: it is that of many files. */
const MIN_PAUSE_MS = 250;

/** What states on disk are doing, as gauges of their operator. */
export class StateCountGauges {
  readonly #core: Core;
  readonly #handle: number;
  #nextMs = Number.NEGATIVE_INFINITY;

  constructor(core: Core, handle: number) {
    this.#core = core;
    this.#handle = handle;
  }

  /** Sets the gauges as it is now; that of the size on disk not each time. */
  set(metrics: FunctionMetrics): void {
    const counts = JSON.parse(this.#core.keyedStateCounts(this.#handle)) as StateCounts;
    metrics.gauge('keys held').set(counts.residentKeys);
    metrics.gauge('state bytes in memory').set(counts.residentBytes);
    metrics.gauge('state values loaded').set(counts.loaded);
    metrics.gauge('state values written').set(counts.written);
    metrics.gauge('state values expired').set(counts.expired);
    metrics.gauge('keys given up').set(counts.givenUp);
    const nowMs = performance.now();
    if (nowMs < this.#nextMs) return;
    metrics.gauge('state bytes on disk').set(this.#core.keyedStateBytesOnDisk(this.#handle));
    this.#nextMs = performance.now() + MIN_PAUSE_MS;
  }

  /** Sets all of them for the last time. */
  setLast(metrics: FunctionMetrics): void {
    this.#nextMs = Number.NEGATIVE_INFINITY;
    this.set(metrics);
  }
}
