/**
 * A stream joined with a small table by hand: the table is read first, into a Map, and each record looks up its row. That is all
 * a join needs when one side fits in memory and does not change.
 *
 *     node examples/join-by-map/main.ts
 *
 * Reads `flights-20k.json` and `airports.csv` of `vega-datasets`; prints the states with the most departures, and their mean delay.
 */
import { readFileSync } from 'node:fs';

import { FileSource, LocalEnvironment, avg, count, topN } from 'sage-kernel';

import { vegaDataset } from '../vega-dataset.ts';

interface Flight {
  readonly origin: string;
  /** Minutes. */
  readonly delay: number;
}

const stateOf = new Map<string, string>();
const table = new LocalEnvironment('airports');
table
  .fromSource(FileSource.textLines(vegaDataset('airports.csv')))
  .filter((line) => !line.startsWith('iata,'))
  // Names may have commas in quotes; what is needed stands before and behind them.
  .sink((line) => void stateOf.set(line.split(',')[0]!, line.split(',').at(-4)!));
await table.submit({ autostop: true });

const flights = JSON.parse(readFileSync(vegaDataset('flights-20k.json'), 'utf8')) as Flight[];

const env = new LocalEnvironment('departures');
const top: { states: { key: string; flights: number; mean: number | null }[] }[] = [];
env
  .fromCollection(flights)
  // `undefined` drops a flight from an airport that the table does not have, and counts it.
  .map(({ origin, delay }) => (stateOf.has(origin) ? { state: stateOf.get(origin)!, delay } : undefined))
  .named('with state')
  .keyBy('state')
  .aggregate({ flights: count(), mean: avg('delay') })
  .aggregate({ states: topN(5, 'flights') })
  .sink(top);

const result = await env.submit({ autostop: true });
for (const { key, flights, mean } of top[0]!.states) console.log(`${key}: ${flights} flights, ${mean?.toFixed(1)} minutes late`);
console.log(`${stateOf.size} airports, ${result.recordsIn} flights, ${result.recordsDropped} without a state`);
