/**
 * What `'auto'` makes of a map that keeps a processor busy: `npm run bench:auto -- [--rounds <n>] [--records <n>] [--micros <n>]`.
 *
 * The same job with parallelism 1, `'auto'` and 2, side by side in each round, in turn from the front and from the back. `'auto'`
 * needs half a second to see that the stage is the bottleneck, and the time in which a thread starts: that much it is behind
 * parallelism 2, however long the job is.
 */
import { parseArgs } from 'node:util';

import { describeMachine } from '../harness/machine.ts';
import { type HardMapArgs, hard, hardMap, result } from './hard-map.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' }, records: { type: 'string', default: '20000' }, micros: { type: 'string', default: '200' } } });
const records = Number(values.records);
const variants: readonly HardMapArgs['instances'][] = [1, 'auto', 2];

/** How many rounds of the function take so long on this machine now. */
function roundsFor(micros: number): number {
  const probe = 2_000_000;
  const leastMs = Math.min(
    ...Array.from({ length: 10 }, (_, n) => {
      const startMs = performance.now();
      hard(n, probe);
      return performance.now() - startMs;
    }),
  );
  return Math.round((probe * micros) / (leastMs * 1000));
}

const rounds = roundsFor(Number(values.micros));
let expected = 0;
for (let n = 0; n < records; n++) expected += hard(n, rounds);

const times = new Map<HardMapArgs['instances'], { ms: number; cpuMs: number }[]>(variants.map((variant) => [variant, []]));
let scaling: readonly { readonly atMs: number; readonly reason: string }[] = [];
for (let round = 0; round < Number(values.rounds); round++) {
  for (const instances of round % 2 === 0 ? variants : variants.toReversed()) {
    const cpu = process.cpuUsage();
    const done = await hardMap.run({ records, rounds, instances });
    if (result.sum !== expected || done.recordsIn !== records) throw new Error(`parallelism ${instances}: a wrong result`);
    const { user, system } = process.cpuUsage(cpu);
    times.get(instances)!.push({ ms: done.durationMs, cpuMs: (user + system) / 1000 });
    if (instances === 'auto') scaling = done.scaling;
  }
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;
console.log(describeMachine());
console.log(`${records} records of about ${values.micros} us, ${values.rounds} rounds`);
const alone = times.get(1)!;
for (const [instances, runs] of times) {
  const ratio = median(runs.map(({ ms }, round) => alone[round]!.ms / ms));
  const ms = runs.map((run) => run.ms);
  console.log(`parallelism ${instances}: least ${Math.min(...ms).toFixed(0)} ms, median ${median(ms).toFixed(0)} ms, processor ${median(runs.map(({ cpuMs }) => cpuMs)).toFixed(0)} ms, ${ratio.toFixed(2)} times as fast as 1 (median of the rounds)`);
}
for (const { atMs, reason } of scaling) console.log(`'auto', last round, after ${atMs} ms: ${reason}`);
