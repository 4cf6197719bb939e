import type { SageError } from '../common/errors.ts';
import type { Job, JobResult } from '../transformations/job.ts';
import type { Explained, ExplainOptions, StreamEnvironment } from '../transformations/stream-environment.ts';

/** A pipeline at the moment of its `submit`, before anything was compiled. */
export interface Submission {
  readonly environment: StreamEnvironment;
  /** The plans. Must be called before the first await: it looks at who called `submit`. @throws SageError a plan error. */
  explain<O extends ExplainOptions>(options: O): Explained<O>;
}

/** A job that was started, with what is known of its end. */
export interface StartedJob extends Job {
  /** Counts, once it has ended in whatever way. */
  readonly result: JobResult | undefined;
  /** Why it failed or was cancelled. Unlike `completion`, reading it does not say that somebody looks after the failure. */
  readonly error: SageError | undefined;
}

/** Sees what a program submits; the command line has one. */
export interface SubmitObserver {
  /** What it throws is what `submit` rejects with; a promise that it gives is what `submit` waits for instead. */
  readonly submitting?: (submission: Submission) => Promise<never> | undefined;
  readonly started?: (job: StartedJob, environment: StreamEnvironment) => void;
}

// On globalThis, because the command line and the user's program may load two copies of this package.
const OBSERVER = Symbol.for('sage-kernel.submit-observer');

/** Makes `observer` see all submits of this thread from now on. */
export function observeSubmits(observer: SubmitObserver): void {
  (globalThis as Record<symbol, unknown>)[OBSERVER] = observer;
}

/** Who sees the submits of this thread, if anybody does. */
export function submitObserver(): SubmitObserver | undefined {
  return (globalThis as Record<symbol, unknown>)[OBSERVER] as SubmitObserver | undefined;
}
