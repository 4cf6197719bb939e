import type { StreamEnvironment } from '../../transformations/stream-environment.ts';
import type { Schedule } from '../isolate/schedule.ts';
import type { Instrument, OnTimer } from '../stage/instrument.ts';

/** What a test kit takes into its own hands of the jobs of an environment. All of them run in the main isolate. */
export interface JobControls {
  readonly schedule: Schedule;
  readonly instrument: Instrument;
  /** Told of the timers of all functions. */
  readonly onTimer?: OnTimer;
}

const controls = new WeakMap<StreamEnvironment, JobControls>();

/** Has the jobs of an environment run under control. */
export function setJobControls(environment: StreamEnvironment, given: JobControls): void {
  controls.set(environment, given);
}

/** Who controls the jobs of an environment, if anybody does. */
export function jobControls(environment: StreamEnvironment): JobControls | undefined {
  return controls.get(environment);
}
