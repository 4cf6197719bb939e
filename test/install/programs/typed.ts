import { LocalEnvironment, type JobResult, sum } from 'sage-kernel';
import { half } from './half.ts';

const env = new LocalEnvironment('typed', { parallelism: 2 });
const totals: { key: number; total: number }[] = [];
env
  .fromCollection([2, 4, 6, 8])
  .map((n) => ({ n: half(n) }))
  .keyBy((record) => record.n % 2)
  .aggregate({ total: sum('n') })
  .sink(totals);
const { isolates }: JobResult = await env.submit({ autostop: true });
console.log(JSON.stringify({ totals: totals.toSorted((a, b) => a.key - b.key), isolates }));
