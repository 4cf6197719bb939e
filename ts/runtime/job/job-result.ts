import type { Stage, StageNode } from '../../compiler/physical-plan.ts';
import type { EdgeCounts, JobMetrics, JobResult, JobStatus, OperatorCounts } from '../../transformations/job.ts';
import { COUNTERS_PER_NODE } from '../stage/stage-factory.ts';
import type { JobPlan } from './job-plan.ts';

/** The core's snapshot of a job, as far as results need it. */
export interface CoreMetrics {
  readonly state: string;
  readonly durationNanos: number;
  readonly tasks: readonly CoreTaskMetrics[];
  readonly edges: readonly { readonly edge: number; readonly sent: number; readonly received: number; readonly queued: number }[];
}

/** The core's counters of one task. */
export interface CoreTaskMetrics {
  readonly task: number;
  readonly stage: number;
  readonly instance: number;
  readonly isolate: number;
  readonly recordsIn: number;
  readonly recordsOut: number;
  /** What a native source left out because it could not be read. */
  readonly recordsSkipped: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly batchesIn: number;
  readonly batchesOut: number;
  readonly idleNanos: number;
  readonly busyNanos: number;
  readonly backpressuredNanos: number;
  /** What the stage runner reported: `COUNTERS_PER_NODE` blocks of one number for each node. */
  readonly reported: readonly number[];
}

interface NodeCounts {
  in: number;
  out: number;
}

/** What each node of a stage got and gave, worked out from the few counters that are kept on the hot path. */
function countNodes(stage: Stage, tasks: readonly CoreTaskMetrics[]): NodeCounts[] {
  const size = stage.nodes.length;
  const sums = new Float64Array(size * COUNTERS_PER_NODE);
  for (const task of tasks) task.reported.forEach((value, n) => (sums[n]! += value));
  const [entered, dropped, emitted] = [sums.subarray(0, size), sums.subarray(size, 2 * size), sums.subarray(2 * size)];
  const counts: NodeCounts[] = stage.nodes.map(() => ({ in: 0, out: 0 }));
  for (const node of stage.nodes) {
    const count = counts[node.id]!;
    count.out = outOf(node, count, entered[node.id]!, dropped[node.id]!, emitted[node.id]!);
    for (const child of node.children) counts[child]!.in += count.out;
  }
  return counts;
}

function outOf(node: StageNode, count: NodeCounts, entered: number, dropped: number, emitted: number): number {
  const { op } = node;
  switch (op.kind) {
    case 'source':
    case 'input':
      count.in = entered;
      return entered;
    case 'map':
    case 'filter':
      return count.in - dropped;
    case 'flatMap':
      return emitted;
    case 'reduce':
    case 'aggregate':
      return !op.keyed && op.emit === 'update' ? count.in : entered;
    case 'sink':
      return 0;
    default:
      return count.in;
  }
}

/** Counts of each operator that the user declared, in the order of the pipeline. */
function countOperators(plan: JobPlan, metrics: CoreMetrics): OperatorCounts[] {
  const operators = new Map<number, { -readonly [K in keyof OperatorCounts]: OperatorCounts[K] }>();
  for (const stage of plan.physical.stages) {
    const tasks = metrics.tasks.filter((task) => task.stage === stage.id);
    const counts = countNodes(stage, tasks);
    for (const node of stage.nodes) {
      const { op, operator } = node;
      if (op.kind === 'input' || op.kind === 'output' || op.kind === 'extract') continue;
      const entry = operators.get(operator.id) ?? {
        id: operator.id,
        name: operator.name,
        recordsIn: 0,
        recordsOut: 0,
        recordsDropped: 0,
        recordsFiltered: 0,
        recordsSkipped: 0,
        deadLetters: 0,
      };
      operators.set(operator.id, entry);
      if (op.kind === 'native') {
        const skipped = tasks.reduce((sum, task) => sum + task.recordsSkipped, 0);
        entry.recordsSkipped += skipped;
        entry.recordsIn += skipped + tasks.reduce((sum, task) => sum + (op.role === 'source' ? task.recordsOut : task.recordsIn), 0);
        entry.recordsOut += op.role === 'source' ? tasks.reduce((sum, task) => sum + task.recordsOut, 0) : 0;
        continue;
      }
      const count = counts[node.id]!;
      entry.recordsIn += count.in;
      entry.recordsOut += count.out;
      if (op.kind === 'map') entry.recordsDropped += count.in - count.out;
      if (op.kind === 'filter') entry.recordsFiltered += count.in - count.out;
    }
  }
  return [...operators.values()].toSorted((a, b) => a.id - b.id);
}

function countEdges(plan: JobPlan, metrics: CoreMetrics): EdgeCounts[] {
  return plan.physical.exchanges.map((exchange) => {
    const edges = plan.graph.edges.filter((edge) => edge.exchange === exchange.id).map((edge) => metrics.edges[edge.id]!);
    const to = plan.physical.stages[exchange.to.stage]!;
    const input = to.nodes.find((node) => node.op.kind === 'native' || (node.op.kind === 'input' && node.op.gate === exchange.to.gate))!;
    return {
      from: plan.physical.stages[exchange.from.stage]!.nodes[exchange.from.node]!.operator.name,
      to: input.operator.name,
      sent: edges.reduce((sum, edge) => sum + edge.sent, 0),
      received: edges.reduce((sum, edge) => sum + edge.received, 0),
    };
  });
}

/** A running job's metrics, from a snapshot of the core. */
export function makeJobMetrics(plan: JobPlan, status: JobStatus, metrics: CoreMetrics): JobMetrics {
  return {
    status,
    operators: countOperators(plan, metrics),
    edges: countEdges(plan, metrics),
    tasks: metrics.tasks.map((task) => ({
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
    })),
  };
}

/** The result of a job that has ended, from the core's last snapshot. */
export function makeJobResult(plan: JobPlan, jobId: string, status: JobStatus, durationMs: number, metrics: CoreMetrics): JobResult {
  const operators = countOperators(plan, metrics);
  const kinds = new Map(plan.physical.stages.flatMap((stage) => stage.nodes.map((node) => [node.operator.id as number, node.operator.kind] as const)));
  const total = (kind: string, field: 'recordsIn' | 'recordsOut' | 'recordsDropped'): number =>
    operators.filter((operator) => kinds.get(operator.id) === kind).reduce((sum, operator) => sum + operator[field], 0);
  return {
    jobId,
    name: plan.name,
    status,
    recordsIn: total('source', 'recordsOut'),
    recordsOut: total('sink', 'recordsIn'),
    recordsDropped: total('map', 'recordsDropped'),
    recordsSkipped: operators.reduce((sum, operator) => sum + operator.recordsSkipped, 0),
    deadLetters: 0,
    durationMs,
    isolates: new Set(plan.graph.tasks.filter((task) => task.isolate >= 0).map((task) => task.isolate)).size,
    operators,
    edges: countEdges(plan, metrics),
  };
}
