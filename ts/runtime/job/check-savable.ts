import { operatorError, SageError } from '../../common/errors.ts';
import { replayOf } from '../../compiler/checks/check-checkpoints.ts';
import type { Transformation } from '../../transformations/transformation.ts';
import { hasTransactions } from './check-transactions.ts';
import { transformationsOf } from './job-metrics.ts';
import type { JobPlan } from './job-plan.ts';

/** What a sink prepares for a savepoint waits for the end of the job, where there are no checkpoints: so many times at most. */
const MOST_SAVEPOINTS = 50;

/**
 * Looks whether a job without checkpoints could go on from a savepoint: with checkpoints that is looked at before it starts.
 *
 * @param written how many savepoints it has left already
 * @throws SageError SAGE_CHECKPOINT_SOURCE for a source that cannot go on, SAGE_CHECKPOINT_RESCALE where instances come while the job runs,
 *   SAGE_JOB_STATE when too much waits for the end of the job to be committed
 */
export function checkSavable(plan: JobPlan, job: string, written: number): void {
  for (const transformation of transformationsOf(plan).values() as Iterable<Transformation>) {
    if (transformation.kind !== 'source' || replayOf(transformation.source) !== 'never') continue;
    const { name, declaredAt } = transformation;
    throw operatorError('SAGE_CHECKPOINT_SOURCE', `the source '${name}' cannot go on where it was, so that job '${job}' cannot leave a savepoint`, {
      operator: name,
      declaredAt,
      help: 'Give a source that can be read again: a file, an array, a generator function, or one with the methods position() and seek(position).',
    });
  }
  if (plan.physical.isolates.lateWorkers > 0) {
    throw new SageError('SAGE_CHECKPOINT_RESCALE', `instances come to job '${job}' while it runs (parallelism 'auto'), so that it cannot leave a savepoint`, {
      help: 'Give its environment a parallelism that is a number, or checkpoint: { dir }, with which all instances are there from the start.',
    });
  }
  if (written >= MOST_SAVEPOINTS && hasTransactions(plan)) {
    throw new SageError('SAGE_JOB_STATE', `job '${job}' has left ${written} savepoints, and its sinks commit what they have prepared for them when it ends`, {
      help: "Give its environment checkpoint: { dir: 'checkpoints' }: sinks commit at checkpoints then.",
    });
  }
}
