import type { StreamEnvironment } from '../transformations/stream-environment.ts';

const unfused = new WeakSet<StreamEnvironment>();

/** For tests: jobs of this environment, which have to be in the main isolate, run with each operator in a stage of its own. */
export function neverFuse(environment: StreamEnvironment): void {
  unfused.add(environment);
}

/** Whether that was asked for. */
export function isUnfused(environment: StreamEnvironment): boolean {
  return unfused.has(environment);
}
