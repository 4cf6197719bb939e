import type { StreamEnvironment } from '../../transformations/stream-environment.ts';

/** In a worker thread of a job: what the first `submit` (or the pipeline's builder) hands its environment to. */
export interface WorkerSession {
  /** Takes the pipeline that was built here. Never settles for a script: code behind `submit` runs in the main thread only. */
  accept(environment: StreamEnvironment): Promise<never>;
}

// On globalThis, because the user's module and our bootstrap may load two copies of this package.
const SESSION = Symbol.for('sage-kernel.worker-session');

/** The session of this thread, if it is a worker of a job. */
export function workerSession(): WorkerSession | undefined {
  return (globalThis as Record<symbol, unknown>)[SESSION] as WorkerSession | undefined;
}

/** Begins the session of this thread. */
export function beginWorkerSession(session: WorkerSession): void {
  (globalThis as Record<symbol, unknown>)[SESSION] = session;
}

/** Whether this code runs in a worker thread of a job. */
export function isWorker(): boolean {
  return workerSession() !== undefined;
}
