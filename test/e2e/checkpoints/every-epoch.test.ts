// Every checkpoint of one run is gone on from: with more instances, and from a checkpoint of these with fewer.
import { cpSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';

import { count, type DataStream, END, JsonLinesSink, KeyedProcessFunction, LocalEnvironment, type Seekable, SourceFunction, sum, tumbling } from '../../../ts/index.ts';
import { Workplace } from './interrupted.ts';
import { linesOfParts } from './staged.ts';

vi.setConfig({ testTimeout: 120_000 });

interface Reading {
  readonly n: number;
  readonly k: number;
  readonly at: number;
}

const RECORDS = 1200;
const EPOCHS = 5;
const readings: readonly Reading[] = Array.from({ length: RECORDS }, (_, n) => ({ n, k: (n * n) % 7, at: n * 10 }));

/** How far sources may go, in shares of what they have: they wait there until somebody lets them go on. */
class Steps {
  readonly #steps: number;
  readonly #reached: PromiseWithResolvers<void>[];
  readonly #left: PromiseWithResolvers<void>[];

  constructor(steps: number) {
    this.#steps = steps;
    this.#reached = Array.from({ length: steps }, () => Promise.withResolvers<void>());
    this.#left = Array.from({ length: steps }, () => Promise.withResolvers<void>());
  }

  /** A source that gives these records one step after the other. The first one tells where it is. */
  source(isFirst: boolean): new () => SourceFunction<Reading> & Seekable<number> {
    const [steps, reached, left] = [this.#steps, this.#reached, this.#left];
    return class extends SourceFunction<Reading> implements Seekable<number> {
      #next = 0;
      execute(): Reading | typeof END | Promise<Reading | typeof END> {
        const step = Math.floor((this.#next * (steps + 1)) / RECORDS) - 1;
        // It goes on while the checkpoint is written, and waits for it only before the next step.
        const before = step > 0 ? left[Math.min(step, steps) - 1] : undefined;
        if (isFirst) for (const { resolve } of reached.slice(0, step + 1)) resolve();
        return before === undefined ? this.#give() : before.promise.then(() => this.#give());
      }
      #give(): Reading | typeof END {
        return this.#next === RECORDS ? END : readings[this.#next++]!;
      }
      position(): number {
        return this.#next;
      }
      seek(position: number): void {
        this.#next = position;
      }
    };
  }

  async reached(step: number): Promise<void> {
    await this.#reached[step]!.promise;
  }

  /** The checkpoint of this step is there. */
  leave(step: number): void {
    this.#left[step]!.resolve();
  }
}

/** Counts the records of each second of event time. */
class Seconds extends KeyedProcessFunction<number, Reading, object> {
  execute({ at }: Reading): void {
    const end = at - (at % 1000) + 1000;
    const seconds = this.ctx.state.map<number, number>('seconds');
    seconds.set(end, (seconds.get(end) ?? 0) + 1);
    this.ctx.timers.eventTime(end);
  }
  override onTimer(time: number): void {
    this.collect({ k: this.ctx.key, time, records: this.ctx.state.map<number, number>('seconds').get(time) });
  }
}

/** Windows, a join, timers, a loop and calls, all from two sources; each sink has its directory. */
function build(env: LocalEnvironment, steps: Steps, out: string): void {
  const lines = (name: string): JsonLinesSink => new JsonLinesSink(`${out}/${name}/`, { mkdir: true });
  const timed = (isFirst: boolean, name: string): DataStream<Reading> =>
    env.fromSource(steps.source(isFirst)).named(name).assignTimestamps('at', { outOfOrdernessMs: 0 }).parallelism(1).named(`times of ${name}`);
  const left = timed(true, 'left');
  const byKey = left.keyBy('k');
  byKey.window(tumbling(700)).aggregate({ n: count(), total: sum('n') }).sink(lines('windows'));
  byKey.process(Seconds).sink(lines('timers'));
  byKey.join(timed(false, 'right').keyBy('k'), { within: { after: 45 }, type: 'left' }, (a, b) => ({ left: a.n, right: b?.n ?? null })).sink(lines('pairs'));
  byKey.mapAsync(({ n }) => new Promise<{ n: number }>((resolve) => void setImmediate(() => resolve({ n }))), { concurrency: 8 }).sink(lines('calls'));
  const again = env.fromFuture<{ readonly n: number; readonly rest: number; readonly rounds: number }>('again');
  const { odd, even } = left
    .map(({ n }) => ({ n, rest: n + 1, rounds: 0 }))
    .union(again)
    .split(({ rest }) => (rest % 2 === 1 ? 'odd' : 'even'), ['odd', 'even']);
  even.map(({ n, rest, rounds }) => ({ n, rest: rest / 2, rounds: rounds + 1 })).fillFuture(again);
  odd.sink(lines('loop'));
}

const SINKS = ['windows', 'timers', 'pairs', 'calls', 'loop'];
const resultsOf = (place: Workplace, out: string): Record<string, string[]> => Object.fromEntries(SINKS.map((sink) => [sink, linesOfParts(place, join(out, sink))]));

const open = (): Steps => {
  const steps = new Steps(1);
  steps.leave(0);
  return steps;
};

/** Runs to some steps, each with a checkpoint, and gives up behind the last one: the numbers of the checkpoints. */
async function toSteps(work: string, options: { readonly parallelism: number; readonly steps: number; readonly checkpoints: number; readonly from: string; readonly dir: string }): Promise<number[]> {
  const steps = new Steps(options.steps);
  const env = new LocalEnvironment('every epoch', { parallelism: options.parallelism, checkpoint: { dir: join(work, options.dir), retained: 100 } });
  build(env, steps, join(work, 'out'));
  const job = await env.submit({ from: options.from });
  const failure = job.completion.then(() => { throw new Error('it ended before it was to'); });
  failure.catch(() => undefined);
  const epochs: number[] = [];
  for (let step = 0; step < options.steps; step++) {
    await Promise.race([steps.reached(step), failure]);
    if (epochs.length < options.checkpoints) epochs.push((await job.checkpoint()).epoch);
    if (step < options.steps - 1) steps.leave(step);
  }
  await job.cancel();
  return epochs;
}

const nameOf = (epoch: number): string => `epoch-${String(epoch).padStart(20, '0')}.ckpt`;

describe('a run with windows, timers, a join, calls and a loop', () => {
  it('given each of its checkpoints, when three instances go on from it, and two from a checkpoint of these, then the results are the undisturbed ones', async () => {
    using place = new Workplace();
    const whole = new LocalEnvironment('whole', {});
    build(whole, open(), place.path('whole'));
    await whole.submit({ autostop: true });
    const expected = resultsOf(place, 'whole');
    expect(Object.values(expected).every((lines) => lines.length > 0)).toBe(true);

    const [work, master] = [place.path('work'), place.path('master')];
    mkdirSync(work);
    const epochs = await toSteps(work, { parallelism: 1, steps: EPOCHS, checkpoints: EPOCHS, from: 'latest', dir: 'one' });
    expect(epochs).toHaveLength(EPOCHS);
    // What files a job goes on with it changes: each has the directory as the first one left it, under the same path.
    renameSync(work, master);
    for (const epoch of epochs) {
      rmSync(work, { recursive: true, force: true });
      cpSync(master, work, { recursive: true });
      const [, second] = await toSteps(work, { parallelism: 3, steps: EPOCHS + 2, checkpoints: EPOCHS + 1, from: join(work, 'one', nameOf(epoch)), dir: 'three' });
      const env = new LocalEnvironment('every epoch', { parallelism: 2, checkpoint: { dir: join(work, 'two') } });
      build(env, open(), join(work, 'out'));
      const job = await env.submit({ from: join(work, 'three', nameOf(second!)) });
      expect(job.metrics().checkpoints?.restoredEpoch).toBe(second);
      await job.completion;
      expect(resultsOf(place, 'work/out'), `from epoch ${epoch}`).toEqual(expected);
    }
  });
});
