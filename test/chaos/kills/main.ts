// `npm run chaos`: as many kills as one likes, from a seed on; or one long job that is killed all the time.
import { parseArgs } from 'node:util';

import { soakProcesses } from '../soak/soak-processes.ts';
import { KillGround, type KillRun } from './kill-run.ts';
import { statisticsOf } from './kill-statistics.ts';

/** At least so many kills come after the process has written a checkpoint, and so many processes do not begin where the one before had. */
const LEAST_SHARE = 0.8;

const { values } = parseArgs({ options: { count: { type: 'string', default: '200' }, seed: { type: 'string', default: '1' }, case: { type: 'string' }, soak: { type: 'boolean', default: false }, minutes: { type: 'string', default: '60' }, help: { type: 'boolean', default: false } } });

if (values.help) {
  console.log('npm run chaos -- [--count <kills, 200>] [--seed <of the first case, 1>] | --case <seed of one case> | --soak [--minutes <60>]');
} else if (values.soak) {
  await soakProcesses(wholeNumber('minutes', values.minutes), (line) => console.log(line));
} else {
  await (values.case === undefined ? killAll(wholeNumber('count', values.count), wholeNumber('seed', values.seed)) : killAll(1, wholeNumber('case', values.case)));
}

/** Runs case after case until there were so many kills. */
async function killAll(count: number, firstSeed: number): Promise<void> {
  using ground = new KillGround();
  const runs: KillRun[] = [];
  let kills = 0;
  for (let seed = firstSeed; kills < count; seed++) {
    const run = await ground.run(seed);
    runs.push(run);
    kills += run.kills.length;
    const again = run.kills.map(({ readAgain }) => readAgain).join(', ');
    console.log(`seed ${seed}: ${run.shape}, parallelism ${run.parallelism}, ${run.kills.length} kills; read again of ${run.records}: ${again}; the results are exact. Again: npm run chaos -- --case ${seed}`);
  }
  const { afterEpoch, recovered, readAgainShare, mostReadAgain } = statisticsOf(runs);
  console.log(`${kills} kills in ${runs.length} cases from seed ${firstSeed} on, all results exact, in the order of their keys`);
  console.log(`${percent(afterEpoch / kills)} after a checkpoint of the process, ${percent(recovered / kills)} did not begin where it had; ${percent(readAgainShare)} of the records were read again, at most ${mostReadAgain} for a kill, none of them from before a checkpoint`);
  // One case has too few of them.
  if (values.case !== undefined) return;
  if (afterEpoch / kills < LEAST_SHARE) throw new Error(`fewer than ${percent(LEAST_SHARE)} of the kills came after a checkpoint`);
  if (recovered / kills < LEAST_SHARE) throw new Error(`fewer than ${percent(LEAST_SHARE)} of the processes went on from a checkpoint`);
}

function wholeNumber(name: string, text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0) throw new Error(`--${name} is to be a whole number, not '${text}'`);
  return number;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
