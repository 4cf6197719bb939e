// A job that takes readings at a steady pace, with work for 70 % of a processor, and goes on from its newest checkpoint. Its parent kills it.
import { appendFileSync, readdirSync, readFileSync, writeSync } from 'node:fs';

import { END, JsonLinesSink, LocalEnvironment, MapFunction, type Seekable, SourceFunction } from '../../../ts/index.ts';

/** What the process is told. */
export interface SoakedArgs {
  /** Epoch milliseconds from which on there are no more readings. */
  readonly untilMs: number;
  readonly perSecond: number;
  readonly dir: string;
  readonly out: string;
  /** A line of `Held` each half second. */
  readonly log: string;
}

const { untilMs, perSecond, dir, out, log } = JSON.parse(process.argv[2]!) as SoakedArgs;
const LOAD = 0.7;
const KEYS = 100;
const startedMs = performance.now();

class Paced extends SourceFunction<number> implements Seekable<number> {
  #next = 0;
  #first = 0;
  execute(): number | typeof END | undefined {
    if (Date.now() >= untilMs) return END;
    const due = this.#first + ((performance.now() - startedMs) / 1000) * perSecond;
    return this.#next < due ? this.#next++ : undefined;
  }
  position(): number {
    return this.#next;
  }
  seek(position: number): void {
    this.#next = this.#first = position;
  }
}

/** Numbers the readings of each key. */
class Numbered extends MapFunction<number, { readonly n: number; readonly place: number }> {
  execute(n: number): { readonly n: number; readonly place: number } {
    const endMs = performance.now() + (LOAD * 1000) / perSecond;
    while (performance.now() < endMs);
    return { n, place: this.ctx.state.value('place', { default: 0 }).update((place) => place + 1) };
  }
}

const env = new LocalEnvironment('soak', { checkpoint: { dir, intervalMs: 1000 } });
env.fromSource(Paced).uid('readings').keyBy((n) => n % KEYS).map(Numbered).uid('numbered').sink(new JsonLinesSink(out, { maxFileRows: 50_000 })).uid('out');
setInterval(() => {
  const threads = Number(/^Threads:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
  appendFileSync(log, `${JSON.stringify({ residentBytes: process.memoryUsage().rss, files: readdirSync('/proc/self/fd').length, threads })}\n`);
}, 500).unref();
writeSync(1, 'up\n');
await env.submit({ autostop: true, from: 'latest' });
