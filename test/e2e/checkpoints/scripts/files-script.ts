// A job from a file to files that goes on from its newest checkpoint, and says what it has written: its parent kills it.
import { writeSync } from 'node:fs';

import { FileSource, JsonLinesSink, LocalEnvironment, ParquetSink } from '../../../../ts/index.ts';

const [format = '', source = '', out = '', dir = '', instances = '1'] = process.argv.slice(2);

interface Row {
  readonly n: number;
}

/** Takes so long that there is time for some checkpoints. */
function slowly(row: Row): Row {
  const until = performance.now() + 0.01;
  while (performance.now() < until);
  return { n: row.n };
}

const env = new LocalEnvironment('killed', { parallelism: Number(instances), checkpoint: { dir, intervalMs: 5 } });
const sink = format === 'parquet' ? new ParquetSink(out, { mkdir: true }) : new JsonLinesSink(out, { mkdir: true });
env.fromSource(format === 'parquet' ? FileSource.parquet<Row>(source) : FileSource.csv<Row>(source)).map(slowly).sink(sink);
const job = await env.submit({ from: 'latest' });
const say = (what: string): void => void writeSync(1, `${what}\n`);
say(`restored ${job.metrics().checkpoints?.restoredEpoch ?? 0}`);
let said = 0;
const watch = setInterval(() => {
  const completed = job.metrics().checkpoints?.completed ?? 0;
  for (; said < completed; said++) say('epoch');
}, 1);
const { status, recordsIn } = await job.completion;
clearInterval(watch);
say(`${status} ${recordsIn}`);
