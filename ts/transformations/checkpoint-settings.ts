/** Checkpoints of the jobs of an environment: the state of all operators and the positions of all sources, written now and then. */
export interface CheckpointSettings {
  /** The directory of the checkpoints, of one pipeline alone. It is made where it is not there. */
  readonly dir: string;
  /** Time from the beginning of one checkpoint to that of the next. Left away, they are written only when `job.checkpoint()` is called. */
  readonly intervalMs?: number;
  /** At least so long lies between the end of one and the beginning of the next; 0 when left away. */
  readonly minPauseMs?: number;
  /** How many checkpoints are kept; 3 when left away. */
  readonly retained?: number;
}

/** Tries again a number of times, each time after the same delay. */
export interface FixedRestart {
  /** Tells it from the others. */
  readonly kind: 'fixed';
  /** Over the whole life of the job. */
  readonly attempts: number;
  /** Time before each attempt. */
  readonly delayMs: number;
}

/** Tries again without end, each time after a longer delay. */
export interface ExponentialRestart {
  /** Tells it from the others. */
  readonly kind: 'exponential';
  /** Before the first attempt. */
  readonly initialMs: number;
  /** No delay is longer. */
  readonly maxMs: number;
  /** Each delay is so many times the one before; 2 when left away. */
  readonly multiplier?: number;
  /** A delay is changed at random by up to this share of it, so that jobs which failed together do not come back together; 0.1 when left away. */
  readonly jitter?: number;
  /** A job that has run so long begins with `initialMs` again; ten times `maxMs` when left away. */
  readonly resetAfterMs?: number;
}

/** Tries again as long as failures are rare. */
export interface FailureRateRestart {
  /** Tells it from the others. */
  readonly kind: 'failureRate';
  /** With more failures than this within `perMs` the job fails. */
  readonly failures: number;
  /** The time over which failures are counted. */
  readonly perMs: number;
  /** Time before each attempt. */
  readonly delayMs: number;
}

/** What becomes of a job that fails while it runs. */
export type RestartSettings = 'none' | FixedRestart | ExponentialRestart | FailureRateRestart;

/** Where a job goes on from: the newest checkpoint of its directory, or the checkpoint in a file. */
export interface RestoreOptions {
  /**
   * `'latest'` for the newest checkpoint of the directory (without one the job starts from the beginning), or the path of a checkpoint or savepoint,
   * for which no directory is needed. Left away, the job starts from the beginning.
   */
  readonly from?: string;
  /** Whether the state of operators that the pipeline no longer has may be left behind; an error when left away. */
  readonly allowDropped?: boolean;
}

export const DEFAULT_RETAINED = 3;
export const DEFAULT_MULTIPLIER = 2;
export const DEFAULT_JITTER = 0.1;

/** Whether the jobs of an environment with this config have checkpoints. */
export function hasCheckpoints({ checkpoint }: { readonly checkpoint?: unknown }): boolean {
  return checkpoint !== undefined;
}

/** Whether a job that fails is started again. */
export function mayRestart({ restart = 'none' }: { readonly restart?: unknown }): boolean {
  return restart !== 'none';
}
