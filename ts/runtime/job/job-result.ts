import { type Stage, type StageNode, failingOperator } from '../../compiler/physical-plan.ts';
import type { EdgeCounts, JobResult, JobStatus, OperatorCounts, ScalingDecision } from '../../transformations/job.ts';
import { COUNTERS_PER_NODE } from '../stage/make-bindings.ts';
import type { JobPlan } from './job-plan.ts';
import type { UserMetricsOfJob } from './user-metrics.ts';

/** The core's snapshot of a job, as far as results need it. */
export interface CoreMetrics {
  readonly state: string;
  readonly durationNanos: number;
  readonly tasks: readonly CoreTaskMetrics[];
  readonly edges: readonly CoreEdgeMetrics[];
  /** What native sinks said when they committed. */
  readonly sinks?: readonly { readonly task: number; readonly report: { readonly unreadRecords?: number } }[];
}

/** The core's counters of one physical edge, by edge id. */
export interface CoreEdgeMetrics {
  readonly edge: number;
  readonly sent: number;
  readonly received: number;
  /** Records in flight. */
  readonly queued: number;
  readonly queuedBytes: number;
  /** Of a feedback edge: records that did not go around any more, that were on disk, and bytes that are. */
  readonly dropped?: number;
  readonly spilled?: number;
  readonly diskBytes?: number;
}

/** The core's counters of one task. */
export interface CoreTaskMetrics {
  readonly task: number;
  readonly stage: number;
  readonly instance: number;
  readonly isolate: number;
  readonly finished: boolean;
  /** Not so for a task whose isolate has not come yet. */
  readonly awake: boolean;
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
  readonly reported: readonly (number | null)[];
}

/** Operators that drop what their function gives nothing for, and that keep records back. */
const DROPS: ReadonlySet<string> = new Set(['map', 'mapAsync', 'route']);
const FILTERS: ReadonlySet<string> = new Set(['filter', 'dedup', 'sample', 'limit', 'fillFuture']);

/** Which block of what is reported has the watermarks. */
const WATERMARKS = 5;

export interface NodeCounts {
  in: number;
  out: number;
  skipped: number;
  dead: number;
}

/** What each node of a stage got and gave, worked out from the few counters that are kept on the hot path. */
export function countNodes(stage: Stage, tasks: readonly CoreTaskMetrics[]): { readonly counts: readonly NodeCounts[]; readonly dropped: Float64Array; readonly late: Float64Array; readonly ahead: Float64Array } {
  const size = stage.nodes.length;
  const sums = new Float64Array(size * COUNTERS_PER_NODE);
  for (const task of tasks) task.reported.forEach((value, n) => (sums[n]! += value ?? 0));
  const block = (index: number): Float64Array => sums.subarray(index * size, (index + 1) * size);
  const [entered, dropped, emitted, skipped, dead] = [block(0), block(1), block(2), block(3), block(4)] as const;
  const counts = stage.nodes.map(({ id }): NodeCounts => ({ in: 0, out: 0, skipped: skipped[id]!, dead: dead[id]! }));
  for (const node of stage.nodes) {
    const count = counts[node.id]!;
    count.out = outOf(node, count, entered[node.id]!, dropped[node.id]!, emitted[node.id]!);
    for (const child of node.children) counts[child]!.in += count.out;
  }
  return { counts, dropped, late: block(6), ahead: block(7) };
}

/** The watermark of the records that leave a node: that of the instance which is least far; nothing where there is none yet. */
function watermarkOf(stage: Stage, node: StageNode, tasks: readonly CoreTaskMetrics[]): number | undefined {
  const place = WATERMARKS * stage.nodes.length + node.id;
  const all = tasks.map(({ reported }) => reported[place] ?? -Number.MAX_VALUE);
  const least = Math.min(...all);
  return all.length === 0 || least === -Number.MAX_VALUE ? undefined : least === Number.MAX_VALUE ? Number.POSITIVE_INFINITY : least;
}

function outOf(node: StageNode, count: NodeCounts, entered: number, dropped: number, emitted: number): number {
  const { op } = node;
  const failed = count.skipped + count.dead;
  switch (op.kind) {
    case 'source':
      // What a source was asked for and could not give.
      count.in = entered + failed;
      return entered;
    case 'native':
    case 'input':
    case 'sideOutput':
      count.in = entered;
      return entered;
    case 'map':
    case 'filter':
    case 'dedup':
    case 'sample':
    case 'limit':
    case 'fillFuture':
    case 'route':
      return count.in - dropped - failed;
    case 'flatMap':
      return emitted;
    case 'process':
    case 'batch':
      return emitted + entered;
    case 'mapAsync':
    case 'intervalJoin':
    case 'asOfJoin':
    case 'window':
    case 'keyedProcess':
      return entered;
    case 'reduce':
    case 'aggregate':
      return !op.keyed && op.emit === 'update' ? count.in - failed : entered;
    case 'sink':
      return 0;
    default:
      return count.in - failed;
  }
}

/** Counts of each operator that the user declared, in the order of the pipeline. */
export function countOperators(plan: JobPlan, metrics: CoreMetrics, userMetrics: UserMetricsOfJob): OperatorCounts[] {
  const operators = new Map<number, { -readonly [K in keyof OperatorCounts]: OperatorCounts[K] }>();
  const watermarks = new Map<number, number>();
  for (const stage of plan.physical.stages) {
    const tasks = metrics.tasks.filter((task) => task.stage === stage.id);
    const { counts, dropped, late, ahead } = countNodes(stage, tasks);
    for (const node of stage.nodes) {
      const { op } = node;
      // What could not be encoded is the failure of the operator that it belongs to.
      const operator = failingOperator(node);
      if (op.kind === 'input') continue;
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
      const failures = counts[node.id]!;
      entry.recordsSkipped += failures.skipped;
      entry.deadLetters += failures.dead;
      if (op.kind === 'extract' || (op.kind === 'output' && op.owner.kind === 'extract')) {
        // Records of an aggregate that failed before its exchange: it has not seen them.
        entry.recordsIn += failures.skipped;
        continue;
      }
      if (op.kind === 'output') {
        // What could not be encoded is a failure of the operator that gave it.
        entry.recordsOut -= failures.skipped + failures.dead;
        continue;
      }
      if (op.kind === 'native') {
        const skipped = tasks.reduce((sum, task) => sum + task.recordsSkipped, 0);
        entry.recordsSkipped += skipped;
        // What operators on the reader's own threads take is counted there; without such all of it is sent.
        const taken = stage.nodes.length > 1 ? counts[node.id]!.out : tasks.reduce((sum, task) => sum + (op.role === 'source' ? task.recordsOut : task.recordsIn), 0);
        entry.recordsIn += skipped + taken;
        entry.recordsOut += op.role === 'source' ? taken : 0;
        const unread = unreadRecords(metrics, tasks);
        if (unread > 0) entry.recordsUnread = (entry.recordsUnread ?? 0) + unread;
        continue;
      }
      const watermark = node.operator.timed ? watermarkOf(stage, node, tasks) : undefined;
      // An operator of several inputs has a node for each: it is as far as the least of them.
      if (node.operator.timed) watermarks.set(operator.id, Math.min(watermarks.get(operator.id) ?? Number.POSITIVE_INFINITY, watermark ?? Number.NEGATIVE_INFINITY));
      if (op.kind === 'window' || op.kind === 'intervalJoin' || op.kind === 'asOfJoin') {
        entry.recordsLate = (entry.recordsLate ?? 0) + late[node.id]!;
        entry.recordsDropped += dropped[node.id]!;
      }
      if (op.kind === 'assignTimestamps') entry.recordsAhead = (entry.recordsAhead ?? 0) + ahead[node.id]!;
      const count = counts[node.id]!;
      entry.recordsIn += count.in;
      entry.recordsOut += count.out;
      if (DROPS.has(op.kind)) entry.recordsDropped += dropped[node.id]!;
      if (FILTERS.has(op.kind)) entry.recordsFiltered += dropped[node.id]!;
    }
  }
  for (const [id, watermark] of watermarks) if (watermark !== Number.NEGATIVE_INFINITY) operators.get(id)!.watermark = watermark;
  for (const [id, dropped] of droppedByLoops(plan, metrics)) {
    const entry = operators.get(id);
    if (entry === undefined) continue;
    entry.recordsOut -= dropped;
    entry.recordsDropped += dropped;
  }
  return [...operators.values()]
    .toSorted((a, b) => a.id - b.id)
    .map((counts) => {
      const counted = userMetrics.of(counts.id);
      return counted === undefined ? counts : { ...counts, metrics: counted };
    });
}

function unreadRecords({ sinks = [] }: CoreMetrics, tasks: readonly CoreTaskMetrics[]): number {
  return sinks.filter((sink) => tasks.some(({ task }) => task === sink.task)).reduce((sum, { report }) => sum + (report.unreadRecords ?? 0), 0);
}

/** Counts of each exchange, in the order of the plan. */
export function countEdges(plan: JobPlan, metrics: CoreMetrics): EdgeCounts[] {
  return plan.physical.exchanges.map((exchange) => {
    const edges = plan.graph.edges.filter((edge) => edge.exchange === exchange.id).map((edge) => metrics.edges[edge.id]!);
    const to = plan.physical.stages[exchange.to.stage]!;
    const input = to.nodes.find((node) => node.op.kind === 'native' || (node.op.kind === 'input' && node.op.gate === exchange.to.gate))!;
    const total = (of: (edge: CoreEdgeMetrics) => number | undefined): number => edges.reduce((sum, edge) => sum + (of(edge) ?? 0), 0);
    const { feedback } = exchange;
    return {
      from: plan.physical.stages[exchange.from.stage]!.nodes[exchange.from.node]!.operator.name,
      to: input.operator.name,
      sent: total(({ sent }) => sent),
      received: total(({ received }) => received),
      ...(feedback === undefined ? {} : { feedback: { loop: feedback.name, recordsSpilled: total(({ spilled }) => spilled), recordsDropped: total(({ dropped }) => dropped) } }),
    };
  });
}

/** Records that a stopped loop did not send around any more, by the operator that would have. */
function droppedByLoops({ physical, graph }: JobPlan, { edges }: CoreMetrics): ReadonlyMap<number, number> {
  return new Map(
    physical.exchanges.flatMap(({ id, feedback, from }) => {
      if (feedback === undefined) return [];
      const dropped = graph.edges.reduce((sum, edge) => sum + (edge.exchange === id ? (edges[edge.id]!.dropped ?? 0) : 0), 0);
      return [[physical.stages[from.stage]!.nodes[from.node]!.operator.id as number, dropped] as const];
    }),
  );
}

/** The result of a job that has ended, from the core's last snapshot. */
export function makeJobResult(
  plan: JobPlan,
  jobId: string,
  status: JobStatus,
  durationMs: number,
  metrics: CoreMetrics,
  userMetrics: UserMetricsOfJob,
  scaling: readonly ScalingDecision[],
  restarts: number,
): JobResult {
  const operators = countOperators(plan, metrics, userMetrics);
  const kinds = new Map(plan.physical.stages.flatMap((stage) => stage.nodes.map((node) => [node.operator.id as number, node.operator.kind] as const)));
  const sum = (field: 'recordsDropped' | 'recordsSkipped' | 'deadLetters'): number => operators.reduce((total, operator) => total + operator[field], 0);
  const total = (kind: string, field: 'recordsIn' | 'recordsOut'): number =>
    operators.filter((operator) => kinds.get(operator.id) === kind).reduce((sum, operator) => sum + operator[field], 0);
  return {
    jobId,
    name: plan.name,
    status,
    recordsIn: total('source', 'recordsOut'),
    recordsOut: total('sink', 'recordsIn'),
    recordsDropped: sum('recordsDropped'),
    recordsSkipped: sum('recordsSkipped'),
    deadLetters: sum('deadLetters'),
    durationMs,
    isolates: new Set(plan.graph.tasks.filter(({ id, isolate, dormant }) => isolate >= 0 && (!dormant || metrics.tasks[id]!.recordsIn > 0)).map(({ isolate }) => isolate)).size,
    scaling,
    operators,
    edges: countEdges(plan, metrics),
    restarts,
    guarantee: plan.physical.guarantee,
  };
}
