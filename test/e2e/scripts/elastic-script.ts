// The script form with 'auto': this file is run again by a worker that is started while the job runs.
import { threadId } from 'node:worker_threads';

import { FileSource, LocalEnvironment } from '../../../ts/index.ts';

const env = new LocalEnvironment('elastic script', { parallelism: 'auto' });
const seen: { readonly n: number; readonly thread: number }[] = [];
const threads = new Set<number>();
env
  .fromSource(FileSource.textLines(process.argv[2]!))
  .map((line) => {
    const untilMs = performance.now() + 0.2;
    while (performance.now() < untilMs);
    return { n: Number(line), thread: threadId };
  })
  .sink((record) => {
    seen.push(record);
    threads.add(record.thread);
    // A thread more has come, and has given something: that is all that is to be seen.
    if (threads.size === 2) void job.stop();
  });
const job = await env.submit();
// What is added now belongs to the next job, and is none of the late worker's business.
env.fromCollection([1]).sink(() => undefined);
const { isolates, status, scaling, recordsIn, recordsOut } = await job.completion;
console.log(JSON.stringify({ isolates, status, instances: scaling.map(({ instances }) => instances), once: new Set(seen.map(({ n }) => n)).size === seen.length, recordsIn, recordsOut }));
