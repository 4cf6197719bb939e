import { graphOf } from './edit-graph.ts';
import { formatGraphName, parseGraphName } from './graph-name.ts';
import { printGraph } from './print-graph.ts';
import { type RunFailure, runFailure } from './run-failure.ts';
import type { RunGraphs } from './run-graphs.ts';
import { type Shrunk, shrinkGraph } from './shrink-graph.ts';

/** How much time and how many runs it is worth to explain a failure. */
export interface ExplainBounds {
  /** One job of one graph is cancelled then. */
  readonly maxRunMs: number;
  /** No graph of the job is tried alone later than that. */
  readonly maxAloneMs: number;
  readonly maxShrinkMs: number;
  readonly maxCandidates: number;
}

export const EXPLAIN_BOUNDS: ExplainBounds = { maxRunMs: 10_000, maxAloneMs: 20_000, maxShrinkMs: 20_000, maxCandidates: 150 };

/**
 * Explains why a job of some graphs failed, for whoever reads the test's output: which graphs fail alone, run in the same way, and
 * for the first of them a graph as small as could be found that fails in that way too. A graph with edits is left as it is.
 */
export async function explainFailure(graphs: readonly string[], failure: RunFailure, run: RunGraphs, bounds: ExplainBounds = EXPLAIN_BOUNDS): Promise<string> {
  const [only] = graphs;
  if (graphs.length === 1 && only !== formatGraphName({ ...parseGraphName(only!), drop: [], plain: [], rows: [] })) {
    return `${replay(only!)} fails, ${failure.kind}:\n${failure.text}\nthe pipeline:\n${printed(only!)}`;
  }
  const { alone, untried } = await failAlone(graphs, run, bounds);
  const [first] = alone;
  if (first === undefined) return notAlone(graphs, failure, untried, run, bounds);
  const shrunk = await shrink(first, run, bounds);
  return [
    `${alone.length} of ${graphs.length} graphs fail alone: ${alone.map(({ graph }) => graph).join(' ')}${untried.length > 0 ? ` (not tried: ${untried.join(' ')})` : ''}`,
    await shrunkText(first, shrunk, run, bounds),
    ...(first.failure.kind === failure.kind ? [] : [`together they failed in another way, ${failure.kind}:`, failure.text]),
  ].join('\n');
}

interface FailedAlone {
  readonly graph: string;
  readonly failure: RunFailure;
}

async function failAlone(graphs: readonly string[], run: RunGraphs, { maxRunMs, maxAloneMs }: ExplainBounds): Promise<{ alone: FailedAlone[]; untried: string[] }> {
  const endsAt = performance.now() + maxAloneMs;
  const alone: FailedAlone[] = [];
  for (const [n, graph] of graphs.entries()) {
    if (performance.now() > endsAt) return { alone, untried: graphs.slice(n) };
    const failure = await runFailure(run, [graph], maxRunMs);
    if (failure !== undefined) alone.push({ graph, failure });
  }
  return { alone, untried: [] };
}

/** A failure that needs the whole group, or does not come each time. */
async function notAlone(graphs: readonly string[], failure: RunFailure, untried: readonly string[], run: RunGraphs, { maxRunMs }: ExplainBounds): Promise<string> {
  const again = await runFailure(run, graphs, maxRunMs * 2);
  const verdict = again === undefined ? 'nor do they fail together in a second run: it is flaky' : `but together they fail again, ${again.kind}`;
  const tried = untried.length === 0 ? 'none of them fails alone' : `none of them fails alone (not tried: ${untried.join(' ')})`;
  return `the graphs ${graphs.join(' ')} failed in one job, ${failure.kind}; ${tried}, ${verdict}\n${failure.text}\nthe pipelines:\n${graphs.map((graph) => `${graph}:\n${printed(graph)}`).join('\n')}`;
}

interface ShrunkFailure extends Shrunk {
  readonly failure: RunFailure;
}

async function shrink({ graph, failure }: FailedAlone, run: RunGraphs, { maxRunMs, maxShrinkMs, maxCandidates }: ExplainBounds): Promise<ShrunkFailure> {
  let smallest = failure;
  const fails = async (candidate: string): Promise<boolean> => {
    const other = await runFailure(run, [candidate], maxRunMs);
    // Another failure is not the one that somebody looks for.
    if (other?.kind !== failure.kind) return false;
    smallest = other;
    return true;
  };
  const shrunk = await shrinkGraph(parseGraphName(graph), (name) => fails(formatGraphName(name)), { maxCandidates, maxMs: maxShrinkMs });
  return { ...shrunk, failure: smallest };
}

async function shrunkText({ graph }: FailedAlone, { name, candidates, stopped, failure }: ShrunkFailure, run: RunGraphs, { maxRunMs }: ExplainBounds): Promise<string> {
  const smallest = formatGraphName(name);
  const again = await runFailure(run, [smallest], maxRunMs);
  const isFlaky = again?.kind !== failure.kind;
  const [before, after] = [graphOf(graph), graphOf(smallest)];
  const why = stopped === 'minimum' ? 'nothing more can go' : stopped === 'time' ? 'stopped, time was up' : 'stopped, there are enough';
  return [
    `graph ${graph} shrunk from ${before.length} steps to ${after.length} in ${candidates} candidates (${why}): ${replay(smallest)}`,
    ...(isFlaky ? ['it failed once and, run once more, did not fail in that way: it is flaky'] : []),
    `before:\n${printGraph(before)}`,
    `after:\n${printGraph(after)}`,
    `what is wrong with the shrunk one, ${failure.kind}:\n${(isFlaky ? failure : again).text}`,
  ].join('\n');
}

const replay = (graph: string): string => `SAGE_PROPERTY_SEED=${graph}`;

const printed = (graph: string): string => printGraph(graphOf(graph));
