/** Reads JSON lines from standard input; prints how many, a sum, and the memory of the process at the first tenth and at most. */
import { FileSource, LocalEnvironment } from '../../ts/index.ts';

const bytes = Number(process.argv[2]);
const SAMPLE_EVERY_MS = 50;
const MIB = 2 ** 20;
/** Of the generated lines, about. */
const BYTES_A_LINE = 88;

let lines = 0;
let sum = 0;
let atTenthMiB = 0;
let mostMiB = 0;
const sample = (): void => {
  const mib = process.memoryUsage.rss() / MIB;
  mostMiB = Math.max(mostMiB, mib);
  if (lines * BYTES_A_LINE < bytes / 10) atTenthMiB = mostMiB;
};
const timer = setInterval(sample, SAMPLE_EVERY_MS);

const env = new LocalEnvironment('standard-input');
env
  .fromSource(FileSource.jsonLines<{ price: number }>('-'))
  .map((order) => order.price)
  .sink((price) => {
    lines++;
    sum += price;
  });
const started = performance.now();
await env.submit({ autostop: true });
clearInterval(timer);
sample();
process.stdout.write(JSON.stringify({ lines, sum, seconds: (performance.now() - started) / 1_000, atTenthMiB, mostMiB }));
