// The script form: workers run this file again up to `submit`; what is behind it runs once, in the main thread.
import { threadId } from 'node:worker_threads';

import { LocalEnvironment, MapFunction, count, isWorker } from '../../../ts/index.ts';

const parallelism = Number(process.argv[2]);

class Where extends MapFunction<number, { n: number; thread: number; argument: string | undefined }> {
  execute(n: number): { n: number; thread: number; argument: string | undefined } {
    return { n, thread: threadId, argument: process.argv[2] };
  }
}

const env = new LocalEnvironment('script', { parallelism });
const records: { n: number; thread: number; argument: string | undefined }[] = [];
const groups: { key: number; n: number }[] = [];
const source = env.fromCollection(Array.from({ length: 1000 }, (_, n) => n)).map(Where);
source.sink(records);
source.keyBy(({ n }) => n % 10).aggregate({ n: count() }).sink(groups);
const result = await env.submit({ autostop: true });

console.log(
  JSON.stringify({
    isWorker: isWorker(),
    isolates: result.isolates,
    numbers: records.map(({ n }) => n).toSorted((a, b) => a - b),
    threads: [...new Set(records.map(({ thread }) => thread))].length,
    arguments: [...new Set(records.map(({ argument }) => argument))],
    groups: groups.toSorted((a, b) => a.key - b.key),
  }),
);

// A second job of the same program cannot be built again in a worker: its instances stay here, with the same results.
const second = new LocalEnvironment('second', { parallelism });
const again: number[] = [];
second.fromCollection([1, 2, 3, 4]).map((n) => n * 2).sink(again);
const { isolates } = await second.submit({ autostop: true });
console.log(JSON.stringify({ isolates, again: again.toSorted((a, b) => a - b) }));
