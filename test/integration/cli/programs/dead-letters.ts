/** Writes what fails to a file of dead letters. Arguments: folder, `broken` or `mended`, and the name of the output. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { count, JsonLinesSink, LocalEnvironment, MapFunction, tumbling } from '../../../../ts/index.ts';

interface Reading {
  readonly sensor: string;
  readonly at: number;
  readonly value: string;
}

const [folder = '.', state = 'broken', output = 'counts.jsonl'] = process.argv.slice(2);

class Parse extends MapFunction<Reading, { readonly sensor: string; readonly value: number }> {
  execute({ sensor, value }: Reading): { readonly sensor: string; readonly value: number } {
    // The key is that of the record, also when it is fed in again.
    if (this.ctx.key !== sensor) throw new Error(`key ${String(this.ctx.key)} of a record of ${sensor}`);
    const number = Number(state === 'mended' ? value.replace(',', '.') : value);
    if (Number.isNaN(number)) throw new RangeError(`'${value}' is no number`);
    return { sensor, value: number };
  }
}

const readings = readFileSync(join(folder, 'readings.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Reading);
const env = new LocalEnvironment('readings');
const parsed = env
  .fromCollection(readings)
  .assignTimestamps(({ at }) => at, { outOfOrdernessMs: 0 })
  .keyBy('sensor')
  .map(Parse)
  .named('parse')
  .onError('deadLetter');
parsed.deadLetters().sink(new JsonLinesSink(join(folder, 'rejected.jsonl')));
parsed
  .keyBy(({ sensor }) => sensor)
  .window(tumbling('10s'))
  .aggregate({ n: count() })
  .sink(new JsonLinesSink(join(folder, output)));
await env.submit({ autostop: true });
