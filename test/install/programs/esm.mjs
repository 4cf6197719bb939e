import { FileSource, JsonLinesSink, LocalEnvironment, count, sum } from 'sage-kernel';

const env = new LocalEnvironment('esm', { parallelism: 2 });
env
  .fromSource(FileSource.jsonLines('bids.jsonl'))
  .filter((bid) => bid.price > 100)
  .keyBy((bid) => bid.auction)
  .aggregate({ bids: count(), total: sum('price') })
  .sink(new JsonLinesSink('totals.jsonl'));
const { isolates, recordsIn } = await env.submit({ autostop: true });
console.log(JSON.stringify({ recordsIn, isolates }));
