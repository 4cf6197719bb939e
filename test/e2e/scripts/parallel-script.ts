// The script form: workers run this file again up to `submit`; what is behind it runs once, in the main thread.
import { threadId } from 'node:worker_threads';

import { LocalEnvironment, MapFunction, count, isWorker } from '../../../ts/index.ts';

const parallelism = Number(process.argv[2]);

interface Found {
  readonly n: number;
  readonly thread: number;
  readonly argument: string | undefined;
  readonly setting: string;
}

class Where extends MapFunction<number, Found> {
  execute(n: number): Found {
    return { n, thread: threadId, argument: process.argv[2], setting: (this.ctx.config['describe'] as () => string)() };
  }
}

// Each thread makes its settings itself, so that they need not be cloneable.
const env = new LocalEnvironment('script', { parallelism, describe: () => 'a function' });
const records: Found[] = [];
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
    threads: new Set(records.map(({ thread }) => thread)).size,
    arguments: [...new Set(records.map(({ argument }) => argument))],
    settings: [...new Set(records.map(({ setting }) => setting))],
    groups: groups.toSorted((a, b) => a.key - b.key),
  }),
);

// A second job of the same program cannot be built again in a worker: its instances stay here, with the same results.
const second = new LocalEnvironment('second', { parallelism });
const again: number[] = [];
second.fromCollection([1, 2, 3, 4]).map((n) => n * 2).sink(again);
const { isolates } = await second.submit({ autostop: true });
console.log(JSON.stringify({ isolates, again: again.toSorted((a, b) => a - b) }));
