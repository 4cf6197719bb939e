import { definePipeline, type LocalEnvironment } from '../../ts/index.ts';

/** One run. */
export interface HardMapArgs {
  readonly records: number;
  readonly rounds: number;
  readonly instances: 1 | 'auto' | 2;
}

/** Of the run at hand, in the main thread. */
export const result = { sum: 0 };

/** Arithmetic that V8 cannot shorten, about 4 ns a round. */
export function hard(seed: number, rounds: number): number {
  let hash = seed | 1;
  for (let n = 0; n < rounds; n++) hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d ^ n);
  return (hash >>> 0) % 1000;
}

/** Numbers through one function that needs a processor for itself. */
export const hardMap = definePipeline(import.meta.url, (env: LocalEnvironment, { records, rounds, instances }: HardMapArgs) => {
  result.sum = 0;
  env
    .fromCollection(Array.from({ length: records }, (_, n) => n))
    .map((n) => hard(n, rounds))
    .named('hard')
    .parallelism(instances)
    .sink((value) => {
      result.sum += value;
    });
});
