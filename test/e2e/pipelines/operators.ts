import { threadId } from 'node:worker_threads';

import { type ErrorPolicy, type LocalEnvironment, MapFunction, OutputTag, ProcessFunction, SourceFunction, aggregator, collectList, count, definePipeline } from '../../../ts/index.ts';

/** What arrives in the main thread, by lane. */
export const arrived: Record<'letters' | 'totals' | 'calls' | 'batches' | 'firsts' | 'branches' | 'processed' | 'sides' | 'indexed' | 'limited' | 'aggregates' | 'quiet', unknown[]> = {
  letters: [],
  totals: [],
  calls: [],
  batches: [],
  firsts: [],
  branches: [],
  processed: [],
  sides: [],
  indexed: [],
  limited: [],
  aggregates: [],
  quiet: [],
};

export const isBad = (n: number): boolean => n % 10 === 3;

/** Fails, with a note of where. */
class Fails extends MapFunction<number, number> {
  execute(n: number): number {
    if (isBad(n)) throw Object.assign(new RangeError(`bad ${n}`), { code: `E${threadId === 0 ? 'MAIN' : 'WORKER'}` });
    return n;
  }
}

const tag = new OutputTag<number>('seventh');

class Collects extends ProcessFunction<number, string> {
  #n = 0;
  async execute(n: number): Promise<void> {
    this.#n++;
    if (n % 7 === 0) this.output(tag, n);
    await Promise.resolve();
    this.collect(`${String(this.ctx.key)} ${n}`);
  }
  override finish(): void {
    this.collect(`finished ${this.#n}`);
  }
}

/** Two records for each instance, and nothing more. */
class Quiet extends SourceFunction<number> {
  #n = 0;
  execute(): number | undefined {
    return this.#n < 2 ? this.#n++ : undefined;
  }
}

class Endless extends SourceFunction<number> {
  #n = 0;
  execute(): number {
    return this.#n++;
  }
}

export interface OperatorsArgs {
  readonly records: number;
  readonly parallelism: number;
}

/** All operators behind exchanges, keyed and not, in one job: starting threads is what takes time. */
export const operators = definePipeline(import.meta.url, (env: LocalEnvironment, { records, parallelism }: OperatorsArgs) => {
  const source = env.fromCollection(Array.from({ length: records }, (_, n) => n)).parallelism(parallelism);
  const keyed = source.keyBy((n) => n % 5).parallelism(parallelism);

  const tolerant = keyed.map(Fails).onError('deadLetter').named('tolerant');
  tolerant.aggregate({ n: count() }).sink(arrived.totals);
  tolerant.deadLetters<number>().sink(arrived.letters);

  // oxlint-disable-next-line unicorn/no-thenable -- the name of the setting; a word is no function
  const retried: ErrorPolicy = { retry: 2, backoffMs: 0, then: 'skip' };
  keyed.mapAsync(async (n, { attempt, key }) => (attempt === 1 && n % 3 === 0 ? Promise.reject(new Error('again')) : [n, key, attempt]), { concurrency: 4, ordered: false }).onError(retried).named('calls').sink(arrived.calls);
  keyed.batch({ max: 7 }).named('batches').sink(arrived.batches);
  keyed.dedup((n) => n % 20).named('firsts').sink(arrived.firsts);
  keyed
    .route((n) => (n % 2 === 0 ? 'even' : n % 9 === 0 ? ['odd', 'nine'] : 'odd'), { even: (s) => s.map((n) => `even ${n}`), nine: (s) => s.map((n) => `nine ${n}`), default: (s) => s.map((n) => `odd ${n}`) })
    .sink(arrived.branches);
  const processed = keyed.process(Collects).named('processed');
  processed.sink(arrived.processed);
  processed.sideOutput(tag).sink(arrived.sides);
  source.rebalance().zipWithIndex().parallelism(parallelism).named('indexed').sink(arrived.indexed);
  keyed.limit(4).named('limited').sink(arrived.limited);
  const checked = aggregator({ init: () => 0, add: (a: number, n: number) => (isBad(n) ? new Fails().execute(n) : a + n), result: (a) => a });
  keyed.aggregate({ list: collectList(), checked }).onError('skip').named('aggregates').sink(arrived.aggregates);
});

/** An endless source in each worker, a limit behind the exchange. */
export const limited = definePipeline(import.meta.url, (env: LocalEnvironment, { parallelism }: OperatorsArgs) => {
  env.fromSource(Endless, { unbounded: true }).parallelism(parallelism).map((n) => n * 2).limit(50).sink(arrived.limited);
});

/** An endless flatMap in each worker. */
export const limitedResults = definePipeline(import.meta.url, (env: LocalEnvironment, { parallelism }: OperatorsArgs) => {
  env
    .fromCollection([1, 2, 3, 4])
    .parallelism(parallelism)
    .flatMap(function* () {
      for (let n = 0; ; n++) yield n;
    })
    .limit(50)
    .sink(arrived.limited);
});

/** A source in workers that has gone quiet; batches have to come all the same. */
export const quiet = definePipeline(import.meta.url, (env: LocalEnvironment, { parallelism }: OperatorsArgs) => {
  env.fromSource(Quiet, { unbounded: true }).parallelism(parallelism).batch({ max: 100, waitMs: 5 }).parallelism(parallelism).sink(arrived.quiet);
});
