import type { OperatorId, StageId } from '../common/ids.ts';
import type { ExpressionNode } from '../functions/expressions/expression-node.ts';
import type { AnyExpression } from '../functions/expressions/expression-types.ts';
import type { NamedExpressions } from '../functions/expressions/linked-record.ts';
import type { FieldPath } from '../functions/field-path.ts';
import type { UserFunction } from '../functions/user-function.ts';
import type { StatePlace } from '../transformations/state-settings.ts';
import type { BatchSettings } from '../transformations/batch-transformation.ts';
import type { AnyAggregator } from '../transformations/aggregate-transformation.ts';
import type { TimestampSelector, TimestampSettings } from '../transformations/assign-timestamps-transformation.ts';
import type { Emit } from '../transformations/emit.ts';
import type { AsOfJoinSettings } from '../transformations/as-of-join-transformation.ts';
import type { LoopLimits } from '../transformations/from-future-transformation.ts';
import type { IntervalJoinSettings } from '../transformations/interval-join-transformation.ts';
import type { LookupSettings } from '../transformations/lookup-transformation.ts';
import type { AsyncSettings } from '../transformations/map-async-transformation.ts';
import type { UnknownRoute } from '../transformations/route-transformation.ts';
import type { SampleSettings } from '../transformations/sample-transformation.ts';
import type { SideChannel } from '../transformations/side-output-transformation.ts';
import type { CheckpointSettings } from '../transformations/checkpoint-settings.ts';
import type { JobGuarantee } from '../transformations/job-guarantee.ts';
import type { NativeSinkSpec, SinkDescriptor } from '../transformations/sink-descriptor.ts';
import type { NativeSourceSpec, SourceDescriptor } from '../transformations/source-descriptor.ts';
import type { WindowResult, WindowSettings } from '../transformations/window-transformation.ts';
import type { LayoutNode } from './layout/layout.ts';
import type { LogicalOperator } from './logical-plan.ts';

/** Named aggregators, in the order of the result's fields. */
export type AggregatorSpec = Readonly<Record<string, AnyAggregator>>;

/** What is read of a record. */
export type Selector = ((record: never) => unknown) | FieldPath;

/**
 * Which input of an operator with several inputs a node stands for. Such an operator has a node for each of them, all with the same
 * children, so that records need not carry where they came from.
 */
export interface CoInput {
  /** From 0. */
  readonly input: number;
  /** The node whose instance of the user's class all of them call: that of the first input; each its own where there is a function for each. */
  readonly owner: number;
  /** Only of a function with a broadcast side: which of its methods takes the records, `execute` or `executeBroadcast`. */
  readonly takes?: 'records' | 'broadcast';
}

/** What a node of a stage does. */
export type StageOp =
  /** A JavaScript source; a root. A stage with one has no gates. */
  | { readonly kind: 'source'; readonly source: SourceDescriptor }
  /** Batches of an exchange; a root. */
  | { readonly kind: 'input'; readonly gate: number; readonly exchange: number; readonly timed: boolean; /** Watermarks never come with the records, and nobody is to wait for them. */ readonly timeless?: boolean }
  /** `process` is a flatMap whose results are only what it collects. */
  | { readonly kind: 'map' | 'flatMap' | 'process'; readonly fn: UserFunction; readonly coInput?: CoInput; /** Only on a map: its function takes both halves of a record. */ readonly takesPair?: boolean }
  /** A node of an expression gives a boolean, or null. */
  | { readonly kind: 'filter'; readonly fn: UserFunction | ExpressionNode }
  /** Makes records of expressions; the other fields stay where `keepsOthers`. */
  | { readonly kind: 'select'; readonly columns: NamedExpressions; readonly keepsOthers: boolean }
  | { readonly kind: 'mapAsync'; readonly fn: UserFunction; readonly settings: AsyncSettings; /** Set when it finds rows: `fn` takes keys. */ readonly lookup?: LookupSettings }
  | { readonly kind: 'batch'; readonly keyed: boolean; readonly settings: BatchSettings }
  | { readonly kind: 'dedup'; readonly keyed: boolean; readonly by: Selector | undefined; readonly ttlMs: number | undefined }
  | { readonly kind: 'sample'; readonly settings: SampleSettings }
  | { readonly kind: 'limit'; readonly keyed: boolean; readonly max: number }
  | { readonly kind: 'zipWithIndex' }
  /** Hands on what it gets, without a key; the exchange before it does the work. */
  | { readonly kind: 'rebalance' }
  /** Hand on what they get, without a key: the two ends of a feedback edge. */
  | { readonly kind: 'fromFuture' | 'fillFuture' }
  /** Gives records to its side outputs by name, and all of them to its children. */
  | { readonly kind: 'route'; readonly fn: UserFunction; readonly names: readonly string[] | undefined; readonly unknown: UnknownRoute }
  /** Hands on what its parent gives beside its results; in the parent's stage. */
  | { readonly kind: 'sideOutput'; readonly channel: SideChannel; readonly tag: string }
  /** Evaluates the key for what is below. */
  | { readonly kind: 'keyBy'; readonly selector: UserFunction | FieldPath | AnyExpression }
  /** Gives each record its event time, and says how far event time is. */
  | { readonly kind: 'assignTimestamps'; readonly selector: TimestampSelector; readonly settings: TimestampSettings }
  /** Hands on what all its parents give, without a key. */
  | { readonly kind: 'union' }
  | { readonly kind: 'reduce'; readonly keyed: boolean; readonly fn: UserFunction; readonly emit: Emit }
  | {
      readonly kind: 'aggregate';
      readonly keyed: boolean;
      readonly spec: AggregatorSpec;
      readonly emit: Emit;
      /** `extracted`: what comes is the tuple of the aggregators' inputs that an `extract` read, not the record. */
      readonly input: 'record' | 'extracted';
    }
  /** Record and key become key and tuple of the inputs of those aggregators that have one, in order. */
  | { readonly kind: 'extract'; readonly spec: AggregatorSpec }
  /** `time`: whether records have an event time, without which there are no timers of it. */
  | { readonly kind: 'keyedProcess'; readonly fn: UserFunction; readonly coInput?: CoInput; readonly time: 'event' | 'processing' }
  | {
      readonly kind: 'window';
      readonly keyed: boolean;
      readonly settings: WindowSettings;
      readonly result: WindowResult;
      /** Whether windows go by event time, or by the clock. */
      readonly time: 'event' | 'processing';
      /** As of an aggregate. */
      readonly input: 'record' | 'extracted';
    }
  /** Pairs of records of two sides that are close in event time. */
  | { readonly kind: 'intervalJoin'; readonly settings: IntervalJoinSettings }
  /** Pairs of each record of the left side with the latest one of the right side; `processing`: of a table, as it is when the record comes. */
  | { readonly kind: 'asOfJoin'; readonly settings: AsOfJoinSettings; readonly time: 'event' | 'processing' }
  | { readonly kind: 'sink'; readonly sink: SinkDescriptor }
  /** Writes batches. `output` counts the outputs of the stage from 0. */
  | {
      readonly kind: 'output';
      readonly exchange: number;
      readonly output: number;
      /** Whether event times and watermarks go with the records. */
      readonly timed: boolean;
      /** Watermarks stay here. */
      readonly timeless?: boolean;
      /** Whose failure it is when a record cannot be encoded: the writer's, where there is one behind the exchange, else that of the operator which gives it. */
      readonly owner: LogicalOperator;
    }
  /** A reader or writer of the core: the only node of its stage. */
  | { readonly kind: 'native'; readonly role: 'source'; readonly spec: NativeSourceSpec }
  | { readonly kind: 'native'; readonly role: 'sink'; readonly spec: NativeSinkSpec };

/** One node of a stage. */
export interface StageNode {
  /** Index in `Stage.nodes`. */
  readonly id: number;
  /** Inputs and outputs name the operator on this side of the exchange that gives or takes their records. */
  readonly operator: LogicalOperator;
  readonly op: StageOp;
  /** Nodes that get every record this one gives, in this order. */
  readonly children: readonly number[];
  /** Nodes that get what this one gives beside its results. */
  readonly sides: readonly SideOutput[];
}

/** One side output of a node. */
export interface SideOutput {
  readonly channel: SideChannel;
  readonly tag: string;
  readonly node: number;
}

/** The operator, one that the user declared, that has failed when a node fails at a record. */
export function failingOperator({ op, operator }: StageNode): LogicalOperator {
  const own = op.kind === 'output' ? op.owner : operator;
  return own.extractsFor ?? own;
}

/** Whether results carry no key though their records may have one: of an operator with several inputs. */
export function dropsKey({ op, operator }: StageNode): boolean {
  return 'coInput' in op && op.coInput !== undefined && operator.keyedBy === undefined;
}

/**
 * Where the instances of a stage run. `elastic`: instance 0 in the main isolate, and each other one in a worker thread of
 * its own that is started when the stage stays the bottleneck.
 */
export type Placement = 'main' | 'workers' | 'native' | 'elastic';

/** Operators that run as one function: records go from node to node by calls. */
export interface Stage {
  /** Index in `PhysicalPlan.stages`. */
  readonly id: StageId;
  /** The names of its operators. */
  readonly name: string;
  /** Of an elastic stage, the most instances that it may come to have. */
  readonly parallelism: number;
  readonly placement: Placement;
  /** Why it runs there, in words. */
  readonly reason: string;
  /** Whether it is in a feedback loop: it says when it has nothing left, so that the end of the loop can be found. */
  readonly inLoop?: boolean;
  /** Parents before children. */
  readonly nodes: readonly StageNode[];
  /** Exchange of each gate. */
  readonly gates: readonly number[];
  /** Exchange of each output. */
  readonly outputs: readonly number[];
}

/**
 * Which instance a record goes to. `forward` has one target: the instance with the same number, or the only one there is.
 */
export type ExchangePartition = 'forward' | 'hash' | 'broadcast' | 'rebalance';

/** What all queues of an exchange that leads back may hold together. */
export interface FeedbackExchange extends LoopLimits {
  /** The future's. */
  readonly name: string;
}

/** A queue between two stages; at run time one physical edge for each pair of instances that it connects. */
export interface Exchange {
  /** Index in `PhysicalPlan.exchanges`. */
  readonly id: number;
  readonly from: { readonly stage: StageId; readonly node: number };
  readonly to: { readonly stage: StageId; readonly gate: number };
  readonly partition: ExchangePartition;
  /** Why there is an exchange, in words. */
  readonly reason: string;
  /** Whether batches have a key column. */
  readonly keyed: boolean;
  /** Whether batches have a column with event times, and watermarks go with them. */
  readonly timed: boolean;
  /** `json`: rows are JSON text, for a writer of JSON lines. */
  readonly encoding: 'columns' | 'json';
  /** Columns that a schema has announced; records decide what it leaves open. */
  readonly announced: LayoutNode | undefined;
  /** Whether whole records of user code are copied here, so that they lose their prototypes. */
  readonly losesPrototypes: boolean;
  /** Records in flight at which the producer waits, of each physical edge. */
  readonly maxRows: number;
  /** Bytes in flight at which the producer waits, of each physical edge. */
  readonly maxBytes: number;
  /** The loop that it closes: its producer never waits, and what is too much for memory goes to disk. */
  readonly feedback?: FeedbackExchange;
  /** Whether event time is not known here, as all records come out of a future: no watermarks go through it. */
  readonly timeless?: boolean;
  /** How many times as large as usual the producer's batches are, as they are divided among the targets. */
  readonly spread: number;
}

/** Which isolates run user code. */
export interface IsolatePlan {
  /** Worker threads; 0 when everything runs in the main isolate. Instance `i` of a worker stage runs in `1 + i % workers`. */
  readonly workers: number;
  /** Worker threads that may be started while the job runs, for elastic stages; there are no others then. */
  readonly lateWorkers: number;
  /** Whether the main isolate runs stages too. */
  readonly main: boolean;
  /** Why, in words. */
  readonly reason: string;
}

/** A source or flatMap that has nothing left to do when all of these limits have been reached: no record of it can get to a sink any more. */
export interface EarlyEnd {
  readonly operator: OperatorId;
  readonly limits: readonly OperatorId[];
}

/** What runs where, and how records travel. */
export interface PhysicalPlan {
  /** Producers before consumers. */
  readonly stages: readonly Stage[];
  readonly exchanges: readonly Exchange[];
  readonly isolates: IsolatePlan;
  readonly earlyEnds: readonly EarlyEnd[];
  /** Where `ctx.state` is; nothing where no operator has it. */
  readonly state: StatePlace | undefined;
  /** As the environment has it. */
  readonly checkpoint?: CheckpointSettings;
  readonly guarantee: JobGuarantee;
  /** What the user should know: removed branches, parallelism without threads. */
  readonly warnings: readonly string[];
}
