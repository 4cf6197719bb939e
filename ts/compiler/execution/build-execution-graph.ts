import { KEY_GROUPS } from '../compile-options.ts';
import type { LogicalOperator } from '../logical-plan.ts';
import type { Edge, ExecutionGraph, Task, TaskKind } from '../execution-graph.ts';
import { operatorId } from './operator-id.ts';
import { operatorWork } from './operator-work.ts';
import { aggregateTaskSpec, chainSpec, mixedOf } from './native-chain.ts';
import type { Exchange, PhysicalPlan, Stage } from '../physical-plan.ts';

/** Every instance of every stage, and every queue between two of them. */
export function buildExecutionGraph(plan: PhysicalPlan): ExecutionGraph {
  const tasks: Task[] = [];
  /** Id of the first task of each stage; its other instances follow. */
  const firstTask: number[] = [];
  for (const stage of plan.stages) {
    firstTask[stage.id] = tasks.length;
    for (let instance = 0; instance < stage.parallelism; instance++) {
      tasks.push(taskOf(stage, instance, tasks.length, plan));
    }
  }
  const edges: Edge[] = [];
  for (const exchange of plan.exchanges) {
    const from = plan.stages[exchange.from.stage]!;
    const to = plan.stages[exchange.to.stage]!;
    for (let source = 0; source < from.parallelism; source++) {
      for (const target of targetsOf(exchange, source, to.parallelism)) {
        edges.push({
          id: edges.length,
          exchange: exchange.id,
          fromTask: firstTask[from.id]! + source,
          fromOutput: from.outputs.indexOf(exchange.id),
          toTask: firstTask[to.id]! + target,
          toGate: exchange.to.gate,
          partition: exchange.partition,
          maxRows: exchange.maxRows,
          maxBytes: exchange.maxBytes,
          ...(exchange.feedback === undefined ? {} : { feedback: exchange.feedback }),
          ...(exchange.timeless === true ? { timeless: true } : {}),
        });
      }
    }
  }
  return { keyGroups: KEY_GROUPS, tasks, edges };
}

function taskOf(stage: Stage, instance: number, id: number, { isolates: { workers }, stages, exchanges }: PhysicalPlan): Task {
  const { op, operator } = stage.nodes[0]!;
  const isNative = stage.placement === 'native';
  const kind: TaskKind = !isNative ? 'js' : op.kind !== 'native' ? 'nativeAggregate' : op.role === 'source' ? 'nativeSource' : 'nativeSink';
  const mixed = isNative ? mixedOf(stage, stages, exchanges) : 'any';
  return {
    id,
    stage: stage.id,
    name: stage.name,
    instance,
    parallelism: stage.parallelism,
    isolate: { native: -1, main: 0, workers: 1 + (instance % Math.max(1, workers)), elastic: instance }[stage.placement],
    kind,
    isSource: stage.gates.length === 0,
    spec: op.kind === 'native' ? JSON.stringify(op.spec) : isNative ? aggregateTaskSpec(stage, mixed) : undefined,
    dormant: stage.placement === 'elastic' && instance > 0,
    chain: isNative ? chainSpec(stage, mixed) : undefined,
    ...operatorsOf(stage),
    uid: isNative ? operatorId(kind === 'nativeAggregate' ? aggregateOf(stage) : operator) : undefined,
  };
}

/** Ids of all operators of a stage, each once, and what they do. */
function operatorsOf({ nodes }: Stage): Required<Pick<Task, 'operators' | 'works'>> {
  const works = new Map(nodes.map(({ operator }) => [operatorId(operator), operatorWork(operator)]));
  return { operators: [...works.keys()], works: [...works.values()] };
}

/** The operator whose state the core keeps in a native stage. */
function aggregateOf({ nodes }: Stage): LogicalOperator {
  return (nodes.find(({ op }) => op.kind === 'aggregate' || op.kind === 'window') ?? nodes[0]!).operator;
}

function targetsOf({ partition }: Exchange, source: number, targets: number): readonly number[] {
  if (partition !== 'forward') return Array.from({ length: targets }, (_, target) => target);
  return [targets === 1 ? 0 : source];
}
