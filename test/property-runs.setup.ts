// The long runs of `.ci/run` and the replay of a failure: SAGE_PROPERTY_RUNS sets how many cases a fast-check
// property draws, SAGE_PROPERTY_SEED which ones. A property that names `numRuns` itself keeps its own number.
const runs = process.env['SAGE_PROPERTY_RUNS'];
const seed = process.env['SAGE_PROPERTY_SEED'];

if (runs !== undefined || seed !== undefined) {
  const { configureGlobal } = await import('fast-check');
  configureGlobal({
    ...(runs === undefined ? {} : { numRuns: Number(runs) }),
    ...(seed === undefined ? {} : { seed: Number(seed) }),
  });
}
