import type { Clock } from '../common/clock.ts';
import type { Logger } from '../functions/logger.ts';
import type { Parallelism } from './base-transformation.ts';
import type { CheckpointSettings, RestartSettings } from './checkpoint-settings.ts';
import type { StateSettings } from './state-settings.ts';

/** `stallTimeoutMs` when it is left away. */
export const DEFAULT_STALL_TIMEOUT_MS = 30_000;

/** Settings of an environment. Names that are not listed are the user's own and reach functions as `ctx.config`. */
export interface EnvironmentConfig {
  /** Default of all operators; 1 when left away. */
  readonly parallelism?: Parallelism;
  /**
   * Run user code in a worker thread also where the main isolate would do: a function that hangs, ends its thread or fills its memory is then noticed, and
   * the job may be started again. Functions that are a sink, readers of `collect` and what `inMain()` was called on stay in the main isolate.
   */
  readonly isolated?: boolean;
  /** Instead of the machine's clock. */
  readonly clock?: Clock;
  /**
   * Where the lines of `ctx.logger` go, such as a `pino` logger; to standard error when left away. It stays in the main isolate:
   * lines of worker threads come to it in the order of each instance.
   */
  readonly logger?: Logger;
  /**
   * Where `ctx.state` is kept: `'memory'` when left away; `'disk'` for more of it than memory has, where what is in use is in memory too and the job's directory goes with the
   * job; `{ kind: 'disk', memoryBytes, directory }` to say how much memory and which directory.
   */
  readonly state?: StateSettings;
  /**
   * Writes a checkpoint of the whole pipeline now and then: the state of all operators and how far all sources are, at one moment of the data. A job that
   * is restarted, or submitted with `from: 'latest'`, goes on from there, as if nothing had happened. None are written when left away.
   */
  readonly checkpoint?: CheckpointSettings;
  /** Whether a job that fails is started again, from its newest checkpoint or, without one, from the beginning; `'none'` when left away. */
  readonly restart?: RestartSettings;
  /**
   * A worker thread that does not come back from user code for so many milliseconds counts as dead and is ended, so that the job fails (`SAGE_WORKER_STALLED`)
   * or is started again; 30,000 when left away, `Infinity` for never. A call may compute as long as it stays below; loading
   * the program in the worker has 30,000 at least. The main isolate is not
   * watched: what hangs there holds up whoever could do something about it. `isolated: true` moves user code out of it.
   */
  readonly stallTimeoutMs?: number;
  /** A setting of the user's own. */
  readonly [name: string]: unknown;
}
