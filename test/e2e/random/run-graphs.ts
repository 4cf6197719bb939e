import { neverFuse } from '../../../ts/environment/unfused-environments.ts';
import { type JobResult, LocalEnvironment } from '../../../ts/index.ts';
import { buildGraphs, randomGraphs, sinksOf } from '../pipelines/random-graphs.ts';
import { type Oracle, differencesFromOracle, operatorsThatLose, unevenCounts } from './compare.ts';
import { DicedJoins } from '../support/diced-joins.ts';
import { parseGraphName } from './graph-name.ts';
import { interpret } from './interpret.ts';

/** Runs graphs, by their texts, side by side in one job; gives whatever is wrong with what it gave. The signal cancels the job. */
export type RunGraphs = (graphs: readonly string[], signal: AbortSignal) => Promise<readonly unknown[]>;

/** As `inMain`, with each step in a stage of its own: all of its records come over an exchange. */
export function unfused(serial: boolean): RunGraphs {
  return inMain(serial, interpret, false);
}

/** Runs graphs in this isolate, with one instance of each step (`serial`) or with as many as the steps say. */
export function inMain(serial: boolean, oracle: Oracle = interpret, fuse = true): RunGraphs {
  return async (graphs, signal) => {
    const env = new LocalEnvironment(`graphs ${graphs.join(' ')}`);
    if (!fuse) neverFuse(env);
    buildGraphs(env, graphs, serial ? 'one' : 'as they say');
    return judge(graphs, await env.submit({ autostop: true, signal }), serial, oracle);
  };
}

/** Runs graphs in worker threads. */
export function inWorkers(oracle: Oracle = interpret): RunGraphs {
  return async (graphs, signal) => {
    const result = await randomGraphs.run({ graphs, instances: 'as they say' }, { signal });
    const wrong = judge(graphs, result, false, oracle);
    // Of one small graph everything may be in the main isolate.
    return graphs.length > 1 && result.isolates < 2 ? [...wrong, { isolates: result.isolates }] : wrong;
  };
}

/** Runs graphs in the main isolate and in workers that come while the job runs, when the dice of a seed say so. */
export function whileWorkersCome(oracle: Oracle = interpret): RunGraphs & { jobsWithLateWorkers: number } {
  const run = async (graphs: readonly string[], signal: AbortSignal): Promise<readonly unknown[]> => {
    const { seed } = parseGraphName(graphs[0]!);
    using _ = new DicedJoins(seed);
    // With 'auto' for all, or only where it is said.
    const env = seed % 20 === 1 ? { parallelism: 'auto' as const } : {};
    const result = await randomGraphs.run({ graphs, instances: 'auto' }, { ...env, signal });
    if (result.isolates > 1) run.jobsWithLateWorkers++;
    return judge(graphs, result, false, oracle);
  };
  run.jobsWithLateWorkers = 0;
  return run;
}

/** What is wrong with the result of a job. What one has given that somebody has stopped, as the signal of a `timeout` does, says nothing about its graphs. */
export function judge(graphs: readonly string[], result: JobResult, serial: boolean, oracle: Oracle): unknown[] {
  if (result.status !== 'finished') return [{ status: result.status }];
  const ofGraph = (graph: string): unknown[] => [...differencesFromOracle(graph, sinksOf.get(graph)!, result, serial, oracle), ...operatorsThatLose(graph, result).map((loses) => ({ loses }))];
  return [...graphs.flatMap((graph) => ofGraph(graph).map((wrong) => ({ graph, wrong }))), ...unevenCounts(result)];
}
