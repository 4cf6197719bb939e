import { inspect } from 'node:util';

import { errorReport } from '../common/error-report.ts';
import { looksLikeSageError } from './job-json.ts';
import { UsageError } from './usage-error.ts';

/** What went wrong, for people: for ours the place, the record, the user's own error and the fix. */
export function errorText(error: unknown, colors = false): string {
  if (error instanceof UsageError) return `sage-kernel: ${error.message}`;
  if (looksLikeSageError(error)) return errorReport(error, { colors });
  return withoutUsersFrames(error) ?? inspect(error, { colors });
}

/** What Node says of a file that it cannot load, where no line of the user's has run: its own frames lead nobody to the mistake. */
function withoutUsersFrames(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.cause !== undefined) return undefined;
  const frames = error.stack?.match(/^ +at .*$/gm) ?? [];
  if (frames.length === 0 || !frames.every((frame) => /[ (]node:internal\//.test(frame))) return undefined;
  return error.stack!.replaceAll(/\n +at .*/g, '');
}
