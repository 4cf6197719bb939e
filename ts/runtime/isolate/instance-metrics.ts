import type { FunctionMetricsSnapshot } from '../../functions/function-metrics.ts';

/** What the functions of one operator instance have counted so far. */
export interface InstanceMetrics {
  readonly operator: number;
  readonly instance: number;
  readonly snapshot: FunctionMetricsSnapshot;
}
