import { FileSource, type LocalEnvironment, count, definePipeline } from '../../../ts/index.ts';
import { Burn, type ElasticArgs, Signals, type Taken } from './elastic.ts';

/** What came out of each branch, in the main thread. */
export const branches = {
  async: [] as number[],
  batches: [] as number[][],
  pairs: [] as number[],
  dead: [] as number[],
  perRemainder: [] as { readonly key: number; readonly n: number }[],
};

/** Whether the function fails at a record. */
export function isBad(n: number): boolean {
  return n % 10_000 === 7;
}

/** One elastic stage with operators of many kinds, another behind a rebalance, and state behind both. */
export const elasticOperators = definePipeline(import.meta.url, (env: LocalEnvironment, { path, burnMs, signals, lives }: ElasticArgs) => {
  const threads = new Set<number>();
  const burnt = env.fromSource(FileSource.textLines(path)).map(Burn, burnMs, signals, lives);
  burnt.sink(({ thread }) => {
    threads.add(thread);
    if (threads.size > 1) new Signals(signals).enough();
  });
  const checked = burnt
    .map(({ n }: Taken) => {
      if (isBad(n)) throw new Error(`${n} is bad`);
      return n;
    })
    .onError('deadLetter');
  checked.deadLetters().map(({ record }) => (record as Taken).n).sink(branches.dead);
  checked.mapAsync(async (n) => Promise.resolve(n + 1), { concurrency: 8 }).sink(branches.async);
  checked.batch({ max: 10 }).sink(branches.batches);
  checked.filter((n) => n % 2 === 0).flatMap((n) => [n, -n]).rebalance().map((n) => n).sink(branches.pairs);
  checked.keyBy((n) => n % 5).parallelism(1).aggregate({ n: count() }).sink(branches.perRemainder);
});
