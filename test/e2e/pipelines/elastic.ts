import { existsSync, writeFileSync } from 'node:fs';
import { threadId } from 'node:worker_threads';

import { FileSource, type LocalEnvironment, MapFunction, count, definePipeline, sum } from '../../../ts/index.ts';

/** A file of numbers, one a line, and what is done about each. */
export interface ElasticArgs {
  readonly path: string;
  /** How long the function works on a record. */
  readonly burnMs: number;
  /** Once this file is there it works no longer; the sink makes it when records of a second thread arrive. */
  readonly enough: string;
}

/** A number and the thread that took it. */
export interface Taken {
  readonly n: number;
  readonly thread: number;
}

/** Keeps a processor busy, as parsing or compressing does. */
export class Burn extends MapFunction<string, Taken> {
  readonly #burnMs: number;
  readonly #enough: string;
  #isEnough = false;

  constructor(burnMs: number, enough: string) {
    super();
    this.#burnMs = burnMs;
    this.#enough = enough;
  }

  execute(line: string): Taken {
    this.#isEnough ||= existsSync(this.#enough);
    const untilMs = performance.now() + (this.#isEnough ? 0 : this.#burnMs);
    while (performance.now() < untilMs);
    return { n: Number(line), thread: threadId };
  }
}

/** What came out, in the main thread. */
export const taken: Taken[] = [];
export const totals: { readonly count: number; readonly sum: number }[] = [];

/** Reads, burns, and writes to arrays; `parallelism: 'auto'` makes it elastic. */
export function buildElastic(env: LocalEnvironment, { path, burnMs, enough }: ElasticArgs): void {
  const threads = new Set<number>();
  const burnt = env.fromSource(FileSource.textLines(path)).map(Burn, burnMs, enough).named('burn');
  burnt.sink((record) => {
    taken.push(record);
    threads.add(record.thread);
    if (threads.size === 2) writeFileSync(enough, '');
  });
  burnt.aggregate({ count: count(), sum: sum(({ n }: Taken) => n) }).sink(totals);
}

export const elastic = definePipeline(import.meta.url, buildElastic);
