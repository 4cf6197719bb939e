/**
 * A week of US flights as a live program sees them, by event time: delays of each airport and day, a sliding average, disruptions
 * of airports as sessions, and the flights that are reported too late.
 *
 *     node examples/flights-live/main.ts 2
 *
 * The number is the parallelism, 1 if there is none. Reads `flights-3m.parquet` of the npm package `vega-datasets`, writes JSON lines
 * into `out/flights-live`, prints disruptions as they become known, and on standard error how far event time has come.
 */
import { mkdirSync } from 'node:fs';

import { vegaDataset } from '../vega-dataset.ts';
import { flightsLive } from './pipeline.ts';
import { printEventTime } from './print-event-time.ts';
import { writeReports } from './reports.ts';

const folder = 'out/flights-live';
const parallelism = Number(process.argv[2] ?? 1);

mkdirSync(folder, { recursive: true });
const reports = await writeReports(
  vegaDataset('flights-3m.parquet'),
  new Date('2001-01-01T00:00Z'),
  new Date('2001-01-08T00:00Z'),
  `${folder}/reports.jsonl`,
);

const job = await flightsLive.submit(folder, { parallelism });
const result = await printEventTime(job);
if (result.status !== 'finished') {
  // Ctrl-C: windows that are open have given nothing.
  console.log(`Stopped after ${result.recordsIn.toLocaleString('en')} of ${reports.toLocaleString('en')} flights.`);
  process.exit(130);
}

const late = (name: string): number => result.operators.find((operator) => operator.name === name)?.recordsLate ?? 0;
console.log(
  `${reports.toLocaleString('en')} flights; too late for their day ${late('days')}, for all of their hours ${late('hours')}, for disruptions ${late('disruptions')}; results in ${folder}/`,
);
