import { type LocalEnvironment, definePipeline } from '../../../ts/index.ts';
import { type Instances, buildGraph } from '../random/build.ts';
import { graphOf } from '../random/edit-graph.ts';
import { operatorPrefix } from '../random/graph-name.ts';
import type { Row } from '../random/graph.ts';

/** Arrays of the sinks by graph, filled in the main thread. */
export const sinksOf = new Map<string, Row[][]>();

/** The random pipelines of some texts side by side in one job; every worker builds them again from the texts. */
export function buildGraphs(env: LocalEnvironment, graphs: readonly string[], instances: Instances): void {
  for (const graph of graphs) {
    const sinks: Row[][] = [];
    sinksOf.set(graph, sinks);
    buildGraph(env, operatorPrefix(graph), graphOf(graph), sinks, instances);
  }
}

export const randomGraphs = definePipeline(import.meta.url, (env: LocalEnvironment, args: { graphs: readonly string[]; instances: Instances }) => {
  buildGraphs(env, args.graphs, args.instances);
});
