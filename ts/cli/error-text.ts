import { inspect } from 'node:util';

import { errorReport } from '../common/error-report.ts';
import { looksLikeSageError } from './job-json.ts';
import { UsageError } from './usage-error.ts';

/** What went wrong, for people: for ours the place, the record, the user's own error and the fix. */
export function errorText(error: unknown, colors = false): string {
  if (error instanceof UsageError) return `sage-kernel: ${error.message}`;
  return looksLikeSageError(error) ? errorReport(error, { colors }) : inspect(error, { colors });
}
