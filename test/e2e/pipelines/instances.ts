import { threadId } from 'node:worker_threads';

import { type LocalEnvironment, SinkFunction, SourceFunction, END, type End, FlatMapFunction, definePipeline } from '../../../ts/index.ts';

/** A record with the instances that it came through. */
export interface Visit {
  readonly source: number;
  readonly n: number;
  readonly middle: readonly [index: number, parallelism: number, label: string, opened: number, own: number];
  readonly thread: number;
}

/** Divides its work by the index of its instance, as a class that is a source may. */
class Share extends SourceFunction<{ source: number; n: number }> {
  readonly #upTo: number;
  #n = -1;

  constructor(upTo: number) {
    super();
    this.#upTo = upTo;
  }

  override open(): void {
    this.#n = this.ctx.parallelIndex;
  }

  execute(): { source: number; n: number } | End | undefined {
    const n = this.#n;
    if (n >= this.#upTo) return END;
    this.#n += this.ctx.parallelism;
    return { source: this.ctx.parallelIndex, n };
  }
}

class Middle extends FlatMapFunction<{ source: number; n: number }, Visit> {
  readonly #options: { label: string; when: Date; map: Map<string, number> };
  #opened = 0;
  #own = 0;

  constructor(options: { label: string; when: Date; map: Map<string, number> }) {
    super();
    this.#options = options;
  }

  override async open(): Promise<void> {
    await Promise.resolve();
    this.#opened++;
  }

  execute(record: { source: number; n: number }): void {
    const { label, when, map } = this.#options;
    const { parallelIndex, parallelism } = this.ctx;
    const text = `${label} ${when.getTime()} ${map.get('a')}`;
    this.collect({ ...record, middle: [parallelIndex, parallelism, text, this.#opened, ++this.#own], thread: threadId });
  }
}

/** Counts of a shared array buffer: slot 0 opens, 1 records, 2 closes, 3 and up records of each instance. */
class Count extends SinkFunction<Visit> {
  readonly #counts: Int32Array;

  constructor(counts: SharedArrayBuffer) {
    super();
    this.#counts = new Int32Array(counts);
  }

  override open(): void {
    Atomics.add(this.#counts, 0, 1);
  }

  execute(): void {
    Atomics.add(this.#counts, 1, 1);
    Atomics.add(this.#counts, 3 + this.ctx.parallelIndex, 1);
  }

  override close(): void {
    Atomics.add(this.#counts, 2, 1);
  }
}

/** What came out, in the main thread. */
export const visits: Visit[] = [];

/** Arguments of the pipeline; `counts` is shared with the sinks in the workers. */
export interface InstancesArgs {
  readonly upTo: number;
  readonly sources: number;
  readonly middles: number;
  readonly sinks: number;
  readonly counts: SharedArrayBuffer;
}

export const instances = definePipeline(import.meta.url, (env: LocalEnvironment, args: InstancesArgs) => {
  const { upTo, sources, middles, sinks, counts } = args;
  env
    .fromSource(Share, upTo)
    .parallelism(sources)
    .flatMap(Middle, { label: 'middle', when: new Date(5), map: new Map([['a', 1]]) })
    .parallelism(middles)
    .sink(visits)
    .sink(Count, { args: [counts], parallelism: sinks });
});
