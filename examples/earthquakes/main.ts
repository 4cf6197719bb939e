/**
 * A running aggregate by key: earthquakes of a week in the order in which they happened, and for each region, after each of
 * them, how many there were and the strongest so far. Where a region has a new record, a line is printed.
 *
 *     node examples/earthquakes/main.ts
 *
 * Reads `earthquakes.json` (USGS) of `vega-datasets`; writes every update to `out/earthquakes/updates.jsonl`.
 */
import { readFileSync } from 'node:fs';

import { JsonLinesSink, LocalEnvironment, count, last, max } from 'sage-kernel';

import { vegaDataset } from '../vega-dataset.ts';

interface Feature {
  readonly properties: { readonly mag: number; readonly place: string; readonly time: number };
}

const { features } = JSON.parse(readFileSync(vegaDataset('earthquakes.json'), 'utf8')) as { features: Feature[] };
const quakes = features
  .map(({ properties: { mag, place, time } }) => ({ region: place.split(', ').at(-1)!, mag, time }))
  .toSorted((a, b) => a.time - b.time);

const env = new LocalEnvironment('earthquakes');

env
  .fromCollection(quakes)
  .keyBy('region')
  .aggregate({ quakes: count(), strongest: max('mag'), latest: last('mag'), time: last('time') }, { emit: 'update' })
  .sink(new JsonLinesSink('out/earthquakes/updates.jsonl', { mkdir: true }))
  // Only what is strong, and as strong as its region has seen.
  .filter(({ strongest, latest }) => latest !== null && latest === strongest && latest >= 6)
  .sink(({ key, quakes, strongest, time }) => console.log(`${new Date(time!).toISOString()} ${key}: ${strongest} (earthquake ${quakes} of the week)`));

const result = await env.submit({ autostop: true });
console.log(`${result.recordsIn} earthquakes`);
