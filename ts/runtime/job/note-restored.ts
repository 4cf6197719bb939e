import { toSageError } from '../../common/errors.ts';
import type { JobLog } from '../logging/job-log.ts';
import type { Core } from '../native/core.ts';
import { checkEnded } from './check-ended.ts';
import { checkTransactions } from './check-transactions.ts';
import { checkpointsGone, type JobCheckpoints } from './job-checkpoints.ts';
import type { JobPlan } from './job-plan.ts';

/** What an attempt knows of the checkpoints of its job. */
interface RestoringHost {
  readonly jobName: string;
  readonly log: JobLog;
  readonly checkpoints: JobCheckpoints;
  readonly allowsDropped: boolean;
  readonly mustGoOn: boolean;
}

/**
 * Where a job of the core goes on, and which newer checkpoints are of no use: nobody is to find out by himself that records were read again.
 *
 * @throws SageError when it cannot go on from there; the core has dropped it then.
 */
export function noteRestored(core: Core, handle: number, plan: JobPlan, { checkpoints, jobName, log, allowsDropped, mustGoOn }: RestoringHost): void {
  const epoch = core.checkpointRestored(handle);
  checkpoints.restored(epoch);
  for (const json of core.checkpointSkipped(handle)) {
    const err = toSageError(new Error(json));
    log.logger.warn({ epoch, err }, `job '${jobName}' goes on from checkpoint ${epoch}, as a newer one cannot be used: ${err.message}`);
  }
  if (epoch < 0 && !mustGoOn) return;
  try {
    if (epoch < 0) throw checkpointsGone(jobName, plan.config);
    checkEnded(core, handle, plan);
    checkTransactions(core, handle, plan, allowsDropped);
  } catch (error) {
    core.dropJob(handle);
    throw toSageError(error);
  }
}
