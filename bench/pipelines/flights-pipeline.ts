import { FileSource, type LocalEnvironment, avg, count, definePipeline, max, sum } from 'sage-kernel';

import type { Airport, Route } from './flights-results.ts';

interface Flight {
  readonly delay: number;
  readonly origin: string;
  readonly destination: string;
}

/** Results of the run at hand, in the main thread. */
export const results: { airports: Airport[]; routes: Route[] } = { airports: [], routes: [] };

/** The aggregates of `examples/flights`, with the same lambdas. */
export const flights = definePipeline(import.meta.url, (env: LocalEnvironment, { path }: { path: string }) => {
  const all = env.fromSource(FileSource.parquet<Flight>(path, { columns: ['delay', 'origin', 'destination'] }));
  all
    .keyBy('origin')
    .aggregate({ flights: count(), mean: avg('delay'), worst: max('delay') })
    .sink(({ key, flights: n, mean, worst }) => {
      results.airports.push({ airport: key, flights: n, mean: mean!, worst: worst! });
    });
  all
    .map((flight) => ({ route: `${flight.origin} -> ${flight.destination}`, delayed: flight.delay >= 15 ? 1 : 0 }))
    .keyBy((flight) => flight.route)
    .aggregate({ flights: count(), delayed: sum('delayed') })
    .sink(({ key, flights: n, delayed }) => {
      results.routes.push({ route: key, flights: n, share: delayed / n });
    });
});
