import { readdirSync, readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { avg, count, END, JsonLinesSink, KeyedProcessFunction, LocalEnvironment, type Logger, type Seekable, SourceFunction, sum, tumbling } from '../../../ts/index.ts';

/** A reading for each 10 ms of event time. */
export const MS_PER_READING = 10;
/** The function in the middle fails at the end of so much event time, once each. */
export const FAILS_EVERY_MS = 5_000;
const WINDOW_MS = 60_000;
const KEYS = 50;

interface Reading {
  readonly n: number;
  readonly key: number;
  readonly at: number;
}

/** What a process holds of the machine. */
export interface Held {
  readonly heapBytes: number;
  readonly residentBytes: number;
  readonly files: number;
  readonly threads: number;
}

/** What came of a run. */
export interface Soak {
  readonly failures: number;
  readonly checkpoints: number;
  /** Readings that the source gave, those that it gave again too. */
  readonly given: number;
  /** How far the job had to go back at most, in readings. */
  readonly mostReadAgain: number;
  /** At the beginning of each attempt whose number is a multiple of `lookEvery`. */
  readonly held: readonly Held[];
}

const keyOf = (n: number): number => (n * n) % KEYS;
// What is garbage is not held: without collecting it first, the figures would be of chance.
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
const quiet: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => quiet };

/** Counts the readings of each key and minute, and says at a timer behind each minute how many there were in it and before. */
class Running extends KeyedProcessFunction<number, Reading, { readonly key: number; readonly until: number; readonly total: number }> {
  execute({ at }: Reading): void {
    const until = at - (at % WINDOW_MS) + WINDOW_MS;
    const minutes = this.ctx.state.map<number, number>('minutes');
    minutes.set(until, (minutes.get(until) ?? 0) + 1);
    this.ctx.timers.eventTime(until - 1);
  }

  override onTimer(time: number): void {
    const until = time + 1;
    const minutes = this.ctx.state.map<number, number>('minutes');
    const before = this.ctx.state.value('before', { default: 0 });
    const total = before.update((sum) => sum + (minutes.get(until) ?? 0));
    minutes.delete(until);
    this.collect({ key: this.ctx.key, until, total });
  }
}

/** Runs readings of so much event time through windows, state, timers and calls, with a failure every five seconds of it. */
export async function soak(minutes: number, place: (name: string) => string, lookEvery: number): Promise<Soak> {
  const readings = (minutes * 60_000) / MS_PER_READING;
  const each = FAILS_EVERY_MS / MS_PER_READING;
  const failed = new Set<number>();
  const held: Held[] = [];
  const progress = { given: 0, furthest: 0, mostReadAgain: 0, attempts: 0 };
  class Readings extends SourceFunction<Reading> implements Seekable<number> {
    #next = 0;
    override open(): void {
      if (progress.attempts++ % lookEvery === 0) held.push(holds());
    }
    execute(): Reading | typeof END {
      if (this.#next === readings) return END;
      const n = this.#next++;
      progress.given++;
      progress.furthest = Math.max(progress.furthest, n);
      return { n, key: keyOf(n), at: n * MS_PER_READING };
    }
    position(): number {
      return this.#next;
    }
    seek(position: number): void {
      progress.mostReadAgain = Math.max(progress.mostReadAgain, progress.furthest + 1 - position);
      this.#next = position;
    }
  }
  const env = new LocalEnvironment('half an hour', { logger: quiet, checkpoint: { dir: place('checkpoints') }, restart: { kind: 'fixed', attempts: Number.MAX_SAFE_INTEGER, delayMs: 0 } });
  const stream = env
    .fromSource(Readings)
    .uid('readings')
    .map((reading) => {
      if (reading.n % each === each - 1 && !failed.has(reading.n)) {
        failed.add(reading.n);
        throw new Error('as every five seconds');
      }
      return reading;
    })
    .mapAsync((reading) => Promise.resolve(reading), { concurrency: 8, ordered: true })
    .uid('calls')
    .assignTimestamps('at', { outOfOrdernessMs: 0 })
    .uid('times')
    .keyBy('key');
  stream.window(tumbling(WINDOW_MS)).aggregate({ readings: count(), sum: sum('n'), mean: avg('n') }).uid('windows').sink(new JsonLinesSink(place('windows.jsonl'))).uid('windows out');
  stream.process(Running).uid('running').sink(new JsonLinesSink(place('running.jsonl'))).uid('running out');
  const job = await env.submit();
  let checkpoints = 0;
  // One after the other as fast as they go: refused and given up between two attempts.
  while (job.status !== 'finished' && job.status !== 'failed') {
    await job.checkpoint().then(() => checkpoints++, () => new Promise((resolve) => setImmediate(resolve)));
  }
  const { status, restarts } = await job.completion;
  if (status !== 'finished' || restarts !== failed.size) throw new Error(`${status} after ${restarts} restarts and ${failed.size} failures`);
  held.push(holds());
  return { failures: failed.size, checkpoints, given: progress.given, mostReadAgain: progress.mostReadAgain, held };
}

/** What the two files have to hold, by a loop over all readings. */
export function expectedOf(minutes: number): { readonly windows: readonly string[]; readonly running: readonly string[] } {
  const windows: string[] = [];
  const running: string[] = [];
  const totals = new Map<number, number>();
  const perWindow = WINDOW_MS / MS_PER_READING;
  for (let start = 0; start < minutes; start++) {
    const ofKey = new Map<number, number[]>();
    for (let n = start * perWindow; n < (start + 1) * perWindow; n++) {
      const all = ofKey.get(keyOf(n)) ?? [];
      all.push(n);
      ofKey.set(keyOf(n), all);
    }
    for (const [key, all] of ofKey) {
      const total = (totals.get(key) ?? 0) + all.length;
      const sumOf = all.reduce((before, n) => before + n, 0);
      totals.set(key, total);
      windows.push(JSON.stringify({ key, window: { start: start * WINDOW_MS, end: (start + 1) * WINDOW_MS }, readings: all.length, sum: sumOf, mean: sumOf / all.length }));
      running.push(JSON.stringify({ key, until: (start + 1) * WINDOW_MS, total }));
    }
  }
  return { windows: windows.toSorted(), running: running.toSorted() };
}

function holds(): Held {
  collectGarbage();
  const { heapUsed, rss } = process.memoryUsage();
  const status = readFileSync('/proc/self/status', 'utf8');
  return { heapBytes: heapUsed, residentBytes: rss, files: readdirSync('/proc/self/fd').length, threads: Number(/^Threads:\s*(\d+)/m.exec(status)?.[1]) };
}

/** The slope of a line through values at equal distances, by least squares: how much one step adds. */
export function slopeOf(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((before, value) => before + value, 0) / values.length;
  const above = values.reduce((before, value, n) => before + (n - middle) * (value - mean), 0);
  return above / values.reduce((before, _, n) => before + (n - middle) ** 2, 0);
}
