/**
 * Three million US flights: delays per airport, delayed share per route, and the ten routes with the largest share.
 *
 *     npm start
 *
 * Reads `flights-3m.parquet` of the npm package `vega-datasets`, writes JSON lines into `out/flights`, prints a table.
 */
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { FileSource, JsonLinesSink, LocalEnvironment, avg, count, max, sum, topN } from 'sage-kernel';

import { printProgress } from './print-progress.ts';
import { printTable } from './print-table.ts';

interface Flight {
  readonly date: Date;
  /** Minutes. */
  readonly delay: number;
  /** Miles. */
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
}

/** A flight counts as delayed from here on. */
const DELAYED_MINUTES = 15;
/** Rarer routes say little about their share. */
const LEAST_FLIGHTS = 500;

// The package exports its script only; its data lies beside that.
const dataset = join(dirname(createRequire(import.meta.url).resolve('vega-datasets')), '../data/flights-3m.parquet');
const input = process.argv[2] ?? dataset;
const output = 'out/flights';
mkdirSync(output, { recursive: true });

const env = new LocalEnvironment('flights');

const flights = env
  .fromSource(FileSource.parquet<Flight>(input, { columns: ['delay', 'origin', 'destination'] }))
  .named('flights');

const airports: { key: string; flights: number; mean: number | null; worst: number | null }[] = [];
flights
  .keyBy('origin')
  .aggregate({ flights: count(), mean: avg('delay'), worst: max('delay') })
  .named('delays per airport')
  .sink(new JsonLinesSink(join(output, 'airports.jsonl')))
  .sink(airports);

const routes = flights
  .map((flight) => ({
    route: `${flight.origin} -> ${flight.destination}`,
    delayed: flight.delay >= DELAYED_MINUTES ? 1 : 0,
  }))
  .keyBy((flight) => flight.route)
  .aggregate({ flights: count(), delayed: sum('delayed') })
  .named('delays per route')
  .map((route) => ({ route: route.key, flights: route.flights, share: route.delayed / route.flights }))
  .sink(new JsonLinesSink(join(output, 'routes.jsonl')));

const top: { worst: { route: string; flights: number; share: number }[] }[] = [];
routes
  .filter((route) => route.flights >= LEAST_FLIGHTS)
  .aggregate({ worst: topN(10, (route) => route.share) })
  .named('top 10 routes')
  .sink(top);

const job = await env.submit();
const result = await printProgress(job);
if (result.status !== 'finished') {
  // Ctrl-C: what was read has been worked on, but totals of a part would say nothing.
  console.log(`Stopped after ${result.recordsIn.toLocaleString('en')} flights: no results.`);
  process.exit(130);
}

printTable(
  'Airports with the most flights',
  airports
    .toSorted((a, b) => b.flights - a.flights)
    .slice(0, 10)
    .map((airport) => ({
      airport: airport.key,
      flights: airport.flights,
      'mean delay (min)': airport.mean?.toFixed(1) ?? '',
      'worst (min)': airport.worst ?? '',
    })),
);
printTable(
  `Routes with the largest share of flights delayed by ${DELAYED_MINUTES} minutes or more`,
  (top[0]?.worst ?? []).map((route) => ({ ...route, share: `${(route.share * 100).toFixed(1)} %` })),
);
console.log(
  `${result.recordsIn.toLocaleString('en')} flights in ${(result.durationMs / 1000).toFixed(2)} s; results in ${output}/`,
);
