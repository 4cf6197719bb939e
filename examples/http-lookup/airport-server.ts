import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { vegaDataset } from '../vega-dataset.ts';

/** A service on this machine that knows airports, and has bad moments. */
export interface AirportServer extends AsyncDisposable {
  readonly url: string;
  /** Most requests that it worked on at the same time. */
  readonly peak: number;
  /** Requests that it turned away. */
  readonly refused: number;
}

/** Starts the service: `GET /LAX` gives `{ iata, city, state }`. The first request for every fifth airport is turned away with 503. */
export async function startAirportServer(): Promise<AirportServer> {
  const lines = readFileSync(vegaDataset('airports.csv'), 'utf8').trim().split('\n').slice(1);
  // Names may have commas in quotes; what is needed stands before and behind them.
  const airports = new Map(lines.map((line) => [line.split(',')[0]!, { city: line.split(',').at(-5), state: line.split(',').at(-4) }]));
  const asked = new Set<string>();
  let open = 0;
  let peak = 0;
  let refused = 0;
  const server = createServer((request, response) => {
    peak = Math.max(peak, ++open);
    response.once('close', () => open--);
    const iata = request.url!.slice(1);
    const isFirst = !asked.has(iata);
    asked.add(iata);
    if (isFirst && asked.size % 5 === 0) {
      refused++;
      response.writeHead(503).end();
      return;
    }
    const airport = airports.get(iata);
    response.writeHead(airport === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(JSON.stringify({ iata, ...airport }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get peak() {
      return peak;
    },
    get refused() {
      return refused;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
