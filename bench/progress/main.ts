/**
 * What the live progress of `sage-kernel run` costs in processor time: `npm run bench:progress -- [--pairs <n>]`.
 *
 * One job runs all the time. In each pair of windows the table is drawn in one and not in the other, in random order; the
 * processor time of all threads for a record is compared within the pair, so that a machine that is faster in one minute
 * than in the next has no part in it. Then the drawing itself is timed, which says more on a machine that others share.
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
const GOAL = 1.01;
const DRAWS = 100;
const DRAW_EVERY_MS = 250;

/** A terminal that shows nothing, but is written to as a real one. */
class Discard extends Writable {
  readonly isTTY = true;
  readonly columns = 120;
  readonly rows = 50;
  bytes = 0;

  hasColors(): boolean {
    return true;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.bytes += chunk.length;
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
  const window = async (isShown: boolean): Promise<number> => {
    const progress = new LiveProgress(terminal as unknown as NodeJS.WriteStream, [], false);
    if (isShown) progress.started(job, env);
    const [cpu, records] = [process.cpuUsage(), read];
    await wait(WINDOW_MS);
    const { user, system } = process.cpuUsage(cpu);
    const perRecord = (user + system) / (read - records);
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
  const { ratio, low, high } = pairedInterval(pairs);
  const percent = (value: number): string => `${((value - 1) * 100).toFixed(2)} %`;
  const { node, cpu, cores } = describeMachine();
  console.log(`Node ${node}, ${cpu}, ${cores} cores; ${pairs.length} pairs of windows of ${WINDOW_MS} ms, ${terminal.bytes} bytes drawn`);
  console.log(`live progress: ${percent(ratio)} processor time a record, 95 % interval ${percent(low)} to ${percent(high)}; goal below ${percent(GOAL)}`);
  if (terminal.bytes === 0) throw new Error('nothing was drawn');
  const { drawMs, share } = await measureDraws(job, terminal);
  console.log(`a draw takes ${drawMs.toFixed(2)} ms of its thread, four of them a second ${(share * 100).toFixed(2)} % of the processor time that the job takes meanwhile`);
  // By the lower end: only a cost that is certain fails.
  if (low > GOAL) process.exitCode = 1;
}

/** The drawing itself, in the rhythm in which it is done: what is not seen is the garbage that it leaves behind. */
async function measureDraws(job: StartedJob, terminal: Discard): Promise<{ readonly drawMs: number; readonly share: number }> {
  const progress = new LiveProgress(terminal as unknown as NodeJS.WriteStream, [], false);
  progress.started(job, env);
  const all = process.cpuUsage();
  let drawMicros = 0;
  for (let n = 0; n < DRAWS; n++) {
    await wait(DRAW_EVERY_MS);
    const before = process.threadCpuUsage();
    progress.draw();
    const { user, system } = process.threadCpuUsage(before);
    drawMicros += user + system;
  }
  const { user, system } = process.cpuUsage(all);
  progress.ended(job);
  return { drawMs: drawMicros / DRAWS / 1000, share: drawMicros / (user + system) };
}
