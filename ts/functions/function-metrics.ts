import { type Histogram, type HistogramSnapshot, LogHistogram } from './histogram.ts';
import { wrongMeasurement } from './wrong-measurement.ts';

/** A number that only grows. */
export interface Counter {
  /**
   * Adds so much; 1 when left away.
   *
   * @throws SageError SAGE_USER_WRONG_TYPE unless it is a number from 0.
   */
  inc(by?: number): void;
  /** Its sum in this instance. */
  readonly value: number;
}

/** A number that is set. */
export interface Gauge {
  /**
   * From now on this is its value.
   *
   * @throws SageError SAGE_USER_WRONG_TYPE unless it is a number; `NaN` is one.
   */
  set(value: number): void;
  /** What was set last. */
  readonly value: number;
}

/** The metrics of one function instance. The same name gives the same metric. */
export interface FunctionMetrics {
  /** The counter of this name: made at the first call, the same at each later one. */
  counter(name: string): Counter;
  /** The gauge of this name: made at the first call, the same at each later one. */
  gauge(name: string): Gauge;
  /** The histogram of this name: made at the first call, the same at each later one. */
  histogram(name: string): Histogram;
}

/** A copy of all metrics at one moment; structured-cloneable. */
export interface FunctionMetricsSnapshot {
  readonly counters: Readonly<Record<string, number>>;
  readonly gauges: Readonly<Record<string, number>>;
  readonly histograms: Readonly<Record<string, HistogramSnapshot>>;
}

class LocalCounter implements Counter {
  value = 0;
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  inc(by = 1): void {
    // What is no number would stay in the sum for good.
    if (typeof by !== 'number' || !(by >= 0)) throw wrongMeasurement(`the counter '${this.#name}' was increased by`, by, 'a number from 0');
    this.value += by;
  }
}

class LocalGauge implements Gauge {
  value = 0;
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  set(value: number): void {
    if (typeof value !== 'number') throw wrongMeasurement(`the gauge '${this.#name}' was set to`, value, 'a number');
    this.value = value;
  }
}

/** Metrics kept in the isolate of their function; the runtime takes snapshots. */
export class LocalFunctionMetrics implements FunctionMetrics {
  readonly #counters = new Map<string, LocalCounter>();
  readonly #gauges = new Map<string, LocalGauge>();
  readonly #histograms = new Map<string, LogHistogram>();

  /** Whether there is none yet. */
  get isEmpty(): boolean {
    return this.#counters.size + this.#gauges.size + this.#histograms.size === 0;
  }

  counter(name: string): Counter {
    return getOrAdd(this.#counters, name, () => new LocalCounter(name));
  }

  gauge(name: string): Gauge {
    return getOrAdd(this.#gauges, name, () => new LocalGauge(name));
  }

  histogram(name: string): Histogram {
    return getOrAdd(this.#histograms, name, () => new LogHistogram(name));
  }

  /** All metrics as they are now. */
  snapshot(): FunctionMetricsSnapshot {
    return {
      counters: Object.fromEntries([...this.#counters].map(([name, counter]) => [name, counter.value])),
      gauges: Object.fromEntries([...this.#gauges].map(([name, gauge]) => [name, gauge.value])),
      histograms: Object.fromEntries([...this.#histograms].map(([name, histogram]) => [name, histogram.snapshot()])),
    };
  }
}

function getOrAdd<M>(metrics: Map<string, M>, name: string, create: () => M): M {
  let metric = metrics.get(name);
  if (metric === undefined) {
    metric = create();
    metrics.set(name, metric);
  }
  return metric;
}
