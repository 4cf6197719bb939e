import type { OperatorId } from '../common/ids.ts';
import type { BaseTransformation, TransformationKind } from '../transformations/base-transformation.ts';
import type { SourceDescriptor } from '../transformations/source-descriptor.ts';
import type { Transformation } from '../transformations/transformation.ts';
import type { MixedEventTime } from './logical/mixed-event-time.ts';

/** What an operator does; `extract` is put in by the optimiser. */
export type OperatorKind = TransformationKind | 'extract';

/** The region behind a keyBy: what its parallelism is and why. */
export interface KeyedRegion {
  readonly parallelism: number;
  readonly reason: string;
}

/** One operator of a plan. Plans are never changed: a rewrite makes new operators. */
export interface LogicalOperator {
  /** Place in `env.pipeline`; operators of the optimiser have ids above all of these. */
  readonly id: OperatorId;
  readonly uid: string | undefined;
  /** Unique in the plan. */
  readonly name: string;
  readonly kind: OperatorKind;
  /** Producers, in the user's order; a union may name one twice. */
  readonly inputs: readonly OperatorId[];
  /** Instances that this operator has, or may come to have when it is `elastic`. That of a keyBy is its producer's: the key is evaluated before the exchange. */
  readonly parallelism: number;
  /** Why, in words. */
  readonly parallelismReason: string;
  /** Begins with one instance and gets others while it runs, if it stays the bottleneck. */
  readonly elastic: boolean;
  /** Only on a keyBy: the parallelism behind it. */
  readonly region: KeyedRegion | undefined;
  /** The keyBy whose key the *output* carries; a keyBy names itself. */
  readonly keyedBy: OperatorId | undefined;
  /** Whether the records of all *inputs* have an event time. */
  readonly takesTime: boolean;
  /** Only on a function with timers: why its records have no event time, though those of some of its streams have one. */
  readonly mixedTime?: MixedEventTime | undefined;
  /** Whether the records of the *output* have an event time. */
  readonly timed: boolean;
  /** Whether the output ends by itself. */
  readonly bounded: boolean;
  /** What the user declared; that of an `extract` is its aggregate. */
  readonly transformation: Transformation;
  /** Only on a source: what to read, perhaps narrowed by the optimiser. */
  readonly source: SourceDescriptor | undefined;
  /** Whether the core runs it without JavaScript; readers and writers are not counted among these. */
  readonly inCore: boolean;
  /** Why the core does not run it, though it says what it does by fields and expressions; goes on behind its name. */
  readonly whyNotInCore: string | undefined;
  /** The feedback loop that it is in. */
  readonly loop?: number | undefined;
  /** The other loops that its records may have gone around in. */
  readonly behindLoops?: ReadonlySet<number>;
  /** Whether all of its records come out of a future, so that nobody knows how far event time is there. */
  readonly timeless?: boolean;
  /** Only on an aggregate: `extracted` when an `extract` before it has already read the inputs from the records. */
  readonly aggregateInput: 'record' | 'extracted' | undefined;
  /** Only on an `extract`: the aggregate whose inputs it reads. What fails here has failed there, as the user sees it. */
  readonly extractsFor?: LogicalOperator;
}

/** All operators of a pipeline, producers before consumers. */
export interface LogicalPlan {
  readonly operators: readonly LogicalOperator[];
}

/** One thing that the optimiser did. */
export interface AppliedRule {
  readonly rule: string;
  /** What it did, in words. */
  readonly what: string;
  /** Operators that are no longer in the plan. */
  readonly removed: readonly OperatorId[];
}

/** A plan after the optimiser. */
export interface OptimisedPlan extends LogicalPlan {
  readonly applied: readonly AppliedRule[];
  readonly warnings: readonly string[];
}

/** A pipeline as `env.pipeline` holds it. */
export type Pipeline = readonly BaseTransformation[];
