import { type LocalEnvironment, aggregator, collectList, count, definePipeline, first, sum } from '../../../ts/index.ts';
import { KEY_KINDS, type KeyKind } from './keys.ts';

/** Keyed aggregates of all forms behind one keyBy. */
export interface KeyedStateArgs {
  readonly records: number;
  readonly upstream: number;
  readonly downstream: number;
  readonly keys: KeyKind;
  readonly emit: 'final' | 'update';
}

/** What came out, in the main thread. */
export const outputs: { native: unknown[]; user: unknown[]; reduced: unknown[]; global: unknown[] } = { native: [], user: [], reduced: [], global: [] };

export const keyedState = definePipeline(import.meta.url, (env: LocalEnvironment, args: KeyedStateArgs) => {
  const { records, upstream, downstream, keys, emit } = args;
  const keyOf = KEY_KINDS[keys];
  const source = env
    .fromCollection(Array.from({ length: records }, (_, n) => ({ n, list: [n] })))
    .parallelism(upstream)
    .map((record) => (record.n % 97 === 0 ? Promise.resolve(record) : record))
    .parallelism(upstream);
  // Two keyBys: one whose records go to one aggregate of the core alone, one that is shared.
  source.keyBy(({ n }) => keyOf(n)).parallelism(downstream).aggregate({ n: count(), total: sum('n') }, { emit }).sink(outputs.native);
  const keyed = source.keyBy(({ n }) => keyOf(n)).parallelism(downstream);
  const longest = aggregator({ init: () => 0, add: (a: number, record: { n: number }) => Math.max(a, record.n), result: (a) => a });
  keyed.aggregate({ all: collectList('n'), first: first('n'), longest }, { emit }).sink(outputs.user);
  keyed.reduce((a, b) => ({ n: a.n, list: [...a.list, ...b.list] }), { emit }).sink(outputs.reduced);
  source.aggregate({ n: count(), total: sum('n') }).sink(outputs.global);
});
