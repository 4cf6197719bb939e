import { resolve } from 'node:path';

import { SageError } from '../../common/errors.ts';
import { describeValue } from '../../functions/check-user-function.ts';

/**
 * The absolute path of a savepoint, as the working directory may change before it is written.
 *
 * @param call what the user wrote, such as `stop`
 * @throws SageError SAGE_PLAN_ARGUMENT for what is no path
 */
export function savepointPath(path: unknown, call: 'savepoint' | 'stop'): string {
  if (typeof path === 'string' && path !== '') return resolve(path);
  const help = call === 'stop' ? "Write job.stop({ savepoint: 'savepoints/first' })." : "Write job.savepoint('savepoints/first').";
  throw new SageError('SAGE_PLAN_ARGUMENT', `the path of a savepoint is ${describeValue(path)}, and not the name of a file`, { help });
}

/** The error for a job that is drained and is to leave a savepoint behind. */
export function drainedSavepoint(): SageError {
  return new SageError('SAGE_PLAN_ARGUMENT', 'stop was given drain and savepoint: a job that is drained has fired its windows and final results, and nothing is left to go on with', {
    help: 'Write stop({ savepoint: path }) to go on later, or stop({ drain: true }) to bring the job to its end.',
  });
}

/** The error for a job whose environment has no checkpoints. */
export function noCheckpoints(job: string): SageError {
  return new SageError('SAGE_JOB_STATE', `job '${job}' has no checkpoints`, {
    help: "Give its environment checkpoint: { dir: 'checkpoints' }. Without intervalMs, only those are written that are asked for, and the last one. Or call savepoint(path), which needs no directory.",
  });
}
