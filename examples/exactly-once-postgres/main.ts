/**
 * Rows in a database server, exactly once: 20,000 flights into a table of PostgreSQL, with a checkpoint every 20 ms. Kill the program while it runs
 * and start it again: it goes on from its newest checkpoint, and no flight is missing or there twice.
 *
 *     SAGE_POSTGRES_URL=postgresql://user@localhost/database node examples/exactly-once-postgres/main.ts
 *
 * Reads `flights-20k.json` of `vega-datasets`; writes the table `flights_once`, and its checkpoints to `out/exactly-once-postgres`. The client is
 * `pg`, which comes with the repository.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { Client } from 'pg';

import { LocalEnvironment } from 'sage-kernel';

import { vegaDataset } from '../vega-dataset.ts';
import { PostgresSink } from './postgres-sink.ts';

interface Flight {
  readonly date: string;
  readonly delay: number;
  readonly origin: string;
  readonly destination: string;
}

const url = process.env['SAGE_POSTGRES_URL'] ?? 'postgresql://localhost/postgres';
const folder = 'out/exactly-once-postgres';
mkdirSync(folder, { recursive: true });
const flights = JSON.parse(readFileSync(vegaDataset('flights-20k.json'), 'utf8')) as Flight[];

const env = new LocalEnvironment('flights', { checkpoint: { dir: `${folder}/checkpoints`, intervalMs: 20 } });

env
  .fromCollection(flights)
  .map(({ date, delay, origin, destination }) => ({ date, delay, route: `${origin} to ${destination}` }))
  .named('routes')
  .sink(PostgresSink, { args: [url, { name: 'flights_once', columns: { date: 'text', delay: 'integer', route: 'text' } }] })
  // oxlint-disable-next-line unicorn/no-thenable -- the name of the setting
  .onError({ retry: 5, backoffMs: 100, then: 'fail' })
  .named('write')
  .uid('flights-table');

const { guarantee } = await env.submit({ from: 'latest', autostop: true });
const client = new Client({ connectionString: url });
await client.connect();
const { rows } = await client.query<{ flights: string }>('SELECT count(*) AS flights FROM flights_once');
await client.end();
console.log(`${rows[0]?.flights} flights in the table, ${guarantee.level}`);
