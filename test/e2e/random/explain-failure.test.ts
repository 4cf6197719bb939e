import { describe, expect, it } from 'vitest';

import { graphOf } from './edit-graph.ts';
import { type ExplainBounds, EXPLAIN_BOUNDS, explainFailure } from './explain-failure.ts';
import { formatGraphName, graphOfSeed } from './graph-name.ts';
import { type Step, randomGraph } from './graph.ts';
import { interpret } from './interpret.ts';
import { type RunFailure, runFailure } from './run-failure.ts';
import { type RunGraphs, inMain, inWorkers } from './run-graphs.ts';
import { shrinkGraph } from './shrink-graph.ts';

/** Graphs whose candidates run for real. */
const SEEDS = 8;

/** An interpreter that is wrong for one kind of step. */
const wrongFor =
  (kind: Step['call']['kind']) =>
  (steps: readonly Step[]): ReturnType<typeof interpret> =>
    interpret(steps.map((step) => (step.call.kind === kind ? { ...step, salt: step.salt + 1 } : step)));

const has = (graph: string, kind: Step['call']['kind']): boolean => graphOf(graph).some(({ call }) => call.kind === kind);

/** Seeds of a job, some with a step of this kind that a planted fault shows at, some without. */
function group(kind: Step['call']['kind']): string[] {
  const seeds = Array.from({ length: 300 }, (_, n) => `${n + 1}`);
  const isLarge = (steps: readonly Step[]): boolean => steps.length > 10 && steps.every(({ call }) => call.kind !== 'source' || call.rows >= 30);
  return [...seeds.filter((seed) => !has(seed, kind)).slice(0, 2), ...seeds.filter((seed) => has(seed, kind) && isLarge(randomGraph(Number(seed)))).slice(0, 2)];
}

async function explained(graphs: readonly string[], run: RunGraphs, bounds: ExplainBounds = EXPLAIN_BOUNDS): Promise<string> {
  const failure = await runFailure(run, graphs, 30_000);
  expect(failure?.kind).toBeDefined();
  return explainFailure(graphs, failure!, run, bounds);
}

const replayText = (text: string): string => /SAGE_PROPERTY_SEED=(\S+)/.exec(text)![1]!;

describe('a planted fault', () => {
  it.each([
    ['filter', 'one instance each', inMain(true, wrongFor('filter'))],
    ['flatMap', 'several instances', inMain(false, wrongFor('flatMap'))],
    ['mapAsync', 'worker threads', inWorkers(wrongFor('mapAsync'))],
  ] as const)('in the oracle for %s, %s, is found and shrunk to few steps', async (kind, _, run) => {
    const graphs = group(kind);

    const text = await explained(graphs, run);

    const graph = replayText(text);
    expect(text).toMatch(new RegExp(`^[12] of 4 graphs fail alone: `));
    expect(graphOf(graph).map(({ call }) => call.kind)).toStrictEqual(['source', kind, 'sink']);
    expect(text).toContain('(nothing more can go)');
    expect(text).toMatch(/before:\n {2}s0 = env\.source\([^]*after:\n {2}s\d+ = env\.source\(\{ form: 'collection', rows: \d+, salt: \d+ \}\)\n/);
    expect(text).toMatch(/what is wrong with the shrunk one, wrong result:\n\[[^]*sink: \d+/);
    // The text replays exactly this.
    expect((await runFailure(run, [graph], 30_000))?.kind).toBe('wrong result');
    expect(await explained([graph], run)).toMatch(new RegExp(`^SAGE_PROPERTY_SEED=${graph} fails, wrong result:`));
  }, 60_000);

  it('that throws keeps its kind: candidates that fail in another way are not taken', async () => {
    const run: RunGraphs = async ([graph]) => {
      if (!has(graph!, 'reduce')) throw new TypeError('another failure');
      throw new RangeError(`no reduce, please: ${graph}`);
    };
    const seed = Array.from({ length: 300 }, (_, n) => `${n + 1}`).find((one) => has(one, 'reduce'))!;

    const text = await explained([seed], run);

    expect(graphOf(replayText(text)).map(({ call }) => call.kind)).toStrictEqual(['source', 'reduce', 'sink']);
    expect(text).toContain('what is wrong with the shrunk one, RangeError:');
  });
});

describe('a failure that does not come again', () => {
  const failure: RunFailure = { kind: 'wrong result', text: 'rows were missing' };
  const well: RunGraphs = async () => [];

  it('alone is said of the group', async () => {
    const text = await explained(['1', '2', '3'], async (graphs) => (graphs.length > 1 ? ['lost'] : []));

    expect(text).toMatch(/^the graphs 1 2 3 failed in one job, wrong result; none of them fails alone, but together they fail again, wrong result\n\[ 'lost' \]\nthe pipelines:\n1:\n {2}s0 = /);
  });

  it('at all is flaky, and still told', async () => {
    expect(await explainFailure(['1', '2'], failure, well)).toMatch(/^the graphs 1 2 failed in one job, wrong result; none of them fails alone, nor do they fail together in a second run: it is flaky\nrows were missing\n/);
  });

  it('of a graph that was shrunk is flaky', async () => {
    let runs = 0;
    const once: RunGraphs = async () => (runs++ === 0 ? ['lost'] : []);

    const text = await explainFailure(['17'], failure, once);

    expect(text).toContain(`graph 17 shrunk from ${randomGraph(17).length} steps to ${randomGraph(17).length} in `);
    expect(text).toContain('it failed once and, run once more, did not fail in that way: it is flaky');
  });

  it('for want of time is told too', async () => {
    const text = await explainFailure(['1', '2'], failure, well, { ...EXPLAIN_BOUNDS, maxAloneMs: -1 });

    expect(text).toContain('none of them fails alone (not tried: 1 2)');
  });
});

describe('a candidate of the shrinker', () => {
  it.each([
    ['one instance each', inMain(true)],
    ['several instances', inMain(false)],
  ] as const)('is a graph that the engine takes and runs well, %s', async (_, run) => {
    const candidates: string[] = [];
    // Every other candidate counts as a failure, so that the search goes deep.
    for (let seed = 1; seed <= SEEDS; seed++) {
      await shrinkGraph(graphOfSeed(seed), async (name) => candidates.push(formatGraphName(name)) % 2 === 0, { maxCandidates: 25, maxMs: 10_000 });
    }

    const failures = [];
    for (const graph of candidates) {
      const failure = await runFailure(run, [graph], 10_000);
      if (failure !== undefined) failures.push({ graph, failure });
    }

    expect(candidates.length).toBeGreaterThan(SEEDS * 5);
    expect(failures).toEqual([]);
  }, 60_000);
});

it('a run that does not end is cancelled, and is a failure', async () => {
  const hangs: RunGraphs = (_, signal) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });

  expect((await runFailure(hangs, ['1'], 1))?.kind).toBe('TimeoutError');
});
