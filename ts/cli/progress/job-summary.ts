import type { JobResult } from '../../transformations/job.ts';

/** What a job came to, in one line. */
export function jobSummary({ name, status, recordsIn, recordsOut, durationMs }: JobResult): string {
  return `${name}: ${status} in ${(durationMs / 1000).toFixed(2)} s, ${recordsIn.toLocaleString('en')} ${recordsIn === 1 ? 'record' : 'records'} in, ${recordsOut.toLocaleString('en')} out`;
}
