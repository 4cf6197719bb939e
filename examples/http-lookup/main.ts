/**
 * Calls a web service for each record: up to eight requests at a time, each with a time limit, repeated when the service turns one
 * away. Results keep their order, and a slow service holds back the source.
 *
 *     node examples/http-lookup/main.ts
 *
 * Asks a service on this machine, which it starts and stops, for the airports of `flights-5k.json` of `vega-datasets`;
 * writes `out/http-lookup/airports.jsonl`.
 */
import { readFileSync } from 'node:fs';

import { JsonLinesSink, LocalEnvironment } from 'sage-kernel';

import { vegaDataset } from '../vega-dataset.ts';
import { startAirportServer } from './airport-server.ts';

interface Airport {
  readonly iata: string;
  readonly city: string;
  readonly state: string;
}

const server = await startAirportServer();
const flights = JSON.parse(readFileSync(vegaDataset('flights-5k.json'), 'utf8')) as { origin: string; destination: string }[];

const env = new LocalEnvironment('http-lookup');
let attempts = 0;

const airports = env
  .fromCollection(flights)
  .flatMap(({ origin, destination }) => [origin, destination])
  .dedup()
  .mapAsync(
    async (iata, { signal }) => {
      attempts++;
      const response = await fetch(`${server.url}/${iata}`, { signal });
      if (!response.ok) throw new Error(`the service answered ${response.status}`);
      return (await response.json()) as Airport;
    },
    { concurrency: 8, timeoutMs: 5_000, retry: { retry: 3, backoffMs: 10 } },
  )
  .named('look up')
  .onError('deadLetter');

airports.sink(new JsonLinesSink('out/http-lookup/airports.jsonl', { mkdir: true }));
airports.deadLetters<string>().sink(({ record, attempts, error }) => console.log(`${record}: ${error.message} (${attempts} attempts)`));

try {
  const result = await env.submit({ autostop: true });
  const lookUp = result.operators.find(({ name }) => name === 'look up');
  console.log(`${lookUp?.recordsOut} airports, ${attempts} requests, ${server.refused} refused, ${server.peak <= 8 ? 'at most 8' : server.peak} at a time`);
} finally {
  await server[Symbol.asyncDispose]();
}
