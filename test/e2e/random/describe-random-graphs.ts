import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { PROPERTY_RUNS, shareOfRuns } from '../../property-runs.ts';
import { EXPLAIN_BOUNDS, explainFailure } from './explain-failure.ts';
import { formatGraphName, parseGraphName } from './graph-name.ts';
import { runFailure } from './run-failure.ts';
import { type RunGraphs, inMain, inWorkers, unfused, whileWorkersCome } from './run-graphs.ts';

const SEED = process.env['SAGE_PROPERTY_SEED'];
/** Random pipelines of one job. */
const PER_JOB = 10;
const MAX_JOB_MS = 60_000;
/** A job of a group, then all that may be done to explain its failure: each phase may start a last run when its time is almost up. */
const MAX_TEST_MS = MAX_JOB_MS + EXPLAIN_BOUNDS.maxAloneMs + EXPLAIN_BOUNDS.maxShrinkMs + 4 * EXPLAIN_BOUNDS.maxRunMs;

/** Graphs in groups of one job each; `SAGE_PROPERTY_SEED` replays one graph, `SAGE_PROPERTY_RUNS` says how many there are. */
function jobs(runs: number): { graphs: string[]; title: string }[] {
  if (SEED !== undefined) {
    const graph = formatGraphName(parseGraphName(SEED));
    return [{ graphs: [graph], title: graph }];
  }
  const seeds = Array.from({ length: runs }, (_, n) => `${n + 1}`);
  return Array.from({ length: Math.ceil(runs / PER_JOB) }, (_, n) => {
    const graphs = seeds.slice(n * PER_JOB, (n + 1) * PER_JOB);
    return { graphs, title: `${graphs[0]} to ${graphs.at(-1)}` };
  });
}

/** So many graphs in jobs that are run in one way. */
export function itRunsGraphs(how: string, runs: number, run: RunGraphs): void {
  const check = async (graphs: readonly string[]): Promise<void> => {
    const failure = await runFailure(run, graphs, MAX_JOB_MS);
    if (failure !== undefined) throw new Error(await explainFailure(graphs, failure, run));
  };
  it.each(jobs(runs))(`${how}: graphs $title`, ({ graphs }) => check(graphs), MAX_TEST_MS);
}

/** Records that are left out and dead letters that nobody reads are what these graphs are about: thousands of lines would say so. */
function itIsQuiet(): void {
  beforeAll(() => {
    vi.stubEnv('SAGE_LOG', 'error');
    vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });
}

/** Random pipelines against a naive interpreter: with one instance each, with several in one isolate, and in worker threads. */
export function describeRandomGraphs(label: string): void {
  describe(`random pipelines, ${label}`, () => {
    itIsQuiet();
    itRunsGraphs('one instance each', PROPERTY_RUNS, inMain(true));
    itRunsGraphs('several instances in one isolate', PROPERTY_RUNS, inMain(false));
    itRunsGraphs('one instance each, each in a stage of its own', shareOfRuns(0.25), unfused(true));
    itRunsGraphs('several instances, each step in a stage of its own', shareOfRuns(0.25), unfused(false));
    itRunsGraphs('in worker threads', shareOfRuns(0.5), inWorkers());
  });
}

/** The same in jobs that worker threads join while they run. */
export function describeGrowingGraphs(): void {
  describe('random pipelines that grow', () => {
    itIsQuiet();
    const run = whileWorkersCome();
    itRunsGraphs('workers come late', shareOfRuns(0.5), run);

    it.runIf(SEED === undefined)('some of them have worked', () => expect(run.jobsWithLateWorkers).toBeGreaterThan(0));
  });
}
