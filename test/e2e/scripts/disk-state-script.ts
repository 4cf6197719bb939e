// Two worker threads that count records by key, with state on disk and memory for no key.
import { readdirSync } from 'node:fs';
import { threadId } from 'node:worker_threads';

import { END, KeyedProcessFunction, LocalEnvironment, SourceFunction, type ValueState, isWorker } from '../../../ts/index.ts';

const KEYS = 4_000;
const ROUNDS = 3;
const isEndless = process.argv.includes('endless');

class Numbers extends SourceFunction<number> {
  #n = 0;
  execute(): number | typeof END {
    return isEndless || this.#n < KEYS * ROUNDS ? this.#n++ % KEYS : END;
  }
}

class Counts extends KeyedProcessFunction<number, number, { key: number; count: number; thread: number }> {
  #count!: ValueState<number, number>;
  override open(): void {
    this.#count = this.ctx.state.value('count', { default: 0 });
  }
  execute(key: number): void {
    this.collect({ key, count: this.#count.update((n) => n + 1), thread: threadId });
  }
}

const last = new Map<number, number>();
const threads = new Set<number>();
let hadDirectory = false;
const env = new LocalEnvironment('counts', { parallelism: 2, state: { kind: 'disk', memoryBytes: 1 } });
env
  .fromSource(Numbers)
  .parallelism(1)
  .keyBy((n) => n)
  .process(Counts)
  .sink(({ key, count, thread }) => {
    if (isEndless && last.size === 0) console.log('running');
    hadDirectory ||= readdirSync(process.env['SAGE_STATE_DIR']!).length > 0;
    last.set(key, count);
    threads.add(thread);
  })
  .inMain();
await env.submit({ autostop: true });
if (!isEndless && !isWorker()) {
  const counts: Record<number, number> = {};
  for (const count of last.values()) counts[count] = (counts[count] ?? 0) + 1;
  console.log(JSON.stringify({ counts, threads: threads.size, hadDirectory }));
}
