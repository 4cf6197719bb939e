import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Path of a data set of the npm package `vega-datasets`. It exports its script only; its data lies beside that. */
export function vegaDataset(name: string): string {
  return join(dirname(createRequire(import.meta.url).resolve('vega-datasets')), '../data', name);
}
