/** Pipelines that are exported and do nothing by themselves. */
import { count, definePipeline, type LocalEnvironment } from '../../../../ts/index.ts';

interface Args {
  readonly upTo?: number;
}

export const remainders = definePipeline(import.meta.url, (env: LocalEnvironment, { upTo = 100 }: Args) => {
  env
    .fromCollection(Array.from({ length: upTo }, (_, n) => ({ n, remainder: n % 7 })))
    .filter((record) => record.n >= 0)
    .keyBy('remainder')
    .aggregate({ records: count() })
    .print();
});

export const failing = definePipeline(import.meta.url, (env: LocalEnvironment) => {
  env
    .fromCollection([1, 2, 3])
    .map((n) => {
      if (n === 2) throw new RangeError('two is not allowed');
      return n;
    })
    .named('picky')
    .sink(() => undefined);
});

export const unfinished = definePipeline(import.meta.url, (env: LocalEnvironment) => {
  env.fromCollection([1, 2, 3]).map((n) => n + 1);
});
