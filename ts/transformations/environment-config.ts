import type { Clock } from '../common/clock.ts';
import type { Parallelism } from './base-transformation.ts';

/** Settings of an environment. Names that are not listed are the user's own and reach functions as `ctx.config`. */
export interface EnvironmentConfig {
  /** Default of all operators; 1 when left away. */
  readonly parallelism?: Parallelism;
  /** Run user code in a worker thread also where the main isolate would do. */
  readonly isolated?: boolean;
  /** Instead of the machine's clock. */
  readonly clock?: Clock;
  readonly [name: string]: unknown;
}
