import { type LocalEnvironment, definePipeline } from '../../../ts/index.ts';
import { buildGraph } from '../random/build.ts';
import { type Row, randomGraph } from '../random/graph.ts';

/** Arrays of the sinks by seed, filled in the main thread. */
export const sinksOf = new Map<number, Row[][]>();

/** The random pipelines of some seeds side by side in one job; every worker builds them again from the seeds. */
export function buildSeeds(env: LocalEnvironment, seeds: readonly number[], serial: boolean): void {
  for (const seed of seeds) {
    const sinks: Row[][] = [];
    sinksOf.set(seed, sinks);
    buildGraph(env, `${seed}.`, randomGraph(seed), sinks, serial);
  }
}

export const randomGraphs = definePipeline(import.meta.url, (env: LocalEnvironment, args: { seeds: readonly number[] }) => {
  buildSeeds(env, args.seeds, false);
});
