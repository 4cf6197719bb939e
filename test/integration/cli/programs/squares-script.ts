/** A program that builds, submits and prints its result itself. */
import { LocalEnvironment, isWorker } from '../../../../ts/index.ts';

const upTo = Number(process.argv[2] ?? 4);
const env = new LocalEnvironment('squares', { parallelism: Number(process.argv[3] ?? 1) });
env
  .fromCollection(Array.from({ length: upTo }, (_, n) => n))
  .map((n) => n * n)
  .print('square');
const result = await env.submit({ autostop: true });
if (isWorker()) throw new Error('what stands behind submit runs in the main thread only');
console.log(`in ${result.recordsIn}, isolates ${result.isolates}`);
