import type { ErrorDomain, RelatedPlace } from '../../common/errors.ts';
import type { Fingerprint } from '../../compiler/fingerprint/fingerprint.ts';
import type { EnvironmentConfig } from '../../transformations/environment-config.ts';
import type { AtWork } from '../isolate/at-work.ts';
import type { InstanceMetrics } from '../isolate/instance-metrics.ts';
import type { StateAnswer, StateQuestion } from '../isolate/state-reads.ts';
import type { LogRelayAssignment, RelayedEntry } from '../logging/log-relay.ts';
import type { Admission } from './admission.ts';
import type { PipelineOrigin } from './pipeline-origin.ts';

/** What a worker thread is started with; structured-cloneable. */
export interface WorkerAssignment {
  /** Handle of the job in the core; the same in all threads. */
  readonly job: number;
  readonly jobId: string;
  readonly jobName: string;
  /** Isolate index, from 1. */
  readonly isolate: number;
  readonly origin: PipelineOrigin;
  /** Settings of the environment that a defined pipeline is built in again. */
  readonly config: EnvironmentConfig;
  /** Cores that the plan was made for: the worker's plan must be the same. */
  readonly cores: number;
  /** As `cores`. */
  readonly splits: ReadonlyMap<number, number>;
  /** Of the main thread's pipeline. */
  readonly fingerprint: Fingerprint;
  /** Entered before anything of the user's is opened. */
  readonly admission: Admission;
  /** Says which task is at work. */
  readonly atWork: AtWork;
  readonly logs: LogRelayAssignment;
  readonly tasks: readonly { readonly task: number; readonly stage: number; readonly instance: number }[];
}

/** From the job to its workers. Data never goes this way. */
export type ToWorker =
  | { readonly type: 'stop' }
  | { readonly type: 'cancel' }
  /** Answered by `alive`, in the next turn of the event loop. */
  | { readonly type: 'ask' }
  /** Answered by `stateRead` with the same number. */
  | { readonly type: 'readState'; readonly number: number; readonly question: StateQuestion }
  /** The sources of these tasks have nothing left to do. */
  | { readonly type: 'endEarly'; readonly operators: readonly number[] }
  /** This checkpoint is safe on disk; Infinity: the job has come to its end. */
  | { readonly type: 'durable'; readonly epoch: number };

/** From a worker to its job. */
export type FromWorker =
  /** Its event loop turns; once when the thread has started, and then when it is asked. */
  | { readonly type: 'alive' }
  /** It has seen that the job was cancelled or has failed, and closes its functions. */
  | { readonly type: 'closing' }
  | { readonly type: 'closed' }
  /** Its sinks have committed everything, or never will; it closes its functions. */
  | { readonly type: 'settled' }
  /** An operator that limits all records lets no more pass. */
  | { readonly type: 'limit'; readonly operator: number }
  /** What user code counts, as it is now. */
  | { readonly type: 'metrics'; readonly metrics: readonly InstanceMetrics[] }
  | { readonly type: 'stateRead'; readonly number: number; readonly answers: readonly StateAnswer[] }
  | { readonly type: 'stateFailed'; readonly number: number; readonly error: SerializedError }
  | { readonly type: 'log'; readonly entry: RelayedEntry }
  | { readonly type: 'failed'; readonly error: SerializedError };

/** An error as it travels between threads. */
export interface SerializedError {
  readonly code: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly operator: string | undefined;
  readonly declaredAt: { readonly file: string; readonly line: number; readonly column: number } | undefined;
  readonly related: readonly RelatedPlace[] | undefined;
  /** Undefined when there is none, as `undefined` is a record too. */
  readonly record: { readonly value: unknown } | undefined;
  readonly context: Readonly<Record<string, string | number>>;
  readonly domain: ErrorDomain;
  readonly retryable: boolean;
  readonly help: string;
  readonly cause: SerializedCause | undefined;
}

/** What made an error: class name, message, stack, own fields and further causes of errors; anything else as it is. */
export type SerializedCause =
  | {
      readonly kind: 'error';
      readonly name: string;
      readonly message: string;
      readonly stack: string | undefined;
      /** What is set on it beside these. */
      readonly fields: Readonly<Record<string, unknown>>;
      /** Of an `AggregateError`. */
      readonly errors: readonly SerializedCause[] | undefined;
      readonly cause: SerializedCause | undefined;
    }
  | { readonly kind: 'sage'; readonly error: SerializedError }
  | { readonly kind: 'value'; readonly value: unknown };
