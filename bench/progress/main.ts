/**
 * What the live progress of `sage-kernel run` costs in processor time: `npm run bench:progress -- [--pairs <n>]`.
 *
 * One job runs all the time. In each pair of windows the table is drawn in one and not in the other, in random order; the
 * processor time of all threads for a record is compared within the pair, so that a machine that is faster in one minute
 * than in the next has no part in it. As four drawings a second drown in the noise of any machine, it is drawn many times as
 * often, and the difference is divided by how many times.
 */
import { Writable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { LiveProgress } from '../../ts/cli/progress/live-progress.ts';
import { observeSubmits, type StartedJob } from '../../ts/environment/submit-observer.ts';
import { count, isWorker, LocalEnvironment, sum } from '../../ts/index.ts';
import { describeMachine } from '../harness/machine.ts';
import { pairedInterval } from './paired-interval.ts';

const WINDOW_MS = 1_000;
const WARM_UP_MS = 5_000;
const GOAL_PERCENT = 1;
const DRAWS_PER_WINDOW = 40;
const DRAW_EVERY_MS = 250;

/** A terminal that shows nothing, but is written to as a real one. */
class Discard extends Writable {
  readonly isTTY = true;
  readonly columns = 120;
  readonly rows = 50;
  frames = 0;

  hasColors(): boolean {
    return true;
  }

  override _write(_chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.frames++;
    done();
  }
}

let read = 0;
const env = new LocalEnvironment('progress', { parallelism: 2 });
env
  .fromSource(() => ({ id: read++, customer: `c${read % 1_000}`, price: read % 97 }), { unbounded: true })
  .filter((order) => order.price > 3)
  .map((order) => ({ ...order, cents: order.price * 100 }))
  .keyBy('customer')
  .aggregate({ orders: count(), total: sum('cents') }, { emit: 'update' })
  .filter((total) => total.orders % 16 === 0)
  .sink(() => undefined);

const started = Promise.withResolvers<StartedJob>();
observeSubmits({ started: (job) => started.resolve(job) });
const job = await env.submit();
if (!isWorker()) await measure(await started.promise);
await job.stop();

async function measure(job: StartedJob): Promise<void> {
  const { values } = parseArgs({ options: { pairs: { type: 'string', default: '120' } } });
  const terminal = new Discard();
  let spentMicros = 0;
  const window = async (isShown: boolean): Promise<number> => {
    const progress = new LiveProgress(terminal as unknown as NodeJS.WriteStream, [], false);
    if (isShown) progress.started(job, env);
    // The same timer in both: what it costs to wake up so often is no part of four times a second.
    const often = setInterval(() => isShown && progress.draw(), WINDOW_MS / DRAWS_PER_WINDOW);
    const [cpu, records] = [process.cpuUsage(), read];
    await wait(WINDOW_MS);
    const { user, system } = process.cpuUsage(cpu);
    spentMicros += user + system;
    const perRecord = (user + system) / (read - records);
    clearInterval(often);
    if (isShown) progress.ended(job);
    return perRecord;
  };
  await wait(WARM_UP_MS);
  const pairs: [number, number][] = [];
  for (let n = 0; n < Number(values.pairs); n++) {
    const isFirst = Math.random() < 0.5;
    const [one, two] = [await window(isFirst), await window(!isFirst)];
    pairs.push(isFirst ? [one, two] : [two, one]);
  }
  // A busy machine skips some.
  const times = terminal.frames / pairs.length / (WINDOW_MS / DRAW_EVERY_MS);
  if (!(times > 1)) throw new Error(`${terminal.frames} drawings are too few to tell`);
  const { ratio, low, high } = pairedInterval(pairs);
  const percent = (value: number): string => `${(((value - 1) / times) * 100).toFixed(3)} %`;
  const { node, cpu, cores, load } = describeMachine();
  console.log(`Node ${node}, ${cpu}, ${cores} cores, load ${load}; ${pairs.length} pairs of windows of ${WINDOW_MS} ms, drawn ${times.toFixed(1)} times as often as usual`);
  // A job that gets little of the machine spends more of it on the same four drawings a second.
  const processors = spentMicros / pairs.length / 2 / 1000 / WINDOW_MS;
  console.log(`the job had ${processors.toFixed(2)} processors; by the pairs a drawing costs ${(((ratio - 1) * processors * WINDOW_MS) / (terminal.frames / pairs.length)).toFixed(2)} ms of processor time`);
  console.log(`live progress as usual: ${percent(ratio)} processor time a record, 95 % interval ${percent(low)} to ${percent(high)}; goal below ${GOAL_PERCENT} %`);
  // By the lower end: only a cost that is certain fails.
  if (((low - 1) / times) * 100 > GOAL_PERCENT) process.exitCode = 1;
}
