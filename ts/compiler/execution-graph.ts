import type { EdgeId, StageId, TaskId } from '../common/ids.ts';
import type { ExchangePartition, FeedbackExchange } from './physical-plan.ts';

/** Who runs a task. */
export type TaskKind = 'js' | 'nativeSource' | 'nativeSink' | 'nativeAggregate';

/** One parallel instance of a stage. */
export interface Task {
  /** Index in `ExecutionGraph.tasks`. */
  readonly id: TaskId;
  readonly stage: StageId;
  /** Name of the stage. */
  readonly name: string;
  /** From 0. */
  readonly instance: number;
  readonly parallelism: number;
  /** -1 a native thread, 0 the main isolate, 1 and up worker threads. */
  readonly isolate: number;
  readonly kind: TaskKind;
  /** Whether it makes records by itself; such a task has no gates. */
  readonly isSource: boolean;
  /** JSON of the connector or aggregate; native tasks only. */
  readonly spec: string | undefined;
  /** Gets no records, and the job does not wait for its isolate, until that comes. */
  readonly dormant: boolean;
  /** JSON of the operators that each batch goes through before it is sent; native sources and aggregates only. */
  readonly chain: string | undefined;
  /** Ids (`operatorId`) of all operators of its stage, under which their state is kept in checkpoints. */
  readonly operators?: readonly string[];
  /** Id of the operator whose work a native task does. */
  readonly uid?: string | undefined;
  /** What each of `operators` does (`operatorWork`). */
  readonly works?: readonly string[];
}

/** One physical edge: a queue from one task to another. */
export interface Edge {
  /** Index in `ExecutionGraph.edges`. */
  readonly id: EdgeId;
  /** The exchange that it is a part of. */
  readonly exchange: number;
  readonly fromTask: TaskId;
  /** Index of the output of `fromTask`. The edges of one output stand in the order of their targets' instances. */
  readonly fromOutput: number;
  readonly toTask: TaskId;
  readonly toGate: number;
  readonly partition: ExchangePartition;
  readonly maxRows: number;
  readonly maxBytes: number;
  /** The loop that it closes. */
  readonly feedback?: FeedbackExchange;
  /** Says nothing about event time. */
  readonly timeless?: boolean;
}

/** What the core is given. */
export interface ExecutionGraph {
  readonly keyGroups: number;
  readonly tasks: readonly Task[];
  readonly edges: readonly Edge[];
}
