/**
 * What checkpoints cost, and how long a recovery takes: `npm run bench:checkpoints -- [--pairs <n>] [--only cost,size,recovery]`.
 *
 * Size: all keys of a job, and then some of them, changed since the checkpoint before.
 *
 * Cost: two jobs of the same pipeline with 100,000 keys, one without checkpoints and one that writes one every second. In each pair of
 * windows one of them runs in one and the other in the other, in random order; the processor time of all threads for a record is compared
 * within the pair, so that a machine that is faster in one minute than in the next has no part in it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { count, countWindow, type DataStream, type END, type Job, type KeyedStream, KeyedProcessFunction, LocalEnvironment, type Seekable, SourceFunction, sum } from '../../ts/index.ts';
import { describeMachine } from '../harness/machine.ts';
import { pairedInterval } from '../progress/paired-interval.ts';

const KEYS = 100_000;
const WINDOW_SECONDS = 3;
const GOAL_PERCENT = 5;
const GOAL_RECOVERY_MS = 3_000;
const RECOVERED_MIB = 100;
const MEBIBYTE = 2 ** 20;

interface Order {
  readonly key: string;
  readonly price: number;
}

interface Summary {
  readonly total: number;
  readonly orders: number;
}

/** Keeps the total of each key, as a user would. */
class Totals extends KeyedProcessFunction<string, Order, Summary> {
  execute({ price }: Order): void {
    const state = this.ctx.state.value<Summary>('total');
    const before = state.get();
    state.set({ total: (before?.total ?? 0) + price, orders: (before?.orders ?? 0) + 1 });
  }
}

type Build = (orders: KeyedStream<string, Order>) => DataStream<unknown>;
const pipelines: Readonly<Record<string, Build>> = {
  'count and sum for each record, in the core': (orders) => orders.aggregate({ orders: count(), total: sum('price') }, { emit: 'update' }).filter((total) => total.orders < 0),
  'a process function with state': (orders) => orders.process(Totals),
};

/** Of these only sizes are of interest: what else keeps something of each key. */
const sized: typeof pipelines = {
  ...pipelines,
  'windows of elements, in the core': (orders) => orders.window(countWindow(1_000_000)).aggregate({ orders: count(), total: sum('price') }),
  'a reduce': (orders) => orders.reduce((_, order) => order),
  'a limit of each key': (orders) => orders.limit(1_000_000).filter(() => false),
};

/** A source that a measurement opens and shuts. */
class Tap {
  read = 0;
  /** Which key comes next. */
  keyOf: (n: number) => number = (n) => Math.imul(n, 48_271) >>> 0;
  opened = Promise.withResolvers<void>();
  isOpen = false;

  open(): void {
    this.isOpen = true;
    this.opened.resolve();
  }

  shut(): void {
    this.isOpen = false;
    this.opened = Promise.withResolvers();
  }

  source(keys: readonly string[]): new () => SourceFunction<Order> & Seekable<number> {
    const give = (): Order | Promise<Order> => {
      if (!this.isOpen) return this.opened.promise.then(give);
      const n = this.read++;
      return { key: keys[this.keyOf(n) % keys.length]!, price: n % 97 };
    };
    const position = (): number => this.read;
    return class extends SourceFunction<Order> implements Seekable<number> {
      execute(): Order | typeof END | Promise<Order | typeof END> {
        return give();
      }
      position(): number {
        return position();
      }
      seek(): void {}
    };
  }
}

const { values } = parseArgs({ options: { pairs: { type: 'string', default: '20' }, only: { type: 'string', default: 'cost,size,recovery' } } });
const wanted = values.only.split(',');
const directory = mkdtempSync(join(tmpdir(), 'sage-bench-checkpoints-'));
const keys = Array.from({ length: KEYS }, (_, n) => `customer ${n}`);
const { node, cpu, cores, load } = describeMachine();
console.log(`Node ${node}, ${cpu}, ${cores} cores, load ${load}`);
try {
  if (wanted.includes('cost')) for (const [name, build] of Object.entries(pipelines)) await cost(name, build);
  if (wanted.includes('size')) for (const [name, build] of Object.entries(sized)) await size(name, build);
  if (wanted.includes('recovery')) await recovery();
} finally {
  rmSync(directory, { recursive: true, force: true });
}

async function started(tap: Tap, name: string, build: Build, dir: string | undefined, of = keys, from?: 'latest'): Promise<Job> {
  const env = new LocalEnvironment(name, { parallelism: 1, ...(dir === undefined ? {} : { checkpoint: { dir } }) });
  build(env.fromSource(tap.source(of)).keyBy('key')).sink(() => undefined);
  return env.submit(from === undefined ? {} : { from });
}

async function cost(name: string, build: Build): Promise<void> {
  const [plainTap, savedTap] = [new Tap(), new Tap()];
  const plain = await started(plainTap, 'plain', build, undefined);
  const saved = await started(savedTap, 'saved', build, join(directory, 'cost'));
  let bytes = 0;
  let epochs = 0;
  const window = async (isSaved: boolean): Promise<number> => {
    const tap = isSaved ? savedTap : plainTap;
    const [spent, records] = [process.cpuUsage(), tap.read];
    tap.open();
    for (let second = 0; second < WINDOW_SECONDS; second++) {
      await wait(1_000);
      if (!isSaved) continue;
      ({ bytes } = await saved.checkpoint());
      epochs++;
    }
    tap.shut();
    const { user, system } = process.cpuUsage(spent);
    return (user + system) / (tap.read - records);
  };
  // Warm, and each with all of its keys.
  for (const isSaved of [false, true, false, true]) await window(isSaved);
  const pairs: [number, number][] = [];
  for (let n = 0; n < Number(values.pairs); n++) {
    const isFirst = Math.random() < 0.5;
    const [one, two] = [await window(isFirst), await window(!isFirst)];
    pairs.push(isFirst ? [one, two] : [two, one]);
  }
  await Promise.all([plain.cancel(), saved.cancel()]);
  const { ratio, low, high } = pairedInterval(pairs);
  const percent = (value: number): string => `${((value - 1) * 100).toFixed(1)} %`;
  console.log(`${name}, ${KEYS} keys: a checkpoint a second (the last of ${epochs} had ${(bytes / MEBIBYTE).toFixed(1)} MiB) costs ${percent(ratio)} of processor time a record, 95 % interval ${percent(low)} to ${percent(high)} of ${pairs.length} pairs; goal ${GOAL_PERCENT} % at most`);
  // By the lower end: only a cost that is certain fails.
  if ((low - 1) * 100 > GOAL_PERCENT) process.exitCode = 1;
}

/** Records of a tap until it has given so many more. */
async function give(tap: Tap, records: number): Promise<void> {
  const until = tap.read + records;
  const { keyOf } = tap;
  const all = Promise.withResolvers<void>();
  tap.keyOf = (n) => {
    if (n + 1 >= until) {
      tap.shut();
      all.resolve();
    }
    return keyOf(n);
  };
  tap.open();
  await all.promise;
  tap.keyOf = keyOf;
}

async function size(name: string, build: Build): Promise<void> {
  const tap = new Tap();
  tap.keyOf = (n) => n;
  const job = await started(tap, 'size', build, join(directory, `size ${name.length}`));
  await give(tap, KEYS);
  const { bytes: whole } = await job.checkpoint();
  const sizes: string[] = [];
  for (const changed of [100, 1_000, 10_000]) {
    tap.keyOf = (n) => n % changed;
    await give(tap, 2 * changed);
    const { bytes } = await job.checkpoint();
    sizes.push(`${changed} changed ${bytes} bytes (${((100 * bytes) / whole).toFixed(2)} %)`);
  }
  await job.cancel();
  console.log(`${name}: all ${KEYS} keys ${whole} bytes; ${sizes.join('; ')}`);
}

async function recovery(): Promise<void> {
  const text = 'x'.repeat(200);
  class Keep extends KeyedProcessFunction<string, Order, unknown> {
    execute({ price }: Order): void {
      this.ctx.state.value<{ text: string; price: number }>('kept').set({ text, price });
    }
  }
  const many = Array.from({ length: 400_000 }, (_, n) => `customer ${n}`);
  const build: Build = (orders) => orders.process(Keep);
  const dir = join(directory, 'recovery');
  const tap = new Tap();
  tap.keyOf = (n) => n;
  const job = await started(tap, 'recovery', build, dir, many);
  await give(tap, many.length);
  const { bytes, durationMs } = await job.checkpoint();
  await job.cancel();
  const again = new Tap();
  again.keyOf = (n) => n;
  const beganMs = performance.now();
  const resumed = await started(again, 'recovery', build, dir, many, 'latest');
  await give(again, 1);
  const recoveredMs = performance.now() - beganMs;
  await resumed.cancel();
  console.log(`recovery of ${(bytes / MEBIBYTE).toFixed(0)} MiB of state (${many.length} keys, written in ${durationMs.toFixed(0)} ms): ${recoveredMs.toFixed(0)} ms until the first record; goal below ${GOAL_RECOVERY_MS} ms for ${RECOVERED_MIB} MiB`);
  if (recoveredMs > GOAL_RECOVERY_MS) process.exitCode = 1;
}
