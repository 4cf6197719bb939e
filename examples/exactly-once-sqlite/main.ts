/**
 * Rows in a database, exactly once: 20,000 flights into a table of SQLite, with a checkpoint every 20 ms. Kill the program while it runs, with
 * Ctrl+C or `kill -9`, and start it again: it goes on from its newest checkpoint, and no flight is missing or there twice.
 *
 *     node examples/exactly-once-sqlite/main.ts
 *
 * Reads `flights-20k.json` of `vega-datasets`; writes `out/exactly-once-sqlite`. SQLite comes with Node, from 22.16 on as it is used here.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

import { LocalEnvironment } from 'sage-kernel';

import { vegaDataset } from '../vega-dataset.ts';
import { SqliteSink } from './sqlite-sink.ts';

interface Flight {
  readonly date: string;
  readonly delay: number;
  readonly origin: string;
  readonly destination: string;
}

const folder = 'out/exactly-once-sqlite';
mkdirSync(folder, { recursive: true });
const flights = JSON.parse(readFileSync(vegaDataset('flights-20k.json'), 'utf8')) as Flight[];

const env = new LocalEnvironment('flights', { checkpoint: { dir: `${folder}/checkpoints`, intervalMs: 20 } });

env
  .fromCollection(flights)
  .map(({ date, delay, origin, destination }) => ({ date, delay, route: `${origin} to ${destination}` }))
  .named('routes')
  .sink(SqliteSink, {
    args: [
      `${folder}/flights.db`,
      {
        create: 'CREATE TABLE IF NOT EXISTS flights (date TEXT, delay INTEGER, route TEXT)',
        insert: 'INSERT INTO flights VALUES (:date, :delay, :route)',
      },
    ],
  })
  .named('write')
  .uid('flights-table');

const { guarantee } = await env.submit({ from: 'latest', autostop: true });
const database = new DatabaseSync(`${folder}/flights.db`, { readOnly: true });
const { flights: rows } = database.prepare('SELECT count(*) AS flights FROM flights').get() as { flights: number };
console.log(`${rows} flights in the table, ${guarantee.level}`);
