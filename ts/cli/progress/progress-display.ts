import type { StartedJob } from '../../environment/submit-observer.ts';
import type { StreamEnvironment } from '../../transformations/stream-environment.ts';

/** Shows people what jobs do. */
export interface ProgressDisplay {
  /** From now on the job is shown. */
  started(job: StartedJob, environment: StreamEnvironment): void;
  /** It is shown no longer; what it came to is. */
  ended(job: StartedJob): void;
}
