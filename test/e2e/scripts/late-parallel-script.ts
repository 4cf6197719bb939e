// A program whose top level is done before it submits, and which submits two jobs at once: only the first has workers.
import { setImmediate as nextTurn } from 'node:timers/promises';

import { LocalEnvironment, isWorker } from '../../../ts/index.ts';

async function main(): Promise<void> {
  await nextTurn();
  // With this argument a worker never comes to the submit.
  if (process.argv[2] === 'never' && isWorker()) return;
  const run = async (name: string, factor: number): Promise<{ isolates: number; numbers: number[] }> => {
    const env = new LocalEnvironment(name, { parallelism: 2 });
    const out: number[] = [];
    env.fromCollection([1, 2, 3, 4]).map((n) => n * factor).sink(out);
    const { isolates } = await env.submit({ autostop: true });
    return { isolates, numbers: out.toSorted((a, b) => a - b) };
  };
  const [first, second] = await Promise.all([run('first', 10), run('second', 100)]);
  console.log(JSON.stringify({ first, second }));
}

void main();
