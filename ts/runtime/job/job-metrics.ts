import type { Edge } from '../../compiler/execution-graph.ts';
import { systemClock } from '../../common/clock.ts';
import type { BaseTransformation } from '../../transformations/base-transformation.ts';
import type { EdgeMetrics, JobMetrics, JobStatus, OperatorCounts, OperatorMetrics, ScalingDecision, StageMetrics, TaskMetrics } from '../../transformations/job.ts';
import { findHeldBack } from './held-back.ts';
import type { JobPlan } from './job-plan.ts';
import { type CoreEdgeMetrics, type CoreMetrics, type CoreTaskMetrics, countEdges, countOperators } from './job-result.ts';
import type { UserMetricsOfJob } from './user-metrics.ts';

/** A running job's metrics, from a snapshot of the core. */
export function makeJobMetrics(plan: JobPlan, status: JobStatus, metrics: CoreMetrics, userMetrics: UserMetricsOfJob, scaling: readonly ScalingDecision[]): Omit<JobMetrics, 'restarts' | 'checkpoints'> {
  const edges = measureEdges(plan, metrics);
  const operators = countOperators(plan, metrics, userMetrics);
  const heldBack = findHeldBack(operators, transformationsOf(plan));
  return {
    status,
    operators: operators.map((counts) => withLag(counts, (plan.config.clock ?? systemClock).now(), heldBack.get(counts.id)?.by.name)),
    edges,
    stages: measureStages(plan, metrics, edges),
    tasks: metrics.tasks.map((task) => measureTask(plan, task)),
    scaling,
    guarantee: plan.physical.guarantee,
  };
}

/** By id, what each operator of the plan was declared as. */
export function transformationsOf({ physical }: JobPlan): ReadonlyMap<number, BaseTransformation> {
  return new Map(physical.stages.flatMap(({ nodes }) => nodes.map(({ operator: { transformation } }) => [transformation.id as number, transformation] as const)));
}

function withLag(counts: OperatorCounts, nowMs: number, heldBackBy: string | undefined): OperatorMetrics {
  const { watermark } = counts;
  const held = heldBackBy === undefined ? {} : { heldBackBy };
  return watermark === undefined || watermark === Number.POSITIVE_INFINITY ? { ...counts, ...held } : { ...counts, ...held, watermarkLagMs: nowMs - watermark };
}

function measureEdges(plan: JobPlan, metrics: CoreMetrics): EdgeMetrics[] {
  const queues = Map.groupBy(plan.graph.edges, ({ exchange }) => exchange);
  return countEdges(plan, metrics).map((counts, exchange) => {
    const own = (queues.get(exchange) ?? []).map((edge) => ({ edge, now: metrics.edges[edge.id]! }));
    return {
      ...counts,
      queuedRecords: own.reduce((sum, { now }) => sum + now.queued, 0),
      queuedBytes: own.reduce((sum, { now }) => sum + now.queuedBytes, 0),
      queueFill: Math.max(0, ...own.map(({ edge, now }) => fill(edge, now))),
      ...(counts.feedback === undefined ? {} : { diskBytes: own.reduce((sum, { now }) => sum + (now.diskBytes ?? 0), 0) }),
    };
  });
}

/** A way back has memory for so many bytes; how many records that are does not count. */
function fill({ maxRows, maxBytes, feedback }: Edge, { queued, queuedBytes }: CoreEdgeMetrics): number {
  if (feedback !== undefined) return queuedBytes / Math.max(1, feedback.memoryBytes);
  return Math.max(queued / maxRows, queuedBytes / maxBytes);
}

function measureStages({ physical }: JobPlan, { tasks }: CoreMetrics, edges: readonly EdgeMetrics[]): StageMetrics[] {
  const byStage = Map.groupBy(tasks.filter(({ awake }) => awake), ({ stage }) => stage);
  return physical.stages.map((stage) => {
    const own = byStage.get(stage.id) ?? [];
    const total = (of: (task: CoreTaskMetrics) => number): number => own.reduce((sum, task) => sum + of(task), 0);
    const operators = stage.nodes.filter(({ op }) => op.kind !== 'input' && op.kind !== 'output' && op.kind !== 'extract');
    return {
      name: stage.name,
      operators: [...new Set(operators.map(({ operator }) => operator.id as number))],
      instances: own.length,
      finishedInstances: own.filter(({ finished }) => finished).length,
      numRecordsIn: total((task) => task.recordsIn),
      numRecordsOut: total((task) => task.recordsOut),
      busyTimeMs: total((task) => task.busyNanos) / 1e6,
      idleTimeMs: total((task) => task.idleNanos) / 1e6,
      backPressuredTimeMs: total((task) => task.backpressuredNanos) / 1e6,
      queueFill: stage.gates.length === 0 ? undefined : Math.max(...stage.gates.map((exchange) => edges[exchange]!.queueFill)),
    };
  });
}

function measureTask(plan: JobPlan, task: CoreTaskMetrics): TaskMetrics {
  return {
    stage: plan.physical.stages[task.stage]!.name,
    instance: task.instance,
    isolate: task.isolate,
    numRecordsIn: task.recordsIn,
    numRecordsOut: task.recordsOut,
    numBatchesIn: task.batchesIn,
    numBatchesOut: task.batchesOut,
    numBytesIn: task.bytesIn,
    numBytesOut: task.bytesOut,
    busyTimeMs: task.busyNanos / 1e6,
    idleTimeMs: task.idleNanos / 1e6,
    backPressuredTimeMs: task.backpressuredNanos / 1e6,
  };
}
