import { describe, expect, it } from 'vitest';

import { count, END, FileSource, JsonLinesSink, KeyedProcessFunction, LocalEnvironment, type Seekable, SourceFunction, sum, type ValueState } from '../../../ts/index.ts';
import { type Build, interrupted, undisturbed, Workplace } from './interrupted.ts';

const RECORDS = 3000;

class Numbers extends SourceFunction<{ n: number }> implements Seekable<{ next: number }> {
  #next = 0;
  execute(): { n: number } | typeof END | Promise<{ n: number }> {
    if (this.#next === RECORDS) return END;
    const record = { n: this.#next++ };
    return record.n % 100 === 0 ? Promise.resolve(record) : record;
  }
  position(): { next: number } {
    return { next: this.#next };
  }
  seek({ next }: { next: number }): void {
    this.#next = next;
  }
}

const KEYS = 5;

/** Says how many there were of a key, and with the last one their total: what several instances give is the same in any order. */
class Running extends KeyedProcessFunction<number, { n: number }, { key: number; count: number; total?: number }> {
  #sums!: ValueState<{ count: number; total: number }>;
  override open(): void {
    this.#sums = this.ctx.state.value('sums');
  }
  execute({ n }: { n: number }): void {
    const before = this.#sums.get() ?? { count: 0, total: 0 };
    const sums = { count: before.count + 1, total: before.total + n };
    this.#sums.set(sums);
    this.collect({ key: this.ctx.key, count: sums.count, ...(sums.count === RECORDS / KEYS ? { total: sums.total } : {}) });
  }
}

const pipelines: Readonly<Record<string, (lines: string) => Build>> = {
  'a file, a map and a file': (lines) => (env, out, touch) => {
    env.fromSource(FileSource.jsonLines<{ n: number }>(lines)).map(({ n }) => (touch(), { n, square: n * n })).sink(new JsonLinesSink(out));
  },
  'a source with positions': () => (env, out, touch) => {
    env.fromSource(Numbers).map(({ n }) => (touch(), { n })).sink(new JsonLinesSink(out));
  },
  'a generator': () => (env, out, touch) => {
    env.fromBatch(function* () { for (let n = 0; n < RECORDS; n++) yield { n }; }).map(({ n }) => (touch(), { n })).sink(new JsonLinesSink(out));
  },
  'an array, an aggregate of the core and a file': () => (env, out, touch) => {
    env.fromCollection(Array.from({ length: RECORDS }, (_, n) => ({ n }))).map(({ n }) => (touch(), { n, k: n % 17 })).keyBy('k').aggregate({ all: count(), total: sum('n') }).sink(new JsonLinesSink(out));
  },
  'a reduce of a user function': () => (env, out, touch) => {
    env.fromCollection(Array.from({ length: RECORDS }, (_, n) => ({ n, k: n % 7 }))).map((record) => (touch(), record)).keyBy('k').reduce((a, b) => ({ n: a.n + b.n, k: a.k })).sink(new JsonLinesSink(out));
  },
  'state of a function for each key': () => (env, out, touch) => {
    env.fromCollection(Array.from({ length: RECORDS }, (_, n) => ({ n }))).map((record) => (touch(), record)).keyBy(({ n }) => n % KEYS).process(Running).sink(new JsonLinesSink(out));
  },
  'a limit, a dedup and an index': () => (env, out, touch) => {
    env.fromCollection(Array.from({ length: RECORDS }, (_, n) => n)).map((n) => (touch(), n % 1000)).dedup().limit(700).zipWithIndex().map(([n, index]) => ({ n, index })).sink(new JsonLinesSink(out));
  },
};
/** Those that run in one instance, or whose source cannot be divided. */
const single = new Set(['a source with positions', 'a generator', 'a limit, a dedup and an index']);

/** Shared by the generated and the linked form. */
export function testResume(): void {
  describe.each(Object.entries(pipelines))('a pipeline of %s', (name, make) => {
    it.each([1, 2, 3])('given that it is ended at random moments and goes on, when it has ended, then its file is the undisturbed one (seed %i)', async (seed) => {
      using place = new Workplace();
      const build = make(place.write('in.jsonl', Array.from({ length: RECORDS }, (_, n) => ({ n }))));
      await undisturbed(build, place.path('whole.jsonl'));
      await interrupted(build, place.path('out.jsonl'), { dir: place.path('checkpoints'), seed, parallelism: [1], records: RECORDS, attempts: 4 });
      expect(place.read('out.jsonl', true)).toBe(place.read('whole.jsonl', true));
    });

    it.skipIf(single.has(name))('given one instance, then three, then two, when it has ended, then its records are the undisturbed ones', async () => {
      using place = new Workplace();
      const build = make(place.write('in.jsonl', Array.from({ length: RECORDS }, (_, n) => ({ n }))));
      await undisturbed(build, place.path('whole.jsonl'));
      const parts: Build = (env, _out, touch) => build(env, place.path('part-{part}.jsonl'), touch);
      await interrupted(parts, '', { dir: place.path('checkpoints'), seed: 11, parallelism: [1, 3, 2], records: RECORDS, attempts: 2 });
      const lines = place.names('part-').flatMap((part) => place.read(part, true).split('\n').filter((line) => line !== ''));
      const expected = place.read('whole.jsonl', false).split('\n').filter((line) => line !== '');
      expect(lines.toSorted()).toEqual(expected);
    });
  });

  describe('a source that gives nothing', () => {
    it('given a promise that never settles, when a checkpoint is asked for, then it is written all the same', async () => {
      using place = new Workplace();
      const env = new LocalEnvironment('quiet', { checkpoint: { dir: place.path('checkpoints') } });
      class Silent extends SourceFunction<number> implements Seekable<number> {
        execute(): Promise<number> {
          return new Promise(() => undefined);
        }
        position(): number {
          return 0;
        }
        seek(): void {}
      }
      env.fromSource(Silent).sink([]);
      const job = await env.submit();
      expect(await job.checkpoint()).toMatchObject({ epoch: 1 });
      expect(await job.checkpoint()).toMatchObject({ epoch: 2 });
      expect(job.metrics().checkpoints).toMatchObject({ completed: 2, failed: 0, restoredEpoch: undefined });
      await job.cancel();
    });

    it('given a source that has nothing now, when a checkpoint is asked for, then it is written', async () => {
      using place = new Workplace();
      const env = new LocalEnvironment('quiet', { checkpoint: { dir: place.path('checkpoints') } });
      env.fromSource((): number | undefined => undefined).sink([]);
      const job = await env.submit();
      expect(await job.checkpoint()).toMatchObject({ epoch: 1 });
      await job.cancel();
    });
  });
}
