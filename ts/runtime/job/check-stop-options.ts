import { SageError } from '../../common/errors.ts';
import { describeValue } from '../../functions/check-user-function.ts';
import type { StopOptions } from '../../transformations/job.ts';

const OPTIONS = ['drain', 'savepoint', 'signal'];

/** What a job would not do, and say nothing. @throws SageError SAGE_PLAN_ARGUMENT for other options than those of `stop`, and a `drain` that is no boolean */
export function checkStopOptions(options: StopOptions): void {
  const wrong = (message: string, help: string): SageError => new SageError('SAGE_PLAN_ARGUMENT', message, { help });
  if (typeof options !== 'object' || options === null) throw wrong(`the options of stop are ${describeValue(options)}`, 'Write job.stop() or job.stop({ drain: true }).');
  const unknown = Object.keys(options).find((option) => !OPTIONS.includes(option));
  if (unknown !== undefined) throw wrong(`stop has no option '${unknown}'`, `Its options are ${OPTIONS.join(', ')}.`);
  if (options.drain !== undefined && typeof options.drain !== 'boolean') throw wrong(`the option drain of stop is ${describeValue(options.drain)}, and not true or false`, 'Write job.stop({ drain: true }) to have everything fire, or leave it away.');
}
