import { FileSource, type LocalEnvironment, count, definePipeline, sum } from '../../../ts/index.ts';

/** A record of the file. */
export interface Sale {
  readonly shop: string;
  readonly price: number;
}

/** What came out, in the main thread. */
export const perShop: { readonly key: string; readonly sales: number; readonly total: number }[] = [];

/** Keyed sums of a file, as everybody writes them. */
export const autoKeys = definePipeline(import.meta.url, (env: LocalEnvironment, { path }: { readonly path: string }) => {
  env
    .fromSource(FileSource.jsonLines<Sale>(path))
    .filter(({ price }) => price >= 0)
    .keyBy(({ shop }) => shop)
    .aggregate({ sales: count(), total: sum(({ price }: Sale) => price) })
    .sink(perShop);
});
