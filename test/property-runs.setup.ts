// The long runs of `.ci/run` and the replay of a failure: SAGE_PROPERTY_RUNS sets how many cases a fast-check
// property draws, SAGE_PROPERTY_SEED which ones: a seed, or the name of a random graph, which begins with one.
// A property that names `numRuns` itself keeps its own number.
const runs = process.env['SAGE_PROPERTY_RUNS'];
const seed = process.env['SAGE_PROPERTY_SEED'];

if (runs !== undefined || seed !== undefined) {
  const { parseGraphName } = await import('./e2e/random/graph-name.ts');
  const { configureGlobal } = await import('fast-check');
  configureGlobal({
    ...(runs === undefined ? {} : { numRuns: Number(runs) }),
    ...(seed === undefined ? {} : { seed: parseGraphName(seed).seed }),
  });
}
