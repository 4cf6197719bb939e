import {
  FileSource,
  JsonLinesSink,
  type LocalEnvironment,
  avg,
  count,
  definePipeline,
  max,
  session,
  sliding,
  sum,
  tumbling,
} from 'sage-kernel';

import type { Report } from './reports.ts';

/** A flight counts as disrupted from here on. */
const DISRUPTED_MINUTES = 60;
/** Disruptions of so many flights are worth a line while the program runs. */
const LARGE_DISRUPTION = 100;

/** Flights by the time at which they left, from reports in the order in which they arrived. */
export const flightsLive = definePipeline(import.meta.url, (env: LocalEnvironment, folder: string) => {
  // One reader: in which order reports come is what decides which are late.
  const reports = env
    .fromSource(FileSource.jsonLines<Report>(`${folder}/reports.jsonl`))
    .named('reports')
    .parallelism(1);

  // Results soon: who is reported more than four hours behind the others may be too late.
  const prompt = reports.assignTimestamps('departure', { outOfOrdernessMs: 4 * 3_600_000 }).parallelism(1);

  // A day of an airport begins at three at night, when hardly anybody flies.
  const days = prompt
    .keyBy('origin')
    .window(tumbling('1d', { offset: '3h' }))
    .lateTo('late')
    .aggregate({ flights: count(), minutes: sum('delay'), mean: avg('delay') })
    .named('days');
  days.sink(new JsonLinesSink(`${folder}/days.jsonl`));
  days.sideOutput<Report>('late').sink(new JsonLinesSink(`${folder}/late-for-days.jsonl`));

  const hours = prompt
    .window(sliding('3h', '1h'))
    .lateTo('late')
    .aggregate({ flights: count(), minutes: sum('delay'), mean: avg('delay') })
    .named('hours');
  hours.sink(new JsonLinesSink(`${folder}/hours.jsonl`));
  hours.sideOutput<Report>('late').sink(new JsonLinesSink(`${folder}/late-for-hours.jsonl`));

  // All of them: event time waits until nothing can come any more. The worst flight of the data comes 29 hours late.
  reports
    .assignTimestamps('departure', { outOfOrdernessMs: 48 * 3_600_000 })
    .parallelism(1)
    .filter((report) => report.delay >= DISRUPTED_MINUTES)
    .keyBy('origin')
    .window(session('2h'))
    .aggregate({ flights: count(), worst: max('delay') })
    .named('disruptions')
    .sink(new JsonLinesSink(`${folder}/disruptions.jsonl`))
    .filter(({ flights }) => flights >= LARGE_DISRUPTION)
    .sink(({ key, window, flights, worst }) => {
      console.log(`${key}: ${time(window.start)} to ${time(window.end)}, ${flights} flights, one of them ${worst} minutes late`);
    });
});

/** `Mon 18:05`: the data have local times. */
function time(ms: number): string {
  return new Date(ms).toLocaleString('en-GB', { weekday: 'short', hour: '2-digit', minute: '2-digit', timeZone: 'UTC' });
}
