import { createWriteStream } from 'node:fs';
import { once } from 'node:events';

import { FileSource, LocalEnvironment, col } from 'sage-kernel';

/** What an airport reports when a flight has arrived. */
export interface Report {
  readonly origin: string;
  readonly destination: string;
  /** Minutes. */
  readonly delay: number;
  /** When it left, in epoch milliseconds. The data have local times; they are read as if all were of one zone. */
  readonly departure: number;
  /** When it arrived, and this was reported. */
  readonly reported: number;
}

interface Flight {
  readonly date: Date;
  readonly delay: number;
  /** Miles. */
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
}

const MINUTE_MS = 60_000;
const GROUND_MINUTES = 30;
const MILES_PER_MINUTE = 8;

function toReport({ date, delay, distance, origin, destination }: Flight): Report {
  const departure = date.getTime();
  const minutes = GROUND_MINUTES + Math.floor(distance / MILES_PER_MINUTE) + delay;
  return { origin, destination, delay, departure, reported: departure + minutes * MINUTE_MS };
}

/**
 * Writes the reports of some days, in the order in which they come: a flight over the ocean that left in the morning is reported
 * behind short ones of the evening. Gives how many there are.
 */
export async function writeReports(flights: string, from: Date, until: Date, path: string): Promise<number> {
  const reports: Report[] = [];
  const env = new LocalEnvironment('reports');
  env
    .fromSource(FileSource.parquet<Flight>(flights))
    .filter(col('date').ge(from).and(col('date').lt(until)))
    .map(toReport)
    .sink(reports);
  await env.submit({ autostop: true });
  // Those of one minute stay in the order of the file.
  reports.sort((a, b) => a.reported - b.reported);
  const file = createWriteStream(path);
  for (const report of reports) if (!file.write(`${JSON.stringify(report)}\n`)) await once(file, 'drain');
  file.end();
  await once(file, 'finish');
  return reports.length;
}
