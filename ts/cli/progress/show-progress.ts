import { LiveProgress } from './live-progress.ts';
import { PlainProgress } from './plain-progress.ts';
import type { ProgressDisplay } from './progress-display.ts';

/**
 * The display that suits where it is written: a live table on a terminal, lines elsewhere.
 *
 * @param others streams that may lead to the same terminal. @param summaries whether ended jobs leave a line.
 */
export function showProgress(output: NodeJS.WriteStream, others: readonly NodeJS.WriteStream[], summaries: boolean): ProgressDisplay {
  const movesCursor = output.isTTY && process.env['TERM'] !== 'dumb';
  if (!movesCursor) return new PlainProgress(output, summaries);
  return new LiveProgress(output, [output, ...others.filter(({ isTTY }) => isTTY)], summaries);
}
