// The long runs of `.ci/run` and the replay of a failure: SAGE_PROPERTY_RUNS sets how many cases a fast-check
// property draws, and how long a test may take; SAGE_PROPERTY_SEED which ones: a seed, or the name of a random
// graph, which begins with one. A property that names `numRuns` itself keeps its own number.
import { vi } from 'vitest';
import { PROPERTY_RUNS } from './property-runs.ts';

const runs = process.env['SAGE_PROPERTY_RUNS'];
const seed = process.env['SAGE_PROPERTY_SEED'];

/** For a test that draws 100 cases, or none: what vitest.config.ts says. No property takes a fifth of it on two cores. */
const MAX_TEST_MS = 20_000;

if (PROPERTY_RUNS > 100) vi.setConfig({ testTimeout: MAX_TEST_MS * (PROPERTY_RUNS / 100) });

if (runs !== undefined || seed !== undefined) {
  const { parseGraphName } = await import('./e2e/random/graph-name.ts');
  const { configureGlobal } = await import('fast-check');
  configureGlobal({
    ...(runs === undefined ? {} : { numRuns: Number(runs) }),
    ...(seed === undefined ? {} : { seed: parseGraphName(seed).seed }),
  });
}
