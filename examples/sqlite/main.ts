/**
 * From events to a table: each route of 20,000 flights once, in batches of 500 into SQLite, a transaction each.
 *
 *     node examples/sqlite/main.ts
 *
 * Reads `flights-20k.json` of `vega-datasets`; writes `out/sqlite/routes.db`. SQLite
 * comes with Node, from 22.13 on without a flag.
 */
import { mkdirSync, readFileSync } from 'node:fs';

import { LocalEnvironment } from 'sage-kernel';

import { vegaDataset } from '../vega-dataset.ts';
import { type Route, WriteRoutes } from './write-routes.ts';

mkdirSync('out/sqlite', { recursive: true });
const flights = JSON.parse(readFileSync(vegaDataset('flights-20k.json'), 'utf8')) as Route[];

const env = new LocalEnvironment('routes');

env
  .fromCollection(flights)
  .dedup(({ origin, destination }) => [origin, destination])
  .named('new routes')
  .batch({ max: 500, waitMs: 1000 })
  .sink(WriteRoutes, { args: ['out/sqlite/routes.db'] })
  .named('write');

const { operators, recordsIn } = await env.submit({ autostop: true });
const routes = operators.find(({ name }) => name === 'new routes')?.recordsOut;
const transactions = operators.find(({ name }) => name === 'write')?.metrics?.counters['transactions'];
console.log(`${recordsIn} flights, ${routes} routes, ${transactions} transactions`);
