import type { FunctionMetricsSnapshot } from '../../functions/function-metrics.ts';
import { LogHistogram } from '../../functions/histogram.ts';
import type { HistogramSummary, UserMetrics } from '../../transformations/job.ts';
import type { InstanceMetrics } from '../isolate/instance-metrics.ts';

/** The metrics of user code in all isolates of a job: the last that each instance has told. */
export class UserMetricsOfJob {
  readonly #byOperator = new Map<number, Map<number, FunctionMetricsSnapshot>>();

  /** Takes the place of what the same instances have told before. */
  report(metrics: readonly InstanceMetrics[]): void {
    for (const { operator, instance, snapshot } of metrics) {
      let instances = this.#byOperator.get(operator);
      if (instances === undefined) {
        instances = new Map();
        this.#byOperator.set(operator, instances);
      }
      instances.set(instance, snapshot);
    }
  }

  /** What the instances of an operator have counted together; undefined when they have counted nothing. */
  of(operator: number): UserMetrics | undefined {
    const instances = this.#byOperator.get(operator);
    if (instances === undefined) return undefined;
    // Names are the user's: 'constructor' is one like any other.
    const counters = new Map<string, number>();
    const gauges = new Map<string, Record<number, number>>();
    const histograms = new Map<string, LogHistogram>();
    for (const [instance, snapshot] of [...instances].toSorted(([a], [b]) => a - b)) {
      for (const [name, value] of Object.entries(snapshot.counters)) counters.set(name, (counters.get(name) ?? 0) + value);
      for (const [name, value] of Object.entries(snapshot.gauges)) {
        const values = gauges.get(name) ?? {};
        gauges.set(name, values);
        values[instance] = value;
      }
      for (const [name, counted] of Object.entries(snapshot.histograms)) {
        const merged = histograms.get(name) ?? new LogHistogram();
        histograms.set(name, merged);
        merged.merge(counted);
      }
    }
    return {
      counters: Object.fromEntries(counters),
      gauges: Object.fromEntries(gauges),
      histograms: Object.fromEntries([...histograms].map(([name, histogram]) => [name, summary(histogram)])),
    };
  }
}

function summary(histogram: LogHistogram): HistogramSummary {
  const { count, sum, min, max } = histogram;
  return { count, sum, min, max, p50: histogram.quantile(0.5), p90: histogram.quantile(0.9), p99: histogram.quantile(0.99) };
}
