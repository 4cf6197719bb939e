// node to-stdout.ts <records> [parallelism]: numbered lines of JSON to standard output.
import { JsonLinesSink, LocalEnvironment } from '../../../../ts/index.ts';

const [records = '10', parallelism = '1'] = process.argv.slice(2);
const env = new LocalEnvironment('lines', { parallelism: Number(parallelism) });
env
  .fromCollection(Array.from({ length: Number(records) }, (_, n) => n))
  .map((n) => ({ n, text: `é😀 ${'x'.repeat(n % 300)}` }))
  .sink(new JsonLinesSink('-'));
const result = await env.submit({ autostop: true });
console.error(`status ${result.status}, out ${result.recordsOut}`);
