import type { JobId } from '../common/ids.ts';
import type { Logger } from './logger.ts';
import type { KeyedState } from './state/keyed-state.ts';
import type { Timers } from './state/timers.ts';
import type { FunctionMetrics } from './function-metrics.ts';

/** What a function knows about the place where it runs. One for each parallel instance. */
export interface FunctionContext {
  /** Another one for each run. */
  readonly jobId: JobId;
  /** The name of the environment. */
  readonly jobName: string;
  /** Name of the operator. */
  readonly operator: string;
  /** 0 to `parallelism - 1`. */
  readonly parallelIndex: number;
  /** How many instances there are; with `'auto'`, how many there may be. */
  readonly parallelism: number;
  /** Key of the record in hand; `undefined` on an unkeyed stream. */
  readonly key: unknown;
  /** Event time of the record in hand, in epoch milliseconds; `undefined` on a stream without timestamps. */
  readonly timestamp: number | undefined;
  /** Its lines have the job, the operator and the instance. */
  readonly logger: Logger;
  /** The environment's config, as it was given. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Aborted when the job is cancelled or fails. Pass it to what waits. */
  readonly signal: AbortSignal;
  /** Counters, gauges and histograms of this instance, which the metrics of the job put together. */
  readonly metrics: FunctionMetrics;
  /** State of the key in hand. @throws SageError SAGE_ENV_CONTEXT on a stream without a key, in `mapAsync`, and in classes for sources, keys and `reduce`. */
  readonly state: KeyedState;
  /** Timers of the key in hand. @throws SageError SAGE_ENV_CONTEXT in other classes than process functions of keyed streams. */
  readonly timers: Timers;
}
