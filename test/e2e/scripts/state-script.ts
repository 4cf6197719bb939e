// Two worker threads that count words by key, while the main thread looks at what they keep.
import { threadId } from 'node:worker_threads';

import { KeyedProcessFunction, LocalEnvironment, SageError, SourceFunction, type ValueState } from '../../../ts/index.ts';

const KEYS = 8;

class Words extends SourceFunction<string> {
  #n = 0;
  execute(): string | undefined {
    // Endless: the job is stopped when everything was seen.
    return this.#n < KEYS * 10 ? `key ${this.#n++ % KEYS}` : undefined;
  }
}

class Counts extends KeyedProcessFunction<string, string, string> {
  #count!: ValueState<{ n: number; thread: number }>;
  override open(): void {
    this.#count = this.ctx.state.value('count');
  }
  execute(): void {
    this.#count.set({ n: (this.#count.get()?.n ?? 0) + 1, thread: threadId });
  }
}

const env = new LocalEnvironment('words', { parallelism: 2 });
env.fromSource(Words).parallelism(1).keyBy((word) => word).process(Counts).uid('counts').print();
const job = await env.submit();
const counts = job.state('counts', 'count');
const found: Record<string, number> = {};
const threads = new Set<number>();
for (let key = 0; key < KEYS; key++) {
  for (;;) {
    const value = (await counts.get(`key ${key}`)) as { n: number; thread: number } | undefined;
    if (value?.n !== 10) continue;
    found[`key ${key}`] = value.n;
    threads.add(value.thread);
    break;
  }
}
const unknownKey = await counts.get('no such key');
const unknownName = await job.state('counts', 'other').get('key 1').catch((error: unknown) => (error instanceof SageError ? error.message : error));
await job.stop();
console.log(JSON.stringify({ found, threads: threads.size, unknownKey: unknownKey === undefined, unknownName }));
