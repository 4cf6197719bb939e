import type { SourceLocation } from '../common/source-location.ts';
import type { JobGuarantee } from './job-guarantee.ts';

/** An operator as it will run, after the optimiser. */
export interface PlanOperator {
  /** Place in `env.pipeline`; operators that the optimiser put in have ids above all of these. */
  readonly id: number;
  /** Unique in the environment. */
  readonly name: string;
  /** `source`, `map`, `filter` and so on; `extract` is put in by the optimiser. */
  readonly kind: string;
  /** What it does, in a few words; empty where its kind says all. */
  readonly work: string;
  /** Ids of the operators whose records it takes. */
  readonly inputs: readonly number[];
  /** How many instances. */
  readonly parallelism: number;
  /** Why, in words. */
  readonly parallelismReason: string;
  /** Where the user wrote it; `null` when that is not known. */
  readonly declaredAt: SourceLocation | null;
}

/** An operator within its stage. */
export interface PlanStageOperator {
  /** Id of a `PlanOperator`. */
  readonly operator: number;
  /** Whether the Rust core does it, without calling JavaScript. */
  readonly native: boolean;
  /** Operators of the same stage that hand it their records, by calls. */
  readonly inputs: readonly number[];
}

/** Operators that run as one function, in so many instances. */
export interface PlanStage {
  /** Its place in `stages`. */
  readonly id: number;
  /** The names of its operators. */
  readonly name: string;
  /** Its instances; of an `elastic` stage, the most that it may come to have. */
  readonly parallelism: number;
  /**
   * Where its instances run: the main isolate, worker threads, or native threads of the core. `elastic`: one in the main isolate,
   * and others in worker threads when it stays the bottleneck.
   */
  readonly placement: 'main' | 'workers' | 'native' | 'elastic';
  /** Why there, in words. */
  readonly reason: string;
  /** Producers before consumers. */
  readonly operators: readonly PlanStageOperator[];
}

/** Queues between two stages, one for each pair of instances that records go between. */
export interface PlanExchange {
  /** Its place in `exchanges`. */
  readonly id: number;
  /** The stage that fills it, and the operator in it that gives the records. */
  readonly from: { readonly stage: number; readonly operator: number };
  /** Several operators where the stage hands its records to more than one. */
  readonly to: { readonly stage: number; readonly operators: readonly number[] };
  /** Which instance a record goes to. */
  readonly partition: 'forward' | 'hash' | 'broadcast' | 'rebalance';
  /** Whether the key goes with the record. */
  readonly keyed: boolean;
  /** Batches of columns, or of JSON lines. */
  readonly encoding: 'columns' | 'json';
  /** Records in flight at which the producer waits, of each queue. */
  readonly maxRecords: number;
  /** Bytes in flight at which the producer waits, of each queue. */
  readonly maxBytes: number;
  /** The loop that it closes, by the name of its future: records go back from it to an earlier stage, or to the stage itself. */
  readonly feedback: string | null;
  /** Whether records are copied here, so that class instances lose their prototype. */
  readonly losesPrototypes: boolean;
  /** Why there is an exchange, in words. */
  readonly reason: string;
}

/** The plan of a pipeline as data: what `explain({ format: 'json' })` gives. Fields are only ever added within a version. */
export interface PlanDescription {
  /** Another number when a field changes or goes; fields may be added. */
  readonly version: 1;
  /** Of the environment. */
  readonly name: string;
  /** Producers before consumers. */
  readonly operators: readonly PlanOperator[];
  /** What the optimiser did. */
  readonly optimisations: readonly { readonly rule: string; readonly what: string }[];
  /** Producers before consumers, but for exchanges that close a loop. */
  readonly stages: readonly PlanStage[];
  /** Queues between stages. */
  readonly exchanges: readonly PlanExchange[];
  /** Which isolates run user code: so many worker threads, and the main one or not; why. */
  readonly isolates: { readonly workers: number; readonly main: boolean; readonly reason: string };
  /** With state on disk, of pipelines that keep any: how much of it each instance has in memory, and in which directory. */
  readonly state?: { readonly kind: 'disk'; readonly memoryBytes: number; readonly directory: string | null };
  /** What the job guarantees when it goes on from a checkpoint, and what limits that. */
  readonly guarantee: JobGuarantee;
  /** Instances of all stages together. */
  readonly tasks: number;
  /** Queues of all exchanges together. */
  readonly queues: number;
  /** What the user should know. */
  readonly warnings: readonly string[];
}
