import type { PlanDescription, PlanExchange, PlanOperator, PlanStage } from '../../transformations/plan-description.ts';
import type { CompiledPipeline } from '../compile.ts';
import type { LogicalOperator } from '../logical-plan.ts';
import { runsInCore } from '../native-aggregates.ts';
import type { Exchange, PhysicalPlan, Stage, StageNode, StageOp } from '../physical-plan.ts';
import { describeWork } from './describe-work.ts';

/** The plan as data. Only the compiler's own types may change without a new version of it. */
export function describePlan({ optimised, physical, graph }: CompiledPipeline, name: string): PlanDescription {
  const { workers, main, reason } = physical.isolates;
  return {
    version: 1,
    name,
    operators: optimised.operators.map(describeOperator),
    optimisations: optimised.applied.map(({ rule, what }) => ({ rule, what })),
    stages: physical.stages.map(describeStage),
    exchanges: physical.exchanges.map((exchange) => describeExchange(exchange, physical)),
    isolates: { workers, main, reason },
    ...(physical.state?.kind === 'disk' ? { state: { ...physical.state, directory: physical.state.directory ?? null } } : {}),
    guarantee: physical.guarantee,
    tasks: graph.tasks.length,
    queues: graph.edges.length,
    warnings: physical.warnings,
  };
}

function describeOperator(operator: LogicalOperator): PlanOperator {
  const { id, name, kind, inputs, parallelism, parallelismReason, transformation } = operator;
  const { declaredAt } = transformation;
  return { id, name, kind, work: describeWork(operator), inputs, parallelism, parallelismReason, declaredAt: declaredAt.line === 0 ? null : declaredAt };
}

function describeStage({ id, name, parallelism, placement, reason, nodes }: Stage): PlanStage {
  // Of an operator with several inputs, the node of the first one stands for all.
  const own = nodes.filter(({ op }) => !isBorder(op) && !('coInput' in op && op.coInput !== undefined && op.coInput.input > 0));
  return {
    id,
    name,
    parallelism,
    placement,
    reason,
    operators: own.map((node) => ({
      operator: node.operator.id,
      native: placement === 'native' || isNative(node.op),
      inputs: own.filter(({ children }) => children.some((child) => belongs(nodes[child]!, node))).map(({ operator }) => operator.id),
    })),
  };
}

/** Whether a node is that of an operator, for any of its inputs. */
function belongs({ operator, op }: StageNode, node: StageNode): boolean {
  return operator === node.operator && !isBorder(op);
}

function describeExchange(exchange: Exchange, { stages }: PhysicalPlan): PlanExchange {
  const { id, from, to, partition, keyed, encoding, maxRows, maxBytes, losesPrototypes, reason, feedback } = exchange;
  return {
    id,
    from: { stage: from.stage, operator: stages[from.stage]!.nodes[from.node]!.operator.id },
    to: { stage: to.stage, operators: receivers(stages[to.stage]!, to.gate) },
    partition,
    keyed,
    encoding,
    maxRecords: maxRows,
    maxBytes: feedback?.memoryBytes ?? maxBytes,
    feedback: feedback?.name ?? null,
    losesPrototypes,
    reason,
  };
}

/** The operators that take the records of a gate. */
function receivers({ nodes }: Stage, gate: number): number[] {
  const entry = nodes.find(({ op }) => op.kind === 'native' || (op.kind === 'input' && op.gate === gate))!;
  if (entry.op.kind === 'native') return [entry.operator.id];
  return [...new Set(entry.children.map((child) => (nodes[child] as StageNode).operator.id as number))];
}

/** Whether it only reads or writes batches for an operator that has a node of its own. */
function isBorder(op: StageOp): boolean {
  return op.kind === 'input' || op.kind === 'output';
}

function isNative(op: StageOp): boolean {
  return op.kind === 'native' || (op.kind === 'aggregate' && op.keyed && runsInCore(op.spec, op.emit));
}
