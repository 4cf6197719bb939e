import { avg, count, type DataStream, max } from 'sage-kernel';

import type { Visit } from './parse-visit.ts';

/** How often and how long a page was looked at. */
export interface PageTime {
  readonly key: string;
  readonly visits: number;
  readonly meanSeconds: number | null;
  readonly longestSeconds: number | null;
}

/** Sums up visits, one record for each page at the end of the stream. Works at any parallelism. */
export function pageTimes(visits: DataStream<Visit>): DataStream<PageTime> {
  return visits.keyBy('page').aggregate({ visits: count(), meanSeconds: avg('seconds'), longestSeconds: max('seconds') });
}
