import { BaseCoMapFunction, type FunctionContext, type LocalEnvironment, MapFunction, definePipeline } from '../../../ts/index.ts';

/** How often a key had come. */
export interface CountedWord {
  readonly key: string;
  readonly times: number;
  readonly instance: number;
}

/** What came out, in the main thread. */
export const counted: { map: CountedWord[]; comap: CountedWord[] } = { map: [], comap: [] };

function count({ state, key, parallelIndex }: FunctionContext): CountedWord {
  return { key: key as string, times: state.value('times', { default: 0 }).update((n) => n + 1), instance: parallelIndex };
}

class Counts extends MapFunction<unknown, CountedWord> {
  execute(): CountedWord {
    return count(this.ctx);
  }
}

class CountsBoth extends BaseCoMapFunction {
  map0(_: number): CountedWord {
    return count(this.ctx);
  }
  map1(_: number): CountedWord {
    return count(this.ctx);
  }
}

/** Counters for each key, by a map and by a comap. */
export const states = definePipeline(import.meta.url, (env: LocalEnvironment, { records, upstream, downstream }: { records: number; upstream: number; downstream: number }) => {
  const stream = env
    .fromCollection(Array.from({ length: records }, (_, n) => n))
    .map((n) => n)
    .parallelism(upstream);
  const keyed = stream.keyBy((n) => `k${n % 11}`).parallelism(downstream);
  keyed.map(Counts).sink(counted.map);
  keyed.connect(stream.keyBy((n) => `k${n % 11}`)).comap(CountsBoth).parallelism(downstream).sink(counted.comap);
});
