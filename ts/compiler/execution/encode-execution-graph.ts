import { Builder, type Offset } from 'flatbuffers';
import type { Edge, ExecutionGraph, Task, TaskKind } from '../execution-graph.ts';
import type { ExchangePartition } from '../physical-plan.ts';

/** The job that a graph belongs to. */
export interface GraphJob {
  /** UUID. */
  readonly id: string;
  readonly name: string;
  /** Where queues on disk go; left away, a folder of the user among the temporary files. */
  readonly stateDirectory?: string | undefined;
}

/** Values of the schema's enumerations. */
const TASK_KIND: Readonly<Record<TaskKind, number>> = { js: 0, nativeSource: 1, nativeSink: 2, nativeAggregate: 3 };
const PARTITION: Readonly<Record<ExchangePartition, number>> = { forward: 0, hash: 1, broadcast: 2, rebalance: 3 };

const SCHEMA_VERSION = 1;
const NO_OFFSET = 0;
const OFFSET_BYTES = 4;

/**
 * The graph as the FlatBuffers table of `crates/sage-runtime/schema/graph.fbs`. Fields are written by their number in
 * that schema, since the generated code lies in a layer above; a test reads the bytes back with the generated code.
 */
export function encodeExecutionGraph(graph: ExecutionGraph, job: GraphJob): Uint8Array {
  const builder = new Builder(1024);
  const tasks = vectorOf(builder, graph.tasks.map((task) => encodeTask(builder, task)));
  const edges = vectorOf(builder, graph.edges.map((edge) => encodeEdge(builder, edge)));
  const name = builder.createString(job.name);
  const id = builder.createString(job.id);
  const directory = job.stateDirectory === undefined ? NO_OFFSET : builder.createString(job.stateDirectory);
  builder.startObject(7);
  builder.addFieldInt32(0, SCHEMA_VERSION, 1);
  builder.addFieldOffset(1, name, NO_OFFSET);
  builder.addFieldOffset(2, id, NO_OFFSET);
  builder.addFieldInt32(3, graph.keyGroups, 128);
  builder.addFieldOffset(4, tasks, NO_OFFSET);
  builder.addFieldOffset(5, edges, NO_OFFSET);
  builder.addFieldOffset(6, directory, NO_OFFSET);
  builder.finish(builder.endObject());
  return builder.asUint8Array();
}

function encodeTask(builder: Builder, task: Task): Offset {
  const name = builder.createSharedString(task.name);
  const spec = task.spec === undefined ? NO_OFFSET : builder.createSharedString(task.spec);
  const chain = task.chain === undefined ? NO_OFFSET : builder.createSharedString(task.chain);
  const operators = task.operators === undefined ? NO_OFFSET : vectorOf(builder, task.operators.map((id) => builder.createSharedString(id)));
  const works = task.works === undefined ? NO_OFFSET : vectorOf(builder, task.works.map((work) => builder.createSharedString(work)));
  const uid = task.uid === undefined ? NO_OFFSET : builder.createSharedString(task.uid);
  builder.startObject(14);
  builder.addFieldInt32(0, task.id, 0);
  builder.addFieldInt32(1, task.stage, 0);
  builder.addFieldOffset(2, name, NO_OFFSET);
  builder.addFieldInt32(3, task.instance, 0);
  builder.addFieldInt32(4, task.parallelism, 1);
  builder.addFieldInt32(5, task.isolate, 0);
  builder.addFieldInt8(6, TASK_KIND[task.kind], 0);
  builder.addFieldInt8(7, Number(task.isSource), 0);
  builder.addFieldOffset(8, spec, NO_OFFSET);
  builder.addFieldInt8(9, Number(task.dormant), 0);
  builder.addFieldOffset(10, chain, NO_OFFSET);
  builder.addFieldOffset(11, operators, NO_OFFSET);
  builder.addFieldOffset(12, uid, NO_OFFSET);
  builder.addFieldOffset(13, works, NO_OFFSET);
  return builder.endObject();
}

function encodeEdge(builder: Builder, edge: Edge): Offset {
  const { feedback } = edge;
  const loop = feedback === undefined ? NO_OFFSET : builder.createSharedString(feedback.name);
  builder.startObject(12);
  builder.addFieldInt32(0, edge.id, 0);
  builder.addFieldInt32(1, edge.fromTask, 0);
  builder.addFieldInt32(2, edge.fromOutput, 0);
  builder.addFieldInt32(3, edge.toTask, 0);
  builder.addFieldInt32(4, edge.toGate, 0);
  builder.addFieldInt8(5, PARTITION[edge.partition], 0);
  builder.addFieldInt32(6, edge.maxRows, 4096);
  builder.addFieldInt32(7, edge.maxBytes, 1_048_576);
  builder.addFieldOffset(8, loop, NO_OFFSET);
  builder.addFieldInt64(9, BigInt(feedback?.memoryBytes ?? 0), 0n);
  builder.addFieldInt64(10, BigInt(feedback?.spillBytes ?? 0), 0n);
  builder.addFieldInt8(11, Number(edge.timeless === true), 0);
  return builder.endObject();
}

function vectorOf(builder: Builder, offsets: readonly Offset[]): Offset {
  builder.startVector(OFFSET_BYTES, offsets.length, OFFSET_BYTES);
  // The buffer is filled from its end.
  for (const offset of offsets.toReversed()) builder.addOffset(offset);
  return builder.endVector();
}
