/** How warm three rooms are: a pipeline in one file. */
import { avg, count, LocalEnvironment, max } from 'sage-kernel';

interface Reading {
  readonly room: string;
  readonly celsius: number;
}

const ROOMS = ['cellar', 'kitchen', 'study'] as const;

/** Stands for your source: an array, an iterable, a stream, a file, or a function that gives one record a call. */
function* readings(): Generator<Reading> {
  for (let n = 0; n < 3_000; n++) yield { room: ROOMS[n % 3]!, celsius: 10 + (n % 3) * 5 + (n % 4) };
}

const env = new LocalEnvironment('rooms');

env
  .fromSource(readings)
  .filter((reading) => reading.celsius > 10)
  .keyBy('room')
  .aggregate({ readings: count(), mean: avg('celsius'), warmest: max('celsius') })
  .sink(({ key, readings, mean, warmest }) => console.log(`${key}: ${readings} readings, ${mean?.toFixed(1)} on average, at most ${warmest}`));

const result = await env.submit({ autostop: true });
console.log(`${result.recordsIn} readings, ${result.status}`);
