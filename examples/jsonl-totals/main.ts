/**
 * The first program: totals for each auction of the bids in a JSON lines file, on two worker threads.
 *
 *     node examples/jsonl-totals/main.ts
 *
 * Writes its small input first; everything is in `out/jsonl-totals`.
 */
import { mkdirSync } from 'node:fs';

import { FileSource, JsonLinesSink, LocalEnvironment, avg, count, isWorker, sum } from 'sage-kernel';

import { writeBids } from './write-bids.ts';

interface Bid {
  auction: number;
  bidder: number;
  price: number;
  channel: string;
  dateTime: number;
}

const folder = 'out/jsonl-totals';
// Worker threads run this file too, up to its submit: what must happen once asks where it is.
if (!isWorker()) {
  mkdirSync(folder, { recursive: true });
  writeBids(`${folder}/bids.jsonl`, 10_000);
}

const env = new LocalEnvironment('bids', { parallelism: 2 });

env
  .fromSource(FileSource.jsonLines<Bid>(`${folder}/bids.jsonl`))
  .filter((bid) => bid.price > 100)
  .keyBy((bid) => bid.auction)
  .aggregate({ bids: count(), total: sum('price'), mean: avg('price') })
  .sink(new JsonLinesSink(`${folder}/totals.jsonl`));

const result = await env.submit({ autostop: true });
console.log(`${result.recordsIn} bids, ${result.recordsOut} auctions, ${result.isolates} isolates`);
