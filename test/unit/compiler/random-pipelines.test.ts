import fc from 'fast-check';
import { ByteBuffer } from 'flatbuffers';
import { describe, expect, test } from 'vitest';
import { compile, type CompiledPipeline } from '../../../ts/compiler/compile.ts';
import { encodeExecutionGraph } from '../../../ts/compiler/execution/encode-execution-graph.ts';
import type { PhysicalPlan, StageNode } from '../../../ts/compiler/physical-plan.ts';
import { ExecutionGraph } from '../../../ts/runtime/native/generated/sage/graph/execution-graph.ts';
import type { BaseTransformation, Parallelism } from '../../../ts/transformations/base-transformation.ts';
import type { PipelineBuilder } from './pipeline-builder.ts';
import { randomPipeline } from './random-pipeline.ts';

/** A random pipeline, compiled in a random way. */
const compiled = fc
  .record({
    build: randomPipeline,
    parallelism: fc.constantFrom<Parallelism>(1, 2, 3, 'auto', 'auto'),
    isolated: fc.nat(3).map((n) => n === 0),
    importable: fc.boolean(),
    cores: fc.constantFrom(1, 2, 8),
  })
  .map(({ build, parallelism, isolated, importable, cores }): { build: PipelineBuilder; plans: CompiledPipeline; again: () => CompiledPipeline } => {
    const again = (): CompiledPipeline => compile(build.pipeline, { parallelism, isolated }, { importable, cores });
    return { build, plans: again(), again };
  });

function holds(property: (sample: { build: PipelineBuilder; plans: CompiledPipeline; again: () => CompiledPipeline }) => void): void {
  fc.assert(fc.property(compiled, property)); // prints the seed of a failure; SAGE_PROPERTY_SEED replays it
}

const isBorder = ({ op }: StageNode): boolean => op.kind === 'input' || op.kind === 'output';

/** Ways from each source to each sink, by following the user's calls. */
function declaredPaths(pipeline: readonly BaseTransformation[]): Record<string, number> {
  const paths: Record<string, number> = {};
  const walk = (transformation: BaseTransformation, sink: string): void => {
    if (transformation.kind === 'source') paths[`${transformation.name} -> ${sink}`] = (paths[`${transformation.name} -> ${sink}`] ?? 0) + 1;
    for (const input of transformation.inputs) walk(input, sink);
  };
  for (const transformation of pipeline) if (transformation.kind === 'sink') walk(transformation, transformation.name);
  return paths;
}

/** The same, by following nodes, exchanges and gates of the physical plan. */
function plannedPaths({ stages, exchanges }: PhysicalPlan): Record<string, number> {
  const paths: Record<string, number> = {};
  const walk = (stage: number, node: StageNode, source: string): void => {
    if (node.operator.kind === 'sink' && node.op.kind !== 'input') {
      paths[`${source} -> ${node.operator.name}`] = (paths[`${source} -> ${node.operator.name}`] ?? 0) + 1;
    }
    const left = node.op.kind === 'output' ? [node.op.exchange] : node.op.kind === 'native' && stages[stage]!.nodes.length === 1 ? stages[stage]!.outputs : [];
    for (const id of left) {
      const { to } = exchanges[id]!;
      const target = stages[to.stage]!;
      walk(to.stage, target.nodes[to.gate]!, source);
    }
    for (const child of node.children) walk(stage, stages[stage]!.nodes[child]!, source);
  };
  for (const stage of stages) {
    for (const node of stage.nodes) if (node.operator.kind === 'source' && !isBorder(node)) walk(stage.id, node, node.operator.name);
  }
  return paths;
}

describe('every random pipeline', () => {
  test('has each operator with a sink below it in exactly one stage, and no other operator', () => {
    holds(({ build, plans }) => {
      const alive = new Set<BaseTransformation>();
      const reach = (transformation: BaseTransformation): void => {
        if (alive.has(transformation)) return;
        alive.add(transformation);
        transformation.inputs.forEach(reach);
      };
      build.pipeline.filter(({ kind }) => kind === 'sink').forEach(reach);
      const flattened = new Set(plans.optimised.applied.filter(({ rule }) => rule === 'union flattening').flatMap(({ removed }) => removed));

      const planned = plans.physical.stages.flatMap(({ nodes }) => nodes.filter((node) => !isBorder(node) && node.op.kind !== 'extract'));

      expect(planned.map(({ operator }) => operator.id).toSorted((a, b) => a - b)).toStrictEqual(
        [...alive].map(({ id }) => id).filter((id) => !flattened.has(id)).toSorted((a, b) => a - b),
      );
    });
  });

  test('leads records from each source to each sink as often as the user wrote it', () => {
    holds(({ build, plans }) => {
      expect(plannedPaths(plans.physical)).toStrictEqual(declaredPaths(build.pipeline));
    });
  });

  test('has stages of one parallelism and placement whose nodes have their parents before them', () => {
    holds(({ plans }) => {
      for (const stage of plans.physical.stages) {
        for (const node of stage.nodes) {
          expect(node.id).toBe(stage.nodes.indexOf(node));
          for (const child of node.children) expect(child).toBeGreaterThan(node.id);
          if (!isBorder(node)) expect(node.operator.parallelism).toBe(stage.parallelism);
          // Behind a key with several instances there is always an exchange.
          const below = node.children.map((child) => stage.nodes[child]!.op.kind);
          if (node.op.kind === 'keyBy' && stage.parallelism > 1) expect(below.every((kind) => kind === 'output' || kind === 'extract')).toBe(true);
        }
      }
    });
  });

  test('has exchanges with both ends, from earlier stages to later ones', () => {
    holds(({ plans: { physical } }) => {
      physical.exchanges.forEach((exchange, id) => {
        const from = physical.stages[exchange.from.stage]!;
        const to = physical.stages[exchange.to.stage]!;
        expect(exchange.id).toBe(id);
        expect(from.id).toBeLessThan(to.id);
        expect(to.gates[exchange.to.gate]).toBe(id);
        const sender = from.nodes[exchange.from.node]!;
        // A reader that stands alone has its outputs without nodes.
        const isAlone = from.placement === 'native' && from.nodes.length === 1;
        expect(isAlone ? sender.op.kind : sender.op).toEqual(
          isAlone ? 'native' : { kind: 'output', exchange: id, output: from.outputs.indexOf(id), timed: exchange.timed, owner: expect.objectContaining({ id: (to.nodes[0]!.op.kind === 'native' ? to.nodes[0]! : sender).operator.id }) },
        );
        if (to.nodes[0]!.op.kind !== 'native') expect(to.nodes[exchange.to.gate]!.op).toStrictEqual({ kind: 'input', gate: exchange.to.gate, exchange: id, timed: exchange.timed });
        if (exchange.partition === 'forward') expect([1, from.parallelism]).toContain(to.parallelism);
      });
      // Every gate and output belongs to exactly one exchange, and a stage with a source has no gate.
      expect(physical.stages.flatMap(({ gates }) => gates).toSorted((a, b) => a - b)).toStrictEqual(physical.exchanges.map(({ id }) => id));
      expect(physical.stages.flatMap(({ outputs }) => outputs).toSorted((a, b) => a - b)).toStrictEqual(physical.exchanges.map(({ id }) => id));
      for (const stage of physical.stages) {
        const sources = stage.nodes.filter((node) => node.operator.kind === 'source' && !isBorder(node)).length;
        expect(sources > 0).toBe(stage.gates.length === 0);
      }
    });
  });

  test('brings every record of a key to one instance of keyed state, with its key', () => {
    holds(({ plans: { physical } }) => {
      const { stages, exchanges } = physical;
      /** Goes up from a node until the key is where it belongs. */
      const check = (stageId: number, node: StageNode, distributed: boolean): void => {
        const stage = stages[stageId]!;
        for (const parent of stage.nodes.filter(({ children }) => children.includes(node.id))) {
          if (parent.op.kind === 'keyBy') expect(distributed || stage.parallelism === 1).toBe(true);
          else if (parent.op.kind !== 'input') check(stageId, parent, distributed);
          else {
            const exchange = exchanges[parent.op.exchange]!;
            const from = stages[exchange.from.stage]!;
            expect(exchange.keyed).toBe(true);
            if (!distributed && stage.parallelism > 1) expect(['hash', 'forward']).toContain(exchange.partition);
            if (!distributed && exchange.partition === 'forward') expect([from.parallelism, 1]).toContain(stage.parallelism);
            const done = distributed || exchange.partition === 'hash' || stage.parallelism === 1;
            check(from.id, from.nodes[exchange.from.node]!, done);
          }
        }
      };
      for (const stage of stages) {
        for (const node of stage.nodes) {
          if ((node.op.kind === 'reduce' || node.op.kind === 'aggregate') && node.op.keyed) check(stage.id, node, false);
        }
      }
    });
  });

  test('puts user code into isolates that there are, and array sinks into the main isolate', () => {
    holds(({ plans: { physical, graph } }) => {
      const used = new Set(graph.tasks.map(({ isolate }) => isolate));
      const { workers: present, lateWorkers } = physical.isolates;
      expect(present === 0 || lateWorkers === 0).toBe(true);
      const workers = Array.from({ length: present + lateWorkers }, (_, index) => index + 1);
      expect([...used].filter((isolate) => isolate > 0).toSorted((a, b) => a - b)).toStrictEqual(workers);
      expect(used.has(0)).toBe(physical.isolates.main);
      for (const task of graph.tasks) {
        const stage = physical.stages[task.stage]!;
        if (stage.nodes.some(({ op }) => op.kind === 'sink' && op.sink.form === 'array')) expect(task.isolate).toBe(0);
      }
    });
  });

  test('has N x M queues for an exchange of N to M instances, N for a forward one', () => {
    holds(({ plans: { physical, graph } }) => {
      expect(graph.tasks).toHaveLength(physical.stages.reduce((tasks, { parallelism }) => tasks + parallelism, 0));
      for (const exchange of physical.exchanges) {
        const edges = graph.edges.filter((edge) => edge.exchange === exchange.id);
        const from = physical.stages[exchange.from.stage]!.parallelism;
        const to = physical.stages[exchange.to.stage]!.parallelism;
        expect(edges).toHaveLength(exchange.partition === 'forward' ? from : from * to);
        expect(new Set(edges.map(({ fromTask, toTask }) => `${fromTask} ${toTask}`)).size).toBe(edges.length);
        // Whoever may get records is named: nobody waits for an end that never comes.
        expect(new Set(edges.map(({ toTask }) => toTask)).size).toBe(to);
      }
    });
  });

  test('keeps what has state, and sinks of the main isolate, at the number of instances that was planned', () => {
    holds(({ plans: { physical, graph } }) => {
      for (const { stage } of graph.tasks.filter(({ dormant }) => dormant)) {
        const own = physical.stages[stage]!.nodes.filter((node) => !isBorder(node));
        const kinds = own.map(({ op }) => (op.kind === 'sink' ? `sink ${op.sink.form}` : op.kind));
        for (const kind of kinds) expect(['map', 'flatMap', 'filter', 'union', 'keyBy', 'extract', 'sink function']).toContain(kind);
      }
    });
  });

  test('is a graph that the core accepts', () => {
    holds(({ plans: { graph } }) => {
      for (const task of graph.tasks) {
        const outputs = Map.groupBy(graph.edges.filter(({ fromTask }) => fromTask === task.id), ({ fromOutput }) => fromOutput);
        expect([...outputs.keys()].toSorted((a, b) => a - b)).toStrictEqual([...outputs.keys()].map((_, index) => index));
        const gates = new Set(graph.edges.filter(({ toTask }) => toTask === task.id).map(({ toGate }) => toGate));
        expect([...gates].toSorted((a, b) => a - b)).toStrictEqual([...gates].map((_, index) => index));
        expect(gates.size === 0).toBe(task.isSource);
        for (const edges of outputs.values()) {
          const targets = edges.map(({ toTask }) => graph.tasks[toTask]!);
          expect(new Set(edges.map(({ toGate, partition }) => `${toGate} ${partition}`)).size).toBe(1);
          // Who may be asleep gets records only from an output that can leave it out, and one target never sleeps.
          if (targets.some(({ dormant }) => dormant)) expect([edges[0]!.partition, targets[0]!.dormant]).toStrictEqual(['rebalance', false]);
          if (edges[0]!.partition === 'forward') expect(edges).toHaveLength(1);
          else expect(targets.map(({ instance }) => instance)).toStrictEqual(Array.from({ length: targets[0]!.parallelism }, (_, i) => i));
        }
      }
    });
  });

  test('compiles to the same graph again, and survives its FlatBuffers form', () => {
    holds(({ plans, again }) => {
      const { graph } = plans;
      expect(again().graph).toStrictEqual(graph);

      const bytes = encodeExecutionGraph(graph, { id: '0c4e-id', name: 'jób' });
      const read = ExecutionGraph.getRootAsExecutionGraph(new ByteBuffer(bytes));

      expect([read.version(), read.jobId(), read.jobName(), read.keyGroups()]).toStrictEqual([1, '0c4e-id', 'jób', 128]);
      const kinds = ['js', 'nativeSource', 'nativeSink', 'nativeAggregate'];
      const partitions = ['forward', 'hash', 'broadcast', 'rebalance'];
      const tasks = Array.from({ length: read.tasksLength() }, (_, n) => read.tasks(n)!);
      expect(
        tasks.map((task) => ({
          id: task.id(), stage: task.stage(), name: task.name(), instance: task.instance(), parallelism: task.parallelism(),
          isolate: task.isolate(), kind: kinds[task.kind()], isSource: task.isSource(), spec: task.spec() ?? undefined,
          dormant: task.dormant(), chain: task.chain() ?? undefined, operators: Array.from({ length: task.operatorsLength() }, (_, n) => task.operators(n)),
          works: Array.from({ length: task.worksLength() }, (_, n) => task.works(n)), uid: task.uid() ?? undefined,
        })),
      ).toStrictEqual(graph.tasks);
      const edges = Array.from({ length: read.edgesLength() }, (_, n) => read.edges(n)!);
      expect(
        edges.map((edge) => ({
          id: edge.id(), fromTask: edge.fromTask(), fromOutput: edge.fromOutput(), toTask: edge.toTask(), toGate: edge.toGate(),
          partition: partitions[edge.partition()], maxRows: edge.maxRows(), maxBytes: edge.maxBytes(),
        })),
      ).toStrictEqual(graph.edges.map(({ exchange: _exchange, ...edge }) => edge));
    });
  });
});
