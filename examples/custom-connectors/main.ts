/**
 * A source and a sink of your own, as classes with arguments, fields, `open`, `close` and metrics: readings of ten sensors, and a file
 * for each of them.
 *
 *     node examples/custom-connectors/main.ts
 *
 * Writes `out/custom-connectors/sensor-0.tsv` and so on.
 */
import { LocalEnvironment } from 'sage-kernel';

import { LinesBySensor } from './lines-by-sensor.ts';
import { RandomWalk } from './random-walk.ts';

const env = new LocalEnvironment('sensors');

env.fromSource(RandomWalk, 10, 200, 42).named('sensors').sink(LinesBySensor, { args: ['out/custom-connectors'] }).named('files');

const { recordsIn, operators } = await env.submit({ autostop: true });
const metrics = operators.find(({ name }) => name === 'files')?.metrics;
const distance = metrics?.histograms['distance'];
console.log(`${recordsIn} readings, ${metrics?.counters['bytes']} bytes in ${metrics?.gauges['open files']?.[0]} files`);
console.log(`farthest from zero: ${distance?.max}, on average ${((distance?.sum ?? 0) / (distance?.count ?? 1)).toFixed(2)}`);
